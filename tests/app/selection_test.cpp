// One selection over many rows, copied as the source it came from.
#include <gtest/gtest.h>

#include <QClipboard>
#include <QGuiApplication>

#include "app/chat/selection_controller.h"
#include "tests/app/app_test_util.h"

namespace paluku {
namespace {

class SelectionTest : public testing::Test {
 protected:
  SelectionTest() {
    MessageRecord user;
    user.id = "u1";
    user.text = "ask me";
    MessageRecord answer;
    answer.id = "a1";
    answer.role = MessageRole::kAssistant;
    answer.text = "Some **bold** text\n\n- one\n- two\n\n```py\nx = 1\ny = 2\n```\n";
    transcript_.setMessages({user, answer});
  }

  TranscriptModel transcript_;  // user; paragraph; two items; code; footer
  SelectionController selection_{transcript_};
};

TEST_F(SelectionTest, NothingAtFirst) {
  EXPECT_FALSE(selection_.hasSelection());
  EXPECT_FALSE(selection_.copy());
  selection_.begin(1, 3);
  EXPECT_FALSE(selection_.hasSelection()) << "a press alone selects nothing";
}

TEST_F(SelectionTest, RowsKnowTheirRange) {
  selection_.begin(1, 5);
  selection_.extendTo(3, 2);
  EXPECT_EQ(selection_.startIn(0), selection_.endIn(0));
  EXPECT_EQ(selection_.startIn(1), 5);
  EXPECT_EQ(selection_.endIn(1), 14);
  EXPECT_EQ(selection_.startIn(2), 0);
  EXPECT_EQ(selection_.endIn(2), 3);
  EXPECT_EQ(selection_.endIn(3), 2);
  EXPECT_EQ(selection_.startIn(4), selection_.endIn(4));
}

TEST_F(SelectionTest, BackwardsIsTheSame) {
  selection_.begin(3, 2);
  selection_.extendTo(1, 5);
  EXPECT_EQ(selection_.markdown(), u"**bold** text\n\n- one\ntw"_qs);
}

TEST_F(SelectionTest, StylesAreWrittenOut) {
  selection_.begin(1, 0);
  selection_.extendTo(1, 7);
  EXPECT_EQ(selection_.markdown(), u"Some **bo**"_qs);
}

TEST_F(SelectionTest, CodeAloneHasNoFence) {
  selection_.selectBlock(4);
  EXPECT_EQ(selection_.markdown(), u"x = 1\ny = 2"_qs);
  selection_.begin(3, 0);
  selection_.extendTo(4, 11);
  EXPECT_EQ(selection_.markdown(), u"- two\n\n```py\nx = 1\ny = 2\n```"_qs);
}

TEST_F(SelectionTest, AllTurnsAndOneTurn) {
  selection_.selectTurn(2);
  EXPECT_EQ(selection_.markdown(),
            u"Some **bold** text\n\n- one\n- two\n\n```py\nx = 1\ny = 2\n```"_qs);
  selection_.selectAll();
  EXPECT_TRUE(selection_.markdown().startsWith(u"ask me\n\nSome"));
  EXPECT_TRUE(selection_.copy());
  EXPECT_EQ(QGuiApplication::clipboard()->text(), selection_.markdown());
}

TEST_F(SelectionTest, WordsGrowByWords) {
  selection_.selectWord(1, 6);
  EXPECT_EQ(selection_.markdown(), u"**bold**"_qs);
  selection_.extendTo(1, 11);
  EXPECT_EQ(selection_.markdown(), u"**bold** text"_qs);
  selection_.extendTo(1, 1);
  EXPECT_EQ(selection_.markdown(), u"Some **bold**"_qs) << "the first word stays selected";
}

TEST_F(SelectionTest, ATeluguWordIsOneWord) {
  MessageRecord answer;
  answer.id = "a2";
  answer.role = MessageRole::kAssistant;
  answer.text = "ఇది తెలుగులో ఉంది";
  transcript_.setMessages({answer});
  selection_.selectWord(0, 6);
  EXPECT_EQ(selection_.markdown(), u"తెలుగులో"_qs);
}

TEST_F(SelectionTest, TheHeadMovesByClustersOverRows) {
  MessageRecord answer;
  answer.id = "a2";
  answer.role = MessageRole::kAssistant;
  answer.text = "క్ష్మిa\n\nb";
  transcript_.setMessages({answer});
  selection_.begin(0, 0);
  selection_.moveHead(1);
  EXPECT_EQ(selection_.markdown(), u"క్ష్మి"_qs);
  selection_.moveHead(3);  // a, the next row, b
  EXPECT_EQ(selection_.endIn(1), 1);
  selection_.moveHead(-2);
  EXPECT_EQ(selection_.endIn(0), 7);
  EXPECT_EQ(selection_.endIn(1), 0);
}

TEST_F(SelectionTest, AnotherConversationClearsIt) {
  selection_.selectAll();
  const int revision = selection_.revision();
  transcript_.setMessages({});
  EXPECT_FALSE(selection_.hasSelection());
  EXPECT_NE(selection_.revision(), revision);
}

}  // namespace
}  // namespace paluku
