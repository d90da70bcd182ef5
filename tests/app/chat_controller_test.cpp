// Sending, stopping, waiting, switching: what the person wrote is never lost.
#include "app/chat/chat_controller.h"

#include <gtest/gtest.h>

#include <QClipboard>
#include <QGuiApplication>

#include "tests/app/app_test_util.h"
#include "tests/app/fake_host.h"

namespace paluku {
namespace {

class ChatTest : public testing::Test {
 protected:
  ~ChatTest() override { storage_.close(); }

  void attach() {
    list_.attach(*storage_);
    chat_.attach(*storage_, host_);
    storage_.settle();
  }
  void attachReady() {
    attach();
    host_.makeReady();
  }
  // A whole turn in a new conversation; returns its id.
  QString converse(const QString& question, const QString& answer) {
    chat_.setDraft(question);
    chat_.send();
    host_.begin();
    host_.write(answer, 10);
    host_.end(MessageState::kComplete);
    storage_.settle();
    return list_.currentId();
  }
  QString textOf(int row) { return chat_.transcript()->textAt(row); }

  TestStorage storage_;
  Notices notices_;
  ConversationListModel list_{notices_};
  FakeHost host_{&*storage_};
  ChatController chat_{list_, notices_};
};

TEST_F(ChatTest, SaysWhatComputes) {
  attach();
  EXPECT_EQ(chat_.homeText(), QString());
  host_.makeReady();
  EXPECT_EQ(chat_.homeText(), u"Processor"_qs);
  host_.moveModel({.card = "RTX", .no_card = {}});
  EXPECT_EQ(chat_.homeText(), u"RTX"_qs);
  host_.moveModel({.card = "RTX", .no_card = {}, .expert_layers = 26, .expert_layers_on_card = 20});
  EXPECT_TRUE(chat_.homeText().startsWith(u"RTX, and the processor for the experts of 6 layer"_qs));
  Error error{
      .code = ErrorCode::kDeviceFailed, .subject = "CUDA", .detail = "there is no NVIDIA card"};
  host_.moveModel({.card = {}, .no_card = error, .card_lost = false});
  EXPECT_EQ(chat_.homeText(), u"Processor: there is no NVIDIA card"_qs);
  EXPECT_EQ(notices_.bannerText(), QString()) << "most computers have none";
  error = {.code = ErrorCode::kOutOfMemory, .subject = "RTX", .detail = "1000"};
  host_.moveModel({.card = {}, .no_card = error, .card_lost = false});
  EXPECT_EQ(chat_.homeText(), u"Processor: the model does not fit on the graphics card"_qs);
  error = {.code = ErrorCode::kDeviceFailed, .subject = "RTX", .detail = "gone"};
  host_.moveModel({.card = {}, .no_card = error, .card_lost = true});
  EXPECT_EQ(notices_.bannerAction(), u"Restart Paluku"_qs);
}

TEST_F(ChatTest, TheDraftStaysUntilTheMessageIsStored) {
  attachReady();
  chat_.setDraft(u"Hello"_qs);
  EXPECT_TRUE(chat_.canSend());
  chat_.send();
  EXPECT_EQ(chat_.draft(), u"Hello"_qs);
  EXPECT_TRUE(chat_.busy());
  QSignalSpy sent(&chat_, &ChatController::sent);
  host_.begin();
  EXPECT_EQ(chat_.draft(), QString());
  EXPECT_EQ(sent.count(), 1);
  EXPECT_EQ(textOf(0), u"Hello"_qs);
  EXPECT_EQ(list_.count(), 1);
  EXPECT_EQ(chat_.title(), u"Hello"_qs);
}

TEST_F(ChatTest, ARefusedMessageStaysInTheComposer) {
  attachReady();
  chat_.setDraft(u"Hello"_qs);
  chat_.send();
  host_.refuse({.code = ErrorCode::kDiskFull, .subject = "paluku.db", .detail = {}});
  EXPECT_EQ(chat_.draft(), u"Hello"_qs);
  EXPECT_FALSE(chat_.busy());
  EXPECT_TRUE(notices_.bannerText().contains(u"disk is full"_qs));
  EXPECT_EQ(chat_.transcript()->count(), 0);
  chat_.send();
  EXPECT_EQ(host_.requests.size(), 2) << "and can be sent again";
  host_.begin();
  EXPECT_EQ(notices_.bannerText(), QString()) << "what is stored shows that there is space again";
}

TEST_F(ChatTest, WhatIsTypedWhileAMessageIsStoredStays) {
  attachReady();
  chat_.setDraft(u"Hello"_qs);
  chat_.send();
  chat_.setDraft(u"Hello again"_qs);
  host_.begin();
  EXPECT_EQ(chat_.draft(), u"Hello again"_qs);
}

TEST_F(ChatTest, PhasesFollowTheAnswer) {
  attach();
  EXPECT_EQ(chat_.phase(), ChatController::NoModel);
  host_.loadModel(u"/m.gguf"_qs);
  host_.setModel(HostModel::State::kLoading, 0.42);
  EXPECT_EQ(chat_.phase(), ChatController::Loading);
  EXPECT_EQ(chat_.statusText(), u"Getting the model ready 42 %"_qs);
  EXPECT_DOUBLE_EQ(chat_.progress(), 0.42);
  host_.makeReady();
  EXPECT_EQ(chat_.phase(), ChatController::Idle);
  chat_.setDraft(u"Hi"_qs);
  chat_.send();
  host_.begin();
  EXPECT_EQ(chat_.phase(), ChatController::Reading);
  host_.read(62, 100);
  EXPECT_TRUE(chat_.statusText().startsWith(u"Reading the prompt 62 %"))
      << chat_.statusText().toStdString();
  host_.write(u"Yes"_qs);
  EXPECT_EQ(chat_.phase(), ChatController::Writing);
  EXPECT_EQ(chat_.statusText(), QString());
  host_.end(MessageState::kComplete);
  EXPECT_EQ(chat_.phase(), ChatController::Idle);
}

TEST_F(ChatTest, AMessageWaitsForTheModel) {
  attach();
  host_.loadModel(u"/m.gguf"_qs);
  chat_.setDraft(u"Hi"_qs);
  chat_.send();
  EXPECT_TRUE(chat_.waitingToSend());
  EXPECT_TRUE(chat_.busy());
  EXPECT_EQ(chat_.statusText(), u"Sends when ready"_qs);
  EXPECT_TRUE(host_.requests.isEmpty());
  host_.makeReady();
  ASSERT_EQ(host_.requests.size(), 1);
  EXPECT_EQ(host_.requests[0].text, u"Hi"_qs);
  EXPECT_FALSE(chat_.waitingToSend());
}

TEST_F(ChatTest, AWaitingMessageCanBeCalledBack) {
  attach();
  host_.loadModel(u"/m.gguf"_qs);
  chat_.setDraft(u"Hi"_qs);
  chat_.send();
  chat_.stop();
  EXPECT_FALSE(chat_.waitingToSend());
  host_.makeReady();
  EXPECT_TRUE(host_.requests.isEmpty());
  EXPECT_EQ(chat_.draft(), u"Hi"_qs);
  EXPECT_EQ(host_.stops, 0);
}

TEST_F(ChatTest, AFailedModelEndsTheWait) {
  attach();
  host_.loadModel(u"/m.gguf"_qs);
  chat_.setDraft(u"Hi"_qs);
  chat_.send();
  host_.failModel({.code = ErrorCode::kFileEmpty, .subject = "/m.gguf", .detail = {}});
  EXPECT_FALSE(chat_.waitingToSend());
  EXPECT_EQ(chat_.phase(), ChatController::NoModel);
  EXPECT_EQ(chat_.draft(), u"Hi"_qs);
}

TEST_F(ChatTest, WithoutAModelSendAsksForOne) {
  attach();
  QSignalSpy wanted(&chat_, &ChatController::modelWanted);
  chat_.setDraft(u"Hi"_qs);
  chat_.send();
  EXPECT_EQ(wanted.count(), 1);
  EXPECT_EQ(chat_.draft(), u"Hi"_qs);
}

TEST_F(ChatTest, NothingBlankIsSent) {
  attachReady();
  chat_.setDraft(u" \n\t"_qs);
  EXPECT_FALSE(chat_.canSend());
  chat_.send();
  EXPECT_TRUE(host_.requests.isEmpty());
}

TEST_F(ChatTest, WhileItAnswersEnterSaysToWait) {
  attachReady();
  chat_.setDraft(u"one"_qs);
  chat_.send();
  host_.begin();
  chat_.setDraft(u"two"_qs);
  chat_.send();
  EXPECT_EQ(host_.requests.size(), 1) << "nothing is queued";
  EXPECT_EQ(chat_.statusText(), u"Stop first, or wait"_qs);
  EXPECT_EQ(chat_.draft(), u"two"_qs);
  host_.write(u"a"_qs);
  host_.end(MessageState::kComplete);
  EXPECT_EQ(chat_.statusText(), QString());
}

TEST_F(ChatTest, StopKeepsWhatWasWritten) {
  attachReady();
  chat_.setDraft(u"one"_qs);
  chat_.send();
  host_.begin();
  host_.write(u"half an ans"_qs);
  chat_.stop();
  EXPECT_EQ(host_.stops, 1);
  host_.end(MessageState::kStopped);
  EXPECT_FALSE(chat_.busy());
  EXPECT_EQ(textOf(1), u"half an ans"_qs);
  const QModelIndex footer = chat_.transcript()->index(2);
  EXPECT_EQ(chat_.transcript()->data(footer, TranscriptModel::StateTextRole).toString(),
            u"Stopped"_qs);
}

TEST_F(ChatTest, SwitchingAwayAndBackLosesNoText) {
  attachReady();
  const QString other = converse(u"first"_qs, u"done"_qs);
  chat_.setDraft({});
  list_.startNew();
  storage_.settle();
  chat_.setDraft(u"second"_qs);
  chat_.send();
  host_.begin();
  host_.write(u"one "_qs);
  const QString answering = list_.currentId();
  list_.open(other);
  storage_.settle();
  EXPECT_EQ(textOf(0), u"first"_qs);
  host_.write(u"two "_qs);  // no checkpoint holds this
  EXPECT_EQ(chat_.transcript()->count(), 3) << "nothing of it appears here";
  list_.open(answering);
  storage_.settle();
  EXPECT_EQ(textOf(1), u"one two "_qs.trimmed());
  host_.write(u"three"_qs);
  EXPECT_EQ(textOf(1), u"one two three"_qs);
  host_.end(MessageState::kComplete);
  EXPECT_EQ(chat_.phase(), ChatController::Idle);
}

TEST_F(ChatTest, LeavingBeforeItIsStoredDoesNotPullTheReaderBack) {
  attachReady();
  const QString other = converse(u"first"_qs, u"done"_qs);
  list_.startNew();
  storage_.settle();
  chat_.setDraft(u"second"_qs);
  chat_.send();
  list_.open(other);
  storage_.settle();
  host_.begin();
  EXPECT_EQ(list_.currentId(), other);
  EXPECT_EQ(list_.count(), 2);
  EXPECT_EQ(textOf(0), u"first"_qs);
}

TEST_F(ChatTest, ContinueWritesOnBehindTheStoppedAnswer) {
  attachReady();
  chat_.setDraft(u"question"_qs);
  chat_.send();
  host_.begin();
  host_.write(u"half"_qs);
  host_.end(MessageState::kStopped);
  const QModelIndex footer = chat_.transcript()->index(2);
  EXPECT_TRUE(footer.data(TranscriptModel::CanContinueRole).toBool());
  const QString turn = footer.data(TranscriptModel::TurnIdRole).toString();
  chat_.continueTurn(turn);
  ASSERT_EQ(host_.requests.size(), 2);
  EXPECT_EQ(host_.requests[1].reply, turn);
  host_.begin();
  EXPECT_EQ(textOf(1), u"half"_qs);
  EXPECT_EQ(chat_.phase(), ChatController::Reading);
  host_.write(u" and whole"_qs);
  EXPECT_EQ(chat_.phase(), ChatController::Writing);
  host_.end(MessageState::kComplete);
  EXPECT_EQ(textOf(1), u"half and whole"_qs);
  EXPECT_EQ(chat_.transcript()->count(), 3);
  EXPECT_FALSE(chat_.transcript()->index(2).data(TranscriptModel::CanContinueRole).toBool());
}

TEST_F(ChatTest, SayAgainReplacesTheAnswer) {
  attachReady();
  converse(u"question"_qs, u"first answer"_qs);
  chat_.regenerate();
  ASSERT_EQ(host_.requests.size(), 2);
  EXPECT_FALSE(host_.requests[1].userMessage.isEmpty());
  host_.begin();
  EXPECT_EQ(chat_.transcript()->count(), 2) << "question and an empty answer";
  host_.write(u"second answer"_qs);
  host_.end(MessageState::kComplete);
  EXPECT_EQ(textOf(1), u"second answer"_qs);
  const QString id = list_.currentId();
  const auto stored = storage_.run(
      [&id](Stores& stores) { return stores.conversations.CountMessages(id.toStdString()); });
  EXPECT_EQ(*stored, 3) << "the first answer is a branch";
}

TEST_F(ChatTest, SayAgainTwiceAsksOnce) {
  attachReady();
  converse(u"question"_qs, u"answer"_qs);
  chat_.regenerate();
  EXPECT_TRUE(chat_.busy());
  chat_.regenerate();
  chat_.continueTurn(chat_.transcript()->lastTurnId());
  EXPECT_EQ(host_.requests.size(), 2) << "the question, and one more answer to it";
  chat_.stop();
  EXPECT_EQ(host_.stops, 1);
  host_.refuse({.code = ErrorCode::kCancelled, .subject = {}, .detail = {}});
  EXPECT_FALSE(chat_.busy());
}

TEST_F(ChatTest, DraftsBelongToTheirConversation) {
  attachReady();
  const QString first = converse(u"first"_qs, u"done"_qs);
  chat_.setDraft(u"మొదటి draft"_qs);
  list_.startNew();
  storage_.settle();
  EXPECT_EQ(chat_.draft(), QString());
  chat_.setDraft(u"new words"_qs);
  list_.open(first);
  storage_.settle();
  EXPECT_EQ(chat_.draft(), u"మొదటి draft"_qs);
  list_.startNew();
  storage_.settle();
  EXPECT_EQ(chat_.draft(), u"new words"_qs);
}

TEST_F(ChatTest, ADraftOfMoreThan64KilobytesIsRefusedAndTheOldOneStays) {
  attachReady();
  const QString most(65'536, u'x');
  chat_.setDraft(most);
  EXPECT_EQ(chat_.draft(), most);
  QSignalSpy changed(&chat_, &ChatController::draftChanged);
  chat_.setDraft(most + u'y');
  EXPECT_EQ(chat_.draft(), most);
  EXPECT_EQ(changed.count(), 1) << "the composer takes the draft back";
  EXPECT_TRUE(chat_.statusText().contains(u"64 kB"_qs)) << chat_.statusText().toStdString();
  chat_.setDraft(QString(30'000, QChar(0x0C15)));  // three bytes each
  EXPECT_EQ(chat_.draft(), most);
  chat_.setDraft(u"less"_qs);
  EXPECT_EQ(chat_.draft(), u"less"_qs);
}

TEST_F(ChatTest, APasteThatDoesNotFitIsRefusedBeforeItIsLaidOut) {
  attachReady();
  QGuiApplication::clipboard()->setText(QString(60'000, u'x'));
  EXPECT_TRUE(chat_.pasteFits(5'000));
  EXPECT_FALSE(chat_.pasteFits(6'000));
  EXPECT_TRUE(chat_.statusText().contains(u"64 kB"_qs));
}

TEST_F(ChatTest, DraftsSurviveTheEndOfTheProgram) {
  attachReady();
  chat_.setDraft(u"unsent"_qs);
  chat_.saveDraft();
  storage_.settle();
  const auto stored = storage_.run([](Stores& stores) { return stores.settings.Get("draft.new"); });
  ASSERT_TRUE(stored->has_value());
  EXPECT_EQ(**stored, "unsent");
}

TEST_F(ChatTest, ADraftIsStoredShortlyAfterTheLastKey) {
  attachReady();
  chat_.setDraft(u"typed"_qs);
  EXPECT_TRUE(waitUntil([this] {
    const auto stored =
        storage_.run([](Stores& stores) { return stores.settings.Get("draft.new"); });
    return *stored == std::string("typed");
  }));
}

TEST_F(ChatTest, WordsTypedBeforeTheStorageIsOpenStayBehindTheStoredOnes) {
  storage_.run([](Stores& stores) { return stores.settings.Set("draft.new", "old"); });
  chat_.setDraft(u"typed early"_qs);
  attach();
  EXPECT_EQ(chat_.draft(), u"old\ntyped early"_qs);
}

TEST_F(ChatTest, WordsTypedWhileAConversationIsReadGoBehindItsDraft) {
  attachReady();
  const QString first = converse(u"first"_qs, u"done"_qs);
  chat_.setDraft(u"kept"_qs);
  list_.startNew();
  storage_.settle();
  chat_.setDraft(u"new words"_qs);
  list_.open(first);
  EXPECT_EQ(chat_.draft(), QString()) << "nothing of the other conversation";
  chat_.setDraft(u"typed"_qs);
  storage_.settle();
  EXPECT_EQ(chat_.draft(), u"kept\ntyped"_qs);
}

TEST_F(ChatTest, TheMeterFollowsTheShownConversation) {
  attachReady();
  converse(u"question"_qs, u"answer"_qs);
  EXPECT_EQ(chat_.meter()->figures().usedTokens, 20);
  EXPECT_EQ(chat_.meter()->figures().limitTokens, 32'768);
  list_.startNew();
  storage_.settle();
  EXPECT_EQ(chat_.meter()->figures().usedTokens, 0);
  host_.setModel(HostModel::State::kLoading);
  EXPECT_FALSE(chat_.meter()->visible());
}

TEST_F(ChatTest, FailuresAreToldInTheTurn) {
  attachReady();
  chat_.setDraft(u"one"_qs);
  chat_.send();
  host_.begin();
  host_.end(MessageState::kFailed,
            Error{.code = ErrorCode::kOutOfMemory, .subject = "x", .detail = "4 GB"});
  const QModelIndex footer = chat_.transcript()->index(1);
  const QString text = chat_.transcript()->data(footer, TranscriptModel::StateTextRole).toString();
  EXPECT_TRUE(text.contains(u"not enough memory"_qs)) << text.toStdString();
  EXPECT_FALSE(chat_.busy());
}

TEST_F(ChatTest, AReadOnlyStoreLocksTheComposerAndSaysWhy) {
  storage_.open(StorageAccess::kReadOnly);
  FakeHost host(&*storage_);
  ConversationListModel list(notices_);
  ChatController chat(list, notices_);
  list.attach(*storage_);
  chat.attach(*storage_, host);
  host.makeReady();
  storage_.settle();
  EXPECT_TRUE(chat.inputLocked());
  EXPECT_EQ(chat.phase(), ChatController::Locked);
  EXPECT_FALSE(chat.placeholder().isEmpty());
  chat.setDraft(u"x"_qs);
  chat.send();
  EXPECT_TRUE(host.requests.isEmpty());
  storage_.close();
}

TEST_F(ChatTest, CopyGivesTheSource) {
  attachReady();
  converse(u"q"_qs, u"**bold** and\n\n```py\nx = 1\n```"_qs);
  chat_.copyLastAnswer();
  EXPECT_EQ(QGuiApplication::clipboard()->text(), u"**bold** and\n\n```py\nx = 1\n```"_qs);
  chat_.copyRow(2);
  EXPECT_EQ(QGuiApplication::clipboard()->text(), u"x = 1"_qs);
}

TEST_F(ChatTest, SpeedIsKnownFromTheEighthToken) {
  SpeedWindow speed;
  for (int i = 1; i <= 7; ++i) speed.add(i * 100, i);
  EXPECT_EQ(speed.tokensPerSecond(), 0);
  speed.add(800, 8);
  EXPECT_DOUBLE_EQ(speed.tokensPerSecond(), 10);
  for (int i = 1; i <= 60; ++i) speed.add(800 + i * 50, 8 + i);
  EXPECT_DOUBLE_EQ(speed.tokensPerSecond(), 20) << "the last two seconds only";
}

}  // namespace
}  // namespace paluku
