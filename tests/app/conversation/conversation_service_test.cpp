// The service with the real engine, the real database and the model that ships.
#include "app/conversation/conversation_service.h"

#include <gtest/gtest.h>

#include "tests/app/conversation/listener.h"
#include "tests/storage/fault_vfs.h"
#include "tests/storage/storage_test_util.h"

namespace paluku {
namespace {

const std::string kStarter = PALUKU_SOURCE_DIR "/resources/starter/paluku-starter.gguf";

class ConversationServiceTest : public ::testing::Test {
 protected:
  void Start(const std::string& backend = "cpu", const std::string& vfs = {}) {
    storage_ = Must(Storage::Open({.data_dir = dir_.path(),
                                   .access = StorageAccess::kWrite,
                                   .clock = SystemNowMs,
                                   .vfs = vfs}));
    service_ = Must(ConversationService::Create(*storage_, {.backend = backend, .threads = 1},
                                                [listener = listener_] { listener->Wake(); }));
  }
  void StartWithModel(const std::string& backend = "cpu", const LoadOptions& options = {},
                      const std::string& vfs = {}) {
    Start(backend, vfs);
    service_->LoadModel(kStarter, options);
    listener_->Await<ModelReady>(*service_);
  }
  void TearDown() override {
    ClearFaults();
    service_.reset();
    storage_.reset();
  }

  static AnswerOptions Greedy(int max_tokens = 0) {
    AnswerOptions options{.sampling = {}, .max_tokens = max_tokens, .instruction = {}};
    options.sampling.temperature = 0;
    return options;
  }
  RequestId Send(const std::string& text, const std::string& conversation = {},
                 int max_tokens = 0) {
    return service_->Send(
        {.conversation = conversation, .parent = {}, .text = text, .options = Greedy(max_tokens)});
  }
  MessageRecord Message(const std::string& id) {
    return Must(Do(*storage_, [&](Stores& stores) { return stores.conversations.Message(id); }));
  }

  TempDir dir_;
  std::unique_ptr<Storage> storage_;
  std::shared_ptr<Listener> listener_ = std::make_shared<Listener>();
  std::unique_ptr<ConversationService> service_;
};

TEST_F(ConversationServiceTest, AnswersAndStoresWhatItSaid) {
  StartWithModel();
  const RequestId request = Send("What is Paluku?");
  const TurnStored stored = listener_->Await<TurnStored>(*service_);
  EXPECT_EQ(stored.request, request);
  EXPECT_TRUE(stored.new_conversation);
  EXPECT_EQ(stored.conversation.title, "What is Paluku?");
  EXPECT_EQ(Message(stored.user.id).text, "What is Paluku?");

  const ReplyFinished end = listener_->Await<ReplyFinished>(*service_);
  EXPECT_EQ(end.request, request);
  EXPECT_EQ(end.message, stored.reply.id);
  EXPECT_EQ(end.state, MessageState::kComplete);
  EXPECT_FALSE(end.unsaved);
  EXPECT_GT(end.context_tokens, end.stats.token_count);
  const MessageRecord reply = Message(stored.reply.id);
  EXPECT_EQ(reply.state, MessageState::kComplete);
  EXPECT_FALSE(reply.text.empty());
  EXPECT_EQ(reply.text, listener_->Text(stored.reply.id));
  EXPECT_EQ(reply.stats.token_count, end.stats.token_count);
}

TEST_F(ConversationServiceTest, TheNextTurnFollowsTheShownBranch) {
  StartWithModel();
  Send("Hello");
  const TurnStored first = listener_->Await<TurnStored>(*service_);
  listener_->Await<ReplyFinished>(*service_);
  Send("What is MLA?", first.conversation.id);
  const TurnStored second = listener_->Await<TurnStored>(*service_);
  EXPECT_FALSE(second.new_conversation);
  EXPECT_EQ(second.user.parent, first.reply.id);
  const ReplyFinished end = listener_->Await<ReplyFinished>(*service_);

  service_->CountContext(first.conversation.id, {});
  const ContextCounted counted = listener_->Await<ContextCounted>(*service_);
  // What the engine counted while answering, give or take the tokens between turns.
  EXPECT_NEAR(counted.tokens, end.context_tokens, 8);
}

TEST_F(ConversationServiceTest, RegenerateAddsAnotherReply) {
  StartWithModel();
  Send("Hello");
  const TurnStored first = listener_->Await<TurnStored>(*service_);
  listener_->Await<ReplyFinished>(*service_);
  service_->Regenerate({.user_message = first.user.id, .options = Greedy()});
  const TurnStored again = listener_->Await<TurnStored>(*service_);
  EXPECT_EQ(again.user.id, first.user.id);
  EXPECT_NE(again.reply.id, first.reply.id);
  EXPECT_EQ(again.reply.parent, first.user.id);
  listener_->Await<ReplyFinished>(*service_);
  EXPECT_EQ(Message(again.reply.id).text, Message(first.reply.id).text);  // greedy
}

// Greedy and cut at a token: what follows must be what would have followed.
TEST_F(ConversationServiceTest, AContinuedReplyGoesOnWhereItEnded) {
  StartWithModel();
  Send("What is Paluku?");
  const TurnStored whole = listener_->Await<TurnStored>(*service_);
  const ReplyFinished end = listener_->Await<ReplyFinished>(*service_);
  Send("What is Paluku?", {}, 6);
  const TurnStored cut = listener_->Await<TurnStored>(*service_);
  EXPECT_EQ(listener_->Await<ReplyFinished>(*service_).state, MessageState::kLength);
  const std::string half = Message(cut.reply.id).text;
  ASSERT_LT(half.size(), Message(whole.reply.id).text.size());

  const RequestId request = service_->Continue({.reply = cut.reply.id, .options = Greedy()});
  const TurnStored again = listener_->Await<TurnStored>(*service_);
  EXPECT_EQ(again.request, request);
  EXPECT_EQ(again.user.id, cut.user.id);
  EXPECT_EQ(again.reply.id, cut.reply.id);
  EXPECT_EQ(again.reply.text, half);
  const ReplyFinished finished = listener_->Await<ReplyFinished>(*service_);
  EXPECT_EQ(finished.state, MessageState::kComplete);
  EXPECT_EQ(finished.stats.token_count, end.stats.token_count);
  EXPECT_EQ(finished.context_tokens, end.context_tokens);
  EXPECT_EQ(Message(cut.reply.id).text, Message(whole.reply.id).text);
  EXPECT_EQ(Message(cut.reply.id).text, listener_->Text(cut.reply.id));
}

TEST_F(ConversationServiceTest, WhatCannotBeContinuedIsRefused) {
  StartWithModel();
  Send("Hello");
  const TurnStored stored = listener_->Await<TurnStored>(*service_);
  listener_->Await<ReplyFinished>(*service_);
  service_->Continue({.reply = stored.user.id, .options = Greedy()});
  EXPECT_EQ(listener_->Await<TurnRefused>(*service_).error.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Message(stored.reply.id).state, MessageState::kComplete);
}

TEST_F(ConversationServiceTest, WithoutAModelNothingIsStored) {
  Start();
  Send("Hello");
  EXPECT_EQ(listener_->Await<TurnRefused>(*service_).error.code, ErrorCode::kNoModel);
  EXPECT_EQ(Must(Do(*storage_, [](Stores& stores) { return stores.conversations.Count(); })), 0);
}

TEST_F(ConversationServiceTest, AModelThatDoesNotLoadSaysWhy) {
  Start();
  service_->LoadModel(dir_ / "missing.gguf", {});
  EXPECT_EQ(listener_->Await<ModelFailed>(*service_).error.code, ErrorCode::kFileNotFound);
  Send("Hello");
  EXPECT_EQ(listener_->Await<TurnRefused>(*service_).error.code, ErrorCode::kFileNotFound);
}

TEST_F(ConversationServiceTest, AMessageWaitsForTheModel) {
  Start();
  service_->LoadModel(kStarter, {});
  Send("Hello");
  listener_->Await<ModelReady>(*service_);
  EXPECT_EQ(listener_->Await<ReplyFinished>(*service_).state, MessageState::kComplete);
}

TEST_F(ConversationServiceTest, StopKeepsWhatWasWritten) {
  StartWithModel("reference");
  const RequestId request = Send("How do I add a model file?");
  const ReplyText text = listener_->Await<ReplyText>(*service_);
  service_->Stop(request);
  const ReplyFinished end = listener_->Await<ReplyFinished>(*service_);
  EXPECT_EQ(end.state, MessageState::kStopped);
  EXPECT_EQ(Message(text.message).state, MessageState::kStopped);
  EXPECT_EQ(Message(text.message).text, listener_->Text(text.message));
}

TEST_F(ConversationServiceTest, AMessageStoppedWhileItWaitsIsNotStored) {
  StartWithModel("reference");
  const RequestId first = Send("How do I add a model file?");
  const RequestId second = Send("Hello");
  service_->Stop(second);
  listener_->Await<ReplyText>(*service_);
  service_->Stop(first);
  const TurnRefused refused = listener_->Await<TurnRefused>(*service_);
  EXPECT_EQ(refused.request, second);
  EXPECT_EQ(refused.error.code, ErrorCode::kCancelled);
}

TEST_F(ConversationServiceTest, ClosingMarksTheReplyAsInterrupted) {
  StartWithModel("reference");
  Send("How do I add a model file?");
  const ReplyText text = listener_->Await<ReplyText>(*service_);
  service_.reset();
  EXPECT_EQ(Message(text.message).state, MessageState::kInterrupted);
  EXPECT_FALSE(Message(text.message).text.empty());
}

TEST_F(ConversationServiceTest, ReplacingTheModelStopsTheReply) {
  StartWithModel("reference");
  Send("How do I add a model file?");
  listener_->Await<ReplyText>(*service_);
  service_->LoadModel(kStarter, {});
  EXPECT_EQ(listener_->Await<ReplyFinished>(*service_).state, MessageState::kStopped);
  listener_->Await<ModelReady>(*service_);
}

TEST_F(ConversationServiceTest, ReconfigureLoadsTheModelAgain) {
  StartWithModel();
  service_->Reconfigure({.backend = "cpu", .threads = 2});
  listener_->Await<ModelReady>(*service_);
  Send("Hello");
  EXPECT_EQ(listener_->Await<ReplyFinished>(*service_).state, MessageState::kComplete);
}

TEST_F(ConversationServiceTest, ReconfigureDuringALoadLoadsAllTheSame) {
  Start();
  service_->LoadModel(kStarter, {});
  service_->Reconfigure({.backend = "cpu", .threads = 1});
  service_->Reconfigure({.backend = "cpu", .threads = 2});
  listener_->Await<ModelReady>(*service_);
}

TEST_F(ConversationServiceTest, ALimitOfTokensIsTold) {
  StartWithModel();
  Send("What is Paluku?", {}, 2);
  const ReplyFinished end = listener_->Await<ReplyFinished>(*service_);
  EXPECT_EQ(end.state, MessageState::kLength);
  EXPECT_FALSE(end.error) << "the context has room";
  EXPECT_EQ(end.stats.token_count, 2);
}

TEST_F(ConversationServiceTest, AContextThatFillsUpIsTold) {
  LoadOptions small;
  small.context_tokens = 32;
  StartWithModel("cpu", small);
  Send("What is Paluku?");
  const TurnStored stored = listener_->Await<TurnStored>(*service_);
  const ReplyFinished end = listener_->Await<ReplyFinished>(*service_);
  EXPECT_EQ(end.state, MessageState::kLength);
  ASSERT_TRUE(end.error);
  EXPECT_EQ(end.error->code, ErrorCode::kContextFull);
  EXPECT_EQ(Message(stored.reply.id).error->code, ErrorCode::kContextFull);
}

TEST_F(ConversationServiceTest, AFullContextIsAnErrorOfTheReplyAndKeepsTheMessage) {
  LoadOptions small;
  small.context_tokens = 64;
  StartWithModel("cpu", small);
  std::string text;
  for (int i = 0; i < 200; ++i) text += "word ";
  Send(text);
  const TurnStored stored = listener_->Await<TurnStored>(*service_);
  const ReplyFinished end = listener_->Await<ReplyFinished>(*service_);
  EXPECT_EQ(end.state, MessageState::kFailed);
  ASSERT_TRUE(end.error);
  EXPECT_EQ(end.error->code, ErrorCode::kContextFull);
  EXPECT_EQ(Message(stored.user.id).text, text);
  EXPECT_EQ(Message(stored.reply.id).state, MessageState::kFailed);
}

TEST_F(ConversationServiceTest, AFullDiskRefusesTheTurnAndLosesNothing) {
  StartWithModel("cpu", {}, FaultVfsName());
  Send("Hello");
  listener_->Await<ReplyFinished>(*service_);
  PlanFault(FaultKind::kDiskFull, 1, true);
  Send("Is anybody there?");
  EXPECT_EQ(listener_->Await<TurnRefused>(*service_).error.code, ErrorCode::kDiskFull);
  ClearFaults();
  Send("Hello again");
  EXPECT_EQ(listener_->Await<ReplyFinished>(*service_).state, MessageState::kComplete);
}

TEST_F(ConversationServiceTest, AReplyThatCouldNotBeSavedIsSavedLater) {
  StartWithModel("reference", {}, FaultVfsName());
  const RequestId request = Send("How do I add a model file?");
  const ReplyText text = listener_->Await<ReplyText>(*service_);
  PlanFault(FaultKind::kDiskFull, 1, true);
  service_->Stop(request);
  const ReplyFinished end = listener_->Await<ReplyFinished>(*service_);
  ASSERT_TRUE(end.unsaved);
  EXPECT_EQ(end.unsaved->code, ErrorCode::kDiskFull);
  ClearFaults();
  listener_->Await<StoreTrouble>(*service_,
                                 [](const StoreTrouble& trouble) { return !trouble.error; });
  EXPECT_EQ(Message(text.message).state, MessageState::kStopped);
  EXPECT_EQ(Message(text.message).text, listener_->Text(text.message));
}

TEST_F(ConversationServiceTest, AnUnknownBackendIsAnError) {
  storage_ = MustOpen(dir_.path());
  EXPECT_FALSE(ConversationService::Create(*storage_, {.backend = "abacus", .threads = 0}, [] {}));
}

}  // namespace
}  // namespace paluku
