#include "app/conversation/reply_writer.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/storage/fault_vfs.h"
#include "tests/storage/storage_test_util.h"

namespace paluku {
namespace {

class ReplyWriterTest : public ::testing::Test {
 protected:
  void Open(const std::string& vfs = {}) {
    storage_ = Must(Storage::Open({.data_dir = dir_.path(),
                                   .access = StorageAccess::kWrite,
                                   .clock = SystemNowMs,
                                   .vfs = vfs}));
    const Turn turn = Must(Do(*storage_, [](Stores& stores) -> Result<Turn> {
      PALUKU_ASSIGN_OR_RETURN(
          const ConversationRecord conversation,
          stores.conversations.Create({.title = "t", .instruction = {}, .model = {}}));
      return stores.conversations.BeginTurn(
          {.conversation = conversation.id, .parent = {}, .text = "Hello", .model = "m"});
    }));
    reply_ = turn.reply.id;
    record_ = turn.reply;
    writer_ = std::make_unique<ReplyWriter>(*storage_, channel_, record_, 3);
  }
  void TearDown() override {
    ClearFaults();
    writer_.reset();
    storage_.reset();
  }
  // What the database holds once all checkpoints given so far are done.
  MessageRecord Stored() {
    return Must(
        Do(*storage_, [this](Stores& stores) { return stores.conversations.Message(reply_); }));
  }

  TempDir dir_;
  std::shared_ptr<EventChannel> channel_ = std::make_shared<EventChannel>([] {});
  std::unique_ptr<Storage> storage_;
  std::string reply_;
  MessageRecord record_;
  std::unique_ptr<ReplyWriter> writer_;
};

TEST_F(ReplyWriterTest, StoresEvery64Tokens) {
  Open();
  std::string written;
  for (int i = 1; i <= ReplyWriter::kCheckpointTokens; ++i) {
    writer_->OnText("x", false, i);
    written += "x";
  }
  const MessageRecord stored = Stored();
  EXPECT_EQ(stored.state, MessageState::kStreaming);
  EXPECT_EQ(stored.text, written);
}

TEST_F(ReplyWriterTest, SlowTextIsStoredPieceByPiece) {
  Open();
  for (int i = 1; i <= 3; ++i) {
    std::this_thread::sleep_for(ReplyWriter::kCheckpointInterval);
    writer_->OnText("piece ", false, i);
    std::string expected;
    for (int k = 0; k < i; ++k) expected += "piece ";
    EXPECT_EQ(Stored().text, expected);
  }
}

TEST_F(ReplyWriterTest, AContinuedReplyKeepsWhatItSaidInFront) {
  Open();
  record_.text = "One, ";
  record_.reasoning = "counting";
  ReplyWriter writer(*storage_, channel_, record_, 3);
  std::this_thread::sleep_for(ReplyWriter::kCheckpointInterval);
  writer.OnText("two.", false, 1);
  EXPECT_EQ(writer.text(), "One, two.");
  const MessageRecord stored = Stored();
  EXPECT_EQ(stored.text, "One, two.");
  EXPECT_EQ(stored.reasoning, "counting");
  const std::vector<ConversationEvent> events = channel_->Drain();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(std::get<ReplyText>(events[0]).text, "two.") << "only what is new";
}

TEST_F(ReplyWriterTest, ReasoningIsKeptApart) {
  Open();
  writer_->OnText("let me see", true, 1);
  std::this_thread::sleep_for(ReplyWriter::kCheckpointInterval);
  writer_->OnText("Yes.", false, 2);
  const MessageRecord stored = Stored();
  EXPECT_EQ(stored.text, "Yes.");
  EXPECT_EQ(stored.reasoning, "let me see");
  const std::vector<ConversationEvent> events = channel_->Drain();
  ASSERT_EQ(events.size(), 1u);
  const auto& text = std::get<ReplyText>(events[0]);
  EXPECT_EQ(text.reasoning, "let me see");
  EXPECT_EQ(text.text, "Yes.");
  EXPECT_EQ(text.context_tokens, 5);
}

TEST_F(ReplyWriterTest, AFullDiskIsToldAndAlsoThatItWorksAgain) {
  Open(FaultVfsName());
  PlanFault(FaultKind::kDiskFull, 1, true);
  std::this_thread::sleep_for(ReplyWriter::kCheckpointInterval);
  writer_->OnText("one", false, 1);
  EXPECT_EQ(Stored().text, "");
  ClearFaults();
  std::this_thread::sleep_for(ReplyWriter::kCheckpointInterval);
  writer_->OnText("two", false, 2);
  EXPECT_EQ(Stored().text, "onetwo");
  std::vector<bool> troubles;
  for (const ConversationEvent& event : channel_->Drain()) {
    if (const auto* trouble = std::get_if<StoreTrouble>(&event))
      troubles.push_back(trouble->error.has_value());
  }
  EXPECT_EQ(troubles, (std::vector<bool>{true, false}));
}

}  // namespace
}  // namespace paluku
