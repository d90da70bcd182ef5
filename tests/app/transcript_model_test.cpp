// The transcript as rows: one per block, only the last one changes while an answer streams.
#include "app/chat/transcript_model.h"

#include <gtest/gtest.h>

#include <QAbstractItemModelTester>
#include <algorithm>

#include "app/chat/markdown.h"
#include "tests/app/app_test_util.h"

namespace paluku {
namespace {

MessageRecord message(const std::string& id, MessageRole role, const std::string& text,
                      MessageState state = MessageState::kComplete) {
  MessageRecord record;
  record.id = id;
  record.role = role;
  record.text = text;
  record.state = state;
  record.model = role == MessageRole::kAssistant ? "DeepSeek-V2-Lite-Chat" : "";
  return record;
}

class TranscriptTest : public testing::Test {
 protected:
  QVariant at(int row, int role) { return model_.data(model_.index(row), role); }
  QString textOf(int row) { return at(row, TranscriptModel::TextRole).toString(); }
  int kindOf(int row) { return at(row, TranscriptModel::KindRole).toInt(); }

  void showQuestionAndAnswer(MessageState state = MessageState::kComplete) {
    model_.setMessages({message("u1", MessageRole::kUser, "Why?"),
                        message("a1", MessageRole::kAssistant, "Because.\n\n- one\n- two", state)});
  }

  TranscriptModel model_;
  QAbstractItemModelTester tester_{&model_, QAbstractItemModelTester::FailureReportingMode::Fatal};
};

TEST_F(TranscriptTest, ARowPerBlockAndAFooterPerAnswer) {
  showQuestionAndAnswer();
  ASSERT_EQ(model_.count(), 5);
  EXPECT_EQ(kindOf(0), TranscriptModel::User);
  EXPECT_EQ(kindOf(1), TranscriptModel::Paragraph);
  EXPECT_EQ(kindOf(2), TranscriptModel::ListItem);
  EXPECT_EQ(at(2, TranscriptModel::MarkerRole).toString(), u"•"_qs);
  EXPECT_EQ(kindOf(4), TranscriptModel::Footer);
  EXPECT_EQ(at(0, TranscriptModel::SpeakerRole).toString(), u"You"_qs);
  EXPECT_EQ(at(1, TranscriptModel::SpeakerRole).toString(), u"V2-Lite"_qs);
  EXPECT_EQ(at(1, TranscriptModel::SpeakerFullRole).toString(), u"DeepSeek-V2-Lite-Chat"_qs);
  EXPECT_TRUE(at(1, TranscriptModel::FirstInTurnRole).toBool());
  EXPECT_FALSE(at(2, TranscriptModel::FirstInTurnRole).toBool());
  EXPECT_TRUE(at(4, TranscriptModel::LastInTurnRole).toBool());
  EXPECT_FALSE(at(0, TranscriptModel::LastTurnRole).toBool());
  EXPECT_TRUE(at(4, TranscriptModel::LastTurnRole).toBool());
}

TEST_F(TranscriptTest, TheWordsOfThePersonStayAsTheyAre) {
  model_.setMessages({message("u1", MessageRole::kUser, "# no **heading**\n<b>")});
  ASSERT_EQ(model_.count(), 1);
  EXPECT_EQ(textOf(0), u"# no **heading**\n<b>"_qs);
}

TEST_F(TranscriptTest, StreamingChangesOnlyTheLastBlock) {
  model_.append(message("u1", MessageRole::kUser, "Go"));
  model_.append(message("a1", MessageRole::kAssistant, "", MessageState::kStreaming));
  model_.appendText(u"a1"_qs, u"first\n\nsecond\n\nthird"_qs, {});
  ASSERT_EQ(model_.count(), 5);  // user, three paragraphs, footer
  QSignalSpy changed(&model_, &QAbstractItemModel::dataChanged);
  QSignalSpy inserted(&model_, &QAbstractItemModel::rowsInserted);
  for (int i = 0; i < 50; ++i) model_.appendText(u"a1"_qs, u" word"_qs, {});
  EXPECT_EQ(changed.count(), 50) << "one change for one piece";
  for (const QList<QVariant>& arguments : changed) {
    EXPECT_EQ(arguments[0].toModelIndex().row(), 3);
    EXPECT_EQ(arguments[1].toModelIndex().row(), 3);
  }
  EXPECT_EQ(inserted.count(), 0);
}

TEST_F(TranscriptTest, NewBlocksAreInsertedBeforeTheFooter) {
  model_.append(message("u1", MessageRole::kUser, "Go"));
  model_.append(message("a1", MessageRole::kAssistant, "", MessageState::kStreaming));
  EXPECT_EQ(model_.count(), 2);
  EXPECT_TRUE(at(1, TranscriptModel::FirstInTurnRole).toBool()) << "the name stands somewhere";
  QSignalSpy inserted(&model_, &QAbstractItemModel::rowsInserted);
  model_.appendText(u"a1"_qs, u"one"_qs, {});
  model_.appendText(u"a1"_qs, u"\n\ntwo"_qs, {});
  EXPECT_EQ(inserted.count(), 2);
  EXPECT_EQ(kindOf(3), TranscriptModel::Footer);
  EXPECT_FALSE(at(3, TranscriptModel::FirstInTurnRole).toBool());
}

TEST_F(TranscriptTest, AnAnswerEndsWithItsFigures) {
  showQuestionAndAnswer(MessageState::kStreaming);
  EXPECT_EQ(at(4, TranscriptModel::TurnStateRole).toInt(), TranscriptModel::Streaming);
  const MessageStats stats{.token_count = 1412, .tokens_per_second = 18.42, .first_token_ms = 430};
  model_.finish(u"a1"_qs, MessageState::kComplete, stats, {});
  EXPECT_EQ(at(4, TranscriptModel::TurnStateRole).toInt(), TranscriptModel::Complete);
  EXPECT_EQ(at(4, TranscriptModel::StateTextRole).toString(), QString());
  const QString figures = at(4, TranscriptModel::FiguresRole).toString();
  EXPECT_TRUE(figures.contains(u"1,412 token"_qs)) << figures.toStdString();
  EXPECT_TRUE(figures.contains(u"18.4 tokens/s"_qs)) << figures.toStdString();
  EXPECT_TRUE(figures.contains(u"0.4 s"_qs)) << figures.toStdString();
}

TEST_F(TranscriptTest, LongCodeIsFoldedUntilItIsAskedFor) {
  MessageRecord answer;
  answer.id = "long";
  answer.role = MessageRole::kAssistant;
  answer.text = "```python\n";
  for (int i = 0; i < 41; ++i) answer.text += "x\n";
  answer.text += "```\n\n```python\nshort\n```\n";
  model_.setMessages({answer});
  EXPECT_TRUE(at(0, TranscriptModel::FoldRole).toString().startsWith(u"Show all 41 line"_qs));
  EXPECT_EQ(at(1, TranscriptModel::FoldRole).toString(), QString());
  model_.showAll(0);
  EXPECT_EQ(at(0, TranscriptModel::FoldRole).toString(), QString());
}

TEST_F(TranscriptTest, WhatIsReadWhileItIsWrittenDoesNotFold) {
  showQuestionAndAnswer(MessageState::kStreaming);
  model_.appendText(u"a1"_qs, u"\n\n```\n"_qs + QString(u"x\n"_qs).repeated(60) + u"```\n"_qs, {});
  model_.finish(u"a1"_qs, MessageState::kComplete, {}, {});
  for (int row = 0; row < model_.count(); ++row)
    EXPECT_EQ(at(row, TranscriptModel::FoldRole).toString(), QString());
}

TEST_F(TranscriptTest, EveryEndHasItsWords) {
  showQuestionAndAnswer(MessageState::kStreaming);
  const auto stateAfter = [this](MessageState state, const std::optional<Error>& error = {}) {
    model_.finish(u"a1"_qs, state, {}, error);
    return at(4, TranscriptModel::StateTextRole).toString();
  };
  EXPECT_EQ(stateAfter(MessageState::kStopped), u"Stopped"_qs);
  EXPECT_FALSE(at(4, TranscriptModel::CanRetryRole).toBool());
  EXPECT_TRUE(stateAfter(MessageState::kInterrupted).contains(u"is kept"_qs));
  EXPECT_TRUE(at(4, TranscriptModel::CanRetryRole).toBool());
  EXPECT_EQ(stateAfter(MessageState::kLength),
            u"The reply reached the length that was allowed."_qs);
  EXPECT_EQ(stateAfter(MessageState::kLength,
                       Error{.code = ErrorCode::kContextFull, .subject = {}, .detail = "64"}),
            u"The context is full."_qs);
  const QString failed =
      stateAfter(MessageState::kFailed,
                 Error{.code = ErrorCode::kDeviceFailed, .subject = "GPU", .detail = "lost"});
  EXPECT_EQ(failed,
            u"The model stopped because of an error: The device “GPU” failed: lost. "
            u"Your message is kept."_qs);
  EXPECT_TRUE(at(4, TranscriptModel::CanRetryRole).toBool());
}

TEST_F(TranscriptTest, AnotherAnswerTakesThePlaceOfTheLast) {
  showQuestionAndAnswer();
  model_.removeAfter(u"u1"_qs);
  EXPECT_EQ(model_.count(), 1);
  model_.append(message("a2", MessageRole::kAssistant, "", MessageState::kStreaming));
  model_.appendText(u"a2"_qs, u"New"_qs, {});
  EXPECT_EQ(textOf(1), u"New"_qs);
  EXPECT_EQ(model_.lastAnswerId(), u"a2"_qs);
  EXPECT_EQ(model_.userMessageOf(u"a2"_qs), u"u1"_qs);
}

TEST_F(TranscriptTest, ReasoningStandsBeforeTheAnswer) {
  model_.append(message("a1", MessageRole::kAssistant, "", MessageState::kStreaming));
  model_.appendText(u"a1"_qs, {}, u"Let me "_qs);
  model_.appendText(u"a1"_qs, {}, u"think."_qs);
  ASSERT_EQ(model_.count(), 2);
  EXPECT_EQ(kindOf(0), TranscriptModel::Reasoning);
  EXPECT_EQ(textOf(0), u"Let me think."_qs);
  EXPECT_EQ(at(0, TranscriptModel::LabelRole).toString(), u"Thinking…"_qs);
  model_.appendText(u"a1"_qs, u"Yes"_qs, {});
  model_.finish(u"a1"_qs, MessageState::kComplete, {}, {});
  EXPECT_EQ(at(0, TranscriptModel::LabelRole).toString(), u"Thought"_qs);
  EXPECT_EQ(model_.sourceOf(u"a1"_qs), u"Yes"_qs) << "copying leaves the reasoning out";
}

TEST_F(TranscriptTest, ReasoningWithoutABreakIsBrokenHoweverItArrives) {
  model_.append(message("a1", MessageRole::kAssistant, "", MessageState::kStreaming));
  const QString piece(500, u'x');
  for (int i = 0; i < 20; ++i) model_.appendText(u"a1"_qs, {}, piece);
  qsizetype longest = 0;
  for (const QString& line : textOf(0).split(u'\n')) longest = std::max(longest, line.size());
  EXPECT_LE(longest, kMaxRun);
  EXPECT_EQ(textOf(0).count(u'x'), 20 * piece.size());
}

TEST_F(TranscriptTest, SourceAndRangesForCopying) {
  showQuestionAndAnswer();
  EXPECT_EQ(model_.sourceOf(u"a1"_qs), u"Because.\n\n- one\n- two"_qs);
  EXPECT_EQ(model_.markdownOf(2, 0, 3), u"- one"_qs);
  EXPECT_EQ(model_.markdownOf(2, 0, 2), u"on"_qs);
  EXPECT_EQ(model_.markdownOf(2, -5, 99), u"- one"_qs);
  EXPECT_EQ(model_.markdownOf(99, 0, 1), QString());
}

TEST_F(TranscriptTest, LinksAreFoundByPosition) {
  model_.setMessages(
      {message("a1", MessageRole::kAssistant, "see [here](https://xn--e1afmkfd.example/a)")});
  EXPECT_EQ(model_.linkAt(0, 5), u"https://xn--e1afmkfd.example/a"_qs);
  EXPECT_EQ(model_.linkAt(0, 1), QString());
  EXPECT_EQ(model_.linkAt(7, 1), QString());
  EXPECT_EQ(model_.hostOf(u"https://user@evil.example:8080/https://good.example"_qs),
            u"evil.example"_qs);
}

TEST_F(TranscriptTest, StepsByTurn) {
  showQuestionAndAnswer();
  EXPECT_EQ(model_.nextTurn(0), 1);
  EXPECT_EQ(model_.nextTurn(2), 2) << "the last turn has no next";
  EXPECT_EQ(model_.previousTurn(3), 1) << "first to the begin of its own";
  EXPECT_EQ(model_.previousTurn(1), 0);
  EXPECT_EQ(model_.previousTurn(0), 0);
}

TEST_F(TranscriptTest, CountsWords) {
  model_.setMessages({message("u1", MessageRole::kUser, "one two"),
                      message("a1", MessageRole::kAssistant, "మూడు నాలుగు ఐదు")});
  EXPECT_EQ(model_.words(), 5);
}

TEST_F(TranscriptTest, ScreenReadersHearNoMarkup) {
  model_.setMessages({message("a1", MessageRole::kAssistant, "**b**\n\n```py\na\nb\n```")});
  EXPECT_EQ(at(0, TranscriptModel::AccessibleTextRole).toString(), u"b"_qs);
  EXPECT_TRUE(
      at(1, TranscriptModel::AccessibleTextRole).toString().startsWith(u"code, py, 2 line"));
}

}  // namespace
}  // namespace paluku
