// Every verb of ConversationStore, and that it survives closing.
#include "storage/conversation_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <numeric>

#include "tests/storage/storage_test_util.h"

namespace paluku {
namespace {

using testing::ElementsAre;

class ConversationStoreTest : public testing::Test {
 protected:
  void SetUp() override { Reopen(); }

  void Reopen() {
    storage_.reset();
    StorageOptions options;
    options.data_dir = dir_ / "data";
    options.clock = [this] { return now_ms_ += 10; };
    storage_ = Must(Storage::Open(options));
  }

  // Runs `job(ConversationStore&)` on the storage thread.
  template <class Job>
  auto With(Job job) {
    return Do(*storage_, [job](Stores& stores) { return job(stores.conversations); });
  }
  ConversationRecord NewConversationNamed(const std::string& title) {
    return Must(With([&](ConversationStore& s) { return s.Create({.title = title}); }));
  }
  ConversationRecord Get(const std::string& id) {
    return Must(With([&](ConversationStore& s) { return s.Get(id); }));
  }
  Turn Begin(const std::string& conversation, const std::string& parent, const std::string& text) {
    return Must(With([&](ConversationStore& s) {
      return s.BeginTurn(
          {.conversation = conversation, .parent = parent, .text = text, .model = "guide"});
    }));
  }
  void Finish(const std::string& message, const ReplyEnd& end) {
    Must(With([&](ConversationStore& s) { return s.Finish(message, end); }));
  }
  MessageRecord Message(const std::string& id) {
    return Must(With([&](ConversationStore& s) { return s.Message(id); }));
  }
  std::vector<std::string> Titles(Page page = {}) {
    std::vector<std::string> titles;
    for (const auto& record : Must(With([&](ConversationStore& s) { return s.List(page); }))) {
      titles.push_back(record.title);
    }
    return titles;
  }
  std::vector<std::string> Texts(const std::vector<MessageRecord>& messages) {
    std::vector<std::string> texts;
    for (const MessageRecord& message : messages) texts.push_back(message.text);
    return texts;
  }

  int FilesWith(const std::string& text) {
    int found = 0;
    for (const std::string& name : FileNames(dir_ / "data")) {
      found += ReadBytes(dir_ / "data" + "/" + name).find(text) != std::string::npos ? 1 : 0;
    }
    return found;
  }

  TempDir dir_;
  std::atomic<std::int64_t> now_ms_ = 1000;
  std::unique_ptr<Storage> storage_;
};

TEST_F(ConversationStoreTest, CreatesAndGetsEverythingBack) {
  const ConversationRecord made = Must(With([](ConversationStore& s) {
    return s.Create({.title = "పలుకు \"'--\n", .instruction = "Be short.", .model = "m1"});
  }));
  EXPECT_EQ(made.id.size(), 36U);
  Reopen();
  const ConversationRecord found = Get(made.id);
  EXPECT_EQ(found.title, "పలుకు \"'--\n");
  EXPECT_EQ(found.instruction, "Be short.");
  EXPECT_EQ(found.model, "m1");
  EXPECT_EQ(found.created_ms, made.created_ms);
  EXPECT_EQ(found.updated_ms, made.created_ms);
  EXPECT_EQ(found.current_leaf, "");
  EXPECT_EQ(found.draft, "");
  EXPECT_FALSE(found.deleted_ms.has_value());
}

TEST_F(ConversationStoreTest, KeepsTextWithZeroBytesAndNoText) {
  const std::string text("a\0b", 3);
  const ConversationRecord made = NewConversationNamed(text);
  EXPECT_EQ(Get(made.id).title, text);
  Must(With([&](ConversationStore& s) { return s.Rename(made.id, ""); }));
  EXPECT_EQ(Get(made.id).title, "");
}

TEST_F(ConversationStoreTest, ChangesSingleFieldsWithoutMovingTheConversation) {
  const ConversationRecord made = NewConversationNamed("first");
  Must(With([&](ConversationStore& s) { return s.Rename(made.id, "second"); }));
  Must(With([&](ConversationStore& s) { return s.SetInstruction(made.id, "instruction"); }));
  Must(With([&](ConversationStore& s) { return s.SetModel(made.id, "m2"); }));
  Must(With([&](ConversationStore& s) { return s.SetDraft(made.id, "half a sent"); }));
  const ConversationRecord found = Get(made.id);
  EXPECT_EQ(found.title, "second");
  EXPECT_EQ(found.instruction, "instruction");
  EXPECT_EQ(found.model, "m2");
  EXPECT_EQ(found.draft, "half a sent");
  EXPECT_EQ(found.updated_ms, made.updated_ms);
}

TEST_F(ConversationStoreTest, UnknownIdsAreNotFound) {
  const auto code = [this](auto job) {
    const auto result = With(job);
    return result ? ErrorCode::kInternal : result.error().code;
  };
  const std::string id = "00000000-0000-4000-8000-000000000000";
  EXPECT_EQ(code([&](ConversationStore& s) { return s.Get(id); }), ErrorCode::kNotFound);
  EXPECT_EQ(code([&](ConversationStore& s) { return s.Rename(id, "x"); }), ErrorCode::kNotFound);
  EXPECT_EQ(code([&](ConversationStore& s) { return s.MarkDeleted(id); }), ErrorCode::kNotFound);
  EXPECT_EQ(code([&](ConversationStore& s) { return s.Restore(id); }), ErrorCode::kNotFound);
  EXPECT_EQ(code([&](ConversationStore& s) { return s.SetModel(id, "m"); }), ErrorCode::kNotFound);
  EXPECT_EQ(code([&](ConversationStore& s) { return s.Messages(id); }), ErrorCode::kNotFound);
  EXPECT_EQ(code([&](ConversationStore& s) { return s.Path(id); }), ErrorCode::kNotFound);
  EXPECT_EQ(code([&](ConversationStore& s) { return s.Message(id); }), ErrorCode::kNotFound);
  EXPECT_EQ(code([&](ConversationStore& s) { return s.BeginTurn({.conversation = id}); }),
            ErrorCode::kNotFound);
  EXPECT_EQ(code([&](ConversationStore& s) { return s.BeginReply(id, "m"); }),
            ErrorCode::kNotFound);
  EXPECT_EQ(code([&](ConversationStore& s) { return s.Checkpoint(id, "t", std::nullopt); }),
            ErrorCode::kNotFound);
  EXPECT_EQ(code([&](ConversationStore& s) { return s.Finish(id, {}); }), ErrorCode::kNotFound);
}

TEST_F(ConversationStoreTest, ListsNewestFirstInPages) {
  const ConversationRecord a = NewConversationNamed("a");
  NewConversationNamed("b");
  NewConversationNamed("c");
  EXPECT_THAT(Titles(), ElementsAre("c", "b", "a"));
  Begin(a.id, "", "hello");
  EXPECT_THAT(Titles(), ElementsAre("a", "c", "b"));
  EXPECT_THAT(Titles({.offset = 1, .limit = 1}), ElementsAre("c"));
  EXPECT_THAT(Titles({.offset = 2, .limit = 10}), ElementsAre("b"));
  EXPECT_EQ(Must(With([](ConversationStore& s) { return s.Count(); })), 3);
}

TEST_F(ConversationStoreTest, EqualTimesListTheLaterCreatedFirst) {
  now_ms_ = 0;
  for (const char* title : {"a", "b", "c"}) {
    now_ms_ = 0;
    NewConversationNamed(title);
  }
  EXPECT_THAT(Titles(), ElementsAre("c", "b", "a"));
}

TEST_F(ConversationStoreTest, DeletionCanBeUndoneUntilItIsPurged) {
  const ConversationRecord kept = NewConversationNamed("kept");
  const ConversationRecord gone = NewConversationNamed("gone");
  const Turn turn = Begin(gone.id, "", "secret");
  Must(With([&](ConversationStore& s) { return s.MarkDeleted(gone.id); }));
  EXPECT_THAT(Titles(), ElementsAre("kept"));
  EXPECT_EQ(Must(With([](ConversationStore& s) { return s.Count(); })), 1);
  Must(With([&](ConversationStore& s) { return s.Restore(gone.id); }));
  EXPECT_THAT(Titles(), ElementsAre("gone", "kept"));

  Must(With([&](ConversationStore& s) { return s.MarkDeleted(gone.id); }));
  const std::int64_t marked = *Get(gone.id).deleted_ms;
  EXPECT_EQ(Must(With([&](ConversationStore& s) { return s.PurgeDeleted(marked - 1); })), 0);
  EXPECT_EQ(Must(With([&](ConversationStore& s) { return s.PurgeDeleted(marked); })), 1);
  const auto message = With([&](ConversationStore& s) { return s.Message(turn.user.id); });
  ASSERT_FALSE(message.has_value());
  EXPECT_EQ(message.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(Titles(), ElementsAre("kept"));
}

TEST_F(ConversationStoreTest, ClosingErasesWhatStayedMarked) {
  const std::string canary = "CANARY-19ac-not-undone";
  NewConversationNamed("kept");
  const ConversationRecord gone = NewConversationNamed(canary);
  Begin(gone.id, "", canary);
  Must(With([&](ConversationStore& s) { return s.MarkDeleted(gone.id); }));
  storage_.reset();
  EXPECT_EQ(FilesWith(canary), 0);
  Reopen();
  EXPECT_THAT(Titles(), ElementsAre("kept"));
}

TEST_F(ConversationStoreTest, TheNextStartErasesWhatACrashLeftMarked) {
  NewConversationNamed("kept");
  const ConversationRecord gone = NewConversationNamed("gone");
  storage_.reset();
  ExecuteSql(dir_ / "data/paluku.db",
             "UPDATE conversations SET deleted_ms = 1 WHERE id = '" + gone.id + "'");
  Reopen();
  const auto found = With([&](ConversationStore& s) { return s.Get(gone.id); });
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(Titles(), ElementsAre("kept"));
}

TEST_F(ConversationStoreTest, PurgedTextIsInNoFile) {
  const std::string canary = "CANARY-7d1f-erased-for-good";
  const ConversationRecord gone = NewConversationNamed(canary);
  const Turn turn = Begin(gone.id, "", canary);
  // Long enough to stand on overflow pages.
  std::string long_text;
  for (int i = 0; i < 2000; ++i) long_text += canary;
  Finish(turn.reply.id, {.text = long_text, .reasoning = canary});
  EXPECT_GT(FilesWith(canary), 0);  // without sealing, it is there before
  Must(With([&](ConversationStore& s) { return s.MarkDeleted(gone.id); }));
  EXPECT_EQ(Must(With([&](ConversationStore& s) { return s.PurgeDeleted(now_ms_ + 1000); })), 1);
  EXPECT_EQ(FilesWith(canary), 0);
}

TEST_F(ConversationStoreTest, BeginTurnAddsBothMessagesAndMovesTheLeaf) {
  const ConversationRecord made = NewConversationNamed("chat");
  Must(With([&](ConversationStore& s) { return s.SetDraft(made.id, "draft"); }));
  const Turn turn = Begin(made.id, "", "Hello?");
  EXPECT_EQ(turn.user.role, MessageRole::kUser);
  EXPECT_EQ(turn.user.state, MessageState::kComplete);
  EXPECT_EQ(turn.reply.role, MessageRole::kAssistant);
  EXPECT_EQ(turn.reply.state, MessageState::kStreaming);
  EXPECT_EQ(turn.reply.parent, turn.user.id);
  EXPECT_EQ(turn.reply.model, "guide");

  const auto messages = Must(With([&](ConversationStore& s) { return s.Messages(made.id); }));
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].id, turn.user.id);
  EXPECT_EQ(messages[0].text, "Hello?");
  EXPECT_EQ(messages[0].parent, "");
  EXPECT_EQ(messages[1].id, turn.reply.id);
  EXPECT_EQ(messages[1].text, "");
  EXPECT_FALSE(messages[1].reasoning.has_value());
  const ConversationRecord after = Get(made.id);
  EXPECT_EQ(after.current_leaf, turn.reply.id);
  EXPECT_EQ(after.draft, "");
  EXPECT_EQ(after.updated_ms, turn.user.created_ms);
  EXPECT_EQ(Must(With([&](ConversationStore& s) { return s.CountMessages(made.id); })), 2);
}

TEST_F(ConversationStoreTest, AFailedBeginTurnLeavesNothingBehind) {
  const ConversationRecord a = NewConversationNamed("a");
  const ConversationRecord b = NewConversationNamed("b");
  const Turn turn = Begin(a.id, "", "question");
  const auto foreign = With([&](ConversationStore& s) {
    return s.BeginTurn({.conversation = b.id, .parent = turn.reply.id, .text = "x"});
  });
  ASSERT_FALSE(foreign.has_value());
  EXPECT_EQ(foreign.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Must(With([&](ConversationStore& s) { return s.CountMessages(b.id); })), 0);
  EXPECT_EQ(Get(b.id).current_leaf, "");
}

TEST_F(ConversationStoreTest, CheckpointsThenFinishesWithStatsAndReasoning) {
  const ConversationRecord made = NewConversationNamed("chat");
  const Turn turn = Begin(made.id, "", "Why?");
  Must(With([&](ConversationStore& s) {
    return s.Checkpoint(turn.reply.id, "Be", std::optional<std::string>("Hm"));
  }));
  EXPECT_EQ(Message(turn.reply.id).text, "Be");
  EXPECT_EQ(Message(turn.reply.id).reasoning, "Hm");
  EXPECT_EQ(Message(turn.reply.id).state, MessageState::kStreaming);
  Finish(turn.reply.id,
         {.state = MessageState::kComplete,
          .text = "Because.",
          .reasoning = "Hmm.",
          .stats = {.token_count = 3, .tokens_per_second = 12.5, .first_token_ms = 80}});
  Reopen();
  const MessageRecord reply = Message(turn.reply.id);
  EXPECT_EQ(reply.text, "Because.");
  EXPECT_EQ(reply.reasoning, "Hmm.");
  EXPECT_EQ(reply.state, MessageState::kComplete);
  EXPECT_EQ(reply.stats.token_count, 3);
  EXPECT_EQ(reply.stats.tokens_per_second, 12.5);
  EXPECT_EQ(reply.stats.first_token_ms, 80);
  EXPECT_FALSE(reply.error.has_value());
  EXPECT_GT(Get(made.id).updated_ms, turn.user.created_ms);
}

TEST_F(ConversationStoreTest, AFailureIsKeptWithItsReason) {
  const ConversationRecord made = NewConversationNamed("chat");
  const Turn turn = Begin(made.id, "", "Why?");
  Finish(turn.reply.id, {.state = MessageState::kFailed,
                         .text = "Be",
                         .error = Error{ErrorCode::kOutOfMemory, "model.gguf", "12 GiB"}});
  Reopen();
  const MessageRecord reply = Message(turn.reply.id);
  EXPECT_EQ(reply.state, MessageState::kFailed);
  EXPECT_EQ(reply.text, "Be");
  ASSERT_TRUE(reply.error.has_value());
  EXPECT_EQ(reply.error->code, ErrorCode::kOutOfMemory);
  EXPECT_EQ(reply.error->subject, "model.gguf");
  EXPECT_EQ(reply.error->detail, "12 GiB");
}

TEST_F(ConversationStoreTest, NothingWritesToAReplyThatHasEnded) {
  const ConversationRecord made = NewConversationNamed("chat");
  const Turn turn = Begin(made.id, "", "Why?");
  Finish(turn.reply.id, {.state = MessageState::kStopped, .text = "final"});
  const auto late =
      With([&](ConversationStore& s) { return s.Checkpoint(turn.reply.id, "late", std::nullopt); });
  const auto again = With([&](ConversationStore& s) { return s.Finish(turn.reply.id, {}); });
  const auto user =
      With([&](ConversationStore& s) { return s.Checkpoint(turn.user.id, "late", std::nullopt); });
  ASSERT_FALSE(late.has_value() || again.has_value() || user.has_value());
  EXPECT_EQ(late.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(again.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(user.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Message(turn.reply.id).text, "final");
  EXPECT_EQ(Message(turn.user.id).text, "Why?");
}

TEST_F(ConversationStoreTest, AReplyCannotEndAsStreaming) {
  const ConversationRecord made = NewConversationNamed("chat");
  const Turn turn = Begin(made.id, "", "Why?");
  const auto ended = With([&](ConversationStore& s) {
    return s.Finish(turn.reply.id, {.state = MessageState::kStreaming});
  });
  ASSERT_FALSE(ended.has_value());
  EXPECT_EQ(ended.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(ConversationStoreTest, BranchesShareTheirBeginning) {
  const ConversationRecord made = NewConversationNamed("chat");
  const Turn first = Begin(made.id, "", "q1");
  Finish(first.reply.id, {.text = "a1"});
  const Turn second = Begin(made.id, first.reply.id, "q2");
  Finish(second.reply.id, {.text = "a2"});
  const MessageRecord retry =
      Must(With([&](ConversationStore& s) { return s.BeginReply(second.user.id, "other model"); }));
  EXPECT_EQ(retry.parent, second.user.id);
  EXPECT_EQ(retry.model, "other model");
  EXPECT_EQ(retry.state, MessageState::kStreaming);
  EXPECT_EQ(Get(made.id).current_leaf, retry.id);
  Finish(retry.id, {.text = "a2 again"});

  const auto path = [&](const std::string& leaf) {
    return Texts(Must(With([&](ConversationStore& s) { return s.Path(leaf); })));
  };
  EXPECT_THAT(path(retry.id), ElementsAre("q1", "a1", "q2", "a2 again"));
  EXPECT_THAT(path(second.reply.id), ElementsAre("q1", "a1", "q2", "a2"));
  EXPECT_THAT(path(first.user.id), ElementsAre("q1"));
  EXPECT_THAT(Texts(Must(With([&](ConversationStore& s) { return s.Messages(made.id); }))),
              ElementsAre("q1", "a1", "q2", "a2", "a2 again"));
  Must(With([&](ConversationStore& s) { return s.SetCurrentLeaf(made.id, second.reply.id); }));
  EXPECT_EQ(Get(made.id).current_leaf, second.reply.id);
}

TEST_F(ConversationStoreTest, AnEndedReplyCanBeWrittenOn) {
  const ConversationRecord made = NewConversationNamed("chat");
  const Turn turn = Begin(made.id, "", "q");
  const auto proceed = [&] {
    return With([&](ConversationStore& s) { return s.ContinueReply(turn.reply.id); });
  };
  EXPECT_EQ(proceed().error().code, ErrorCode::kInvalidArgument) << "it is being written";
  Finish(turn.reply.id, {.state = MessageState::kFailed,
                         .text = "half",
                         .stats = {.token_count = 3},
                         .error = Error{ErrorCode::kDeviceFailed, "GPU", "lost"}});
  const MessageRecord open = Must(proceed());
  EXPECT_EQ(open.id, turn.reply.id);
  EXPECT_EQ(open.state, MessageState::kStreaming);
  EXPECT_EQ(open.text, "half");
  EXPECT_EQ(open.stats.token_count, 3);
  EXPECT_FALSE(open.error);
  EXPECT_EQ(Get(made.id).current_leaf, turn.reply.id);
  Finish(turn.reply.id, {.text = "half and whole"});
  const MessageRecord whole =
      Must(With([&](ConversationStore& s) { return s.Message(turn.reply.id); }));
  EXPECT_EQ(whole.text, "half and whole");
  EXPECT_FALSE(whole.error);
  Begin(made.id, turn.reply.id, "next");
  EXPECT_EQ(proceed().error().code, ErrorCode::kInvalidArgument) << "something follows it";
  const auto user = With([&](ConversationStore& s) { return s.ContinueReply(turn.user.id); });
  EXPECT_EQ(user.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(ConversationStoreTest, OnlyAUsersMessageIsAnswered) {
  const ConversationRecord made = NewConversationNamed("chat");
  const Turn turn = Begin(made.id, "", "q");
  const auto reply = With([&](ConversationStore& s) { return s.BeginReply(turn.reply.id, "m"); });
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(ConversationStoreTest, TheCurrentLeafIsOfTheSameConversation) {
  const ConversationRecord a = NewConversationNamed("a");
  const ConversationRecord b = NewConversationNamed("b");
  const Turn turn = Begin(a.id, "", "q");
  const auto moved =
      With([&](ConversationStore& s) { return s.SetCurrentLeaf(b.id, turn.user.id); });
  ASSERT_FALSE(moved.has_value());
  EXPECT_EQ(moved.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(ConversationStoreTest, AReplyCutByTheEndOfTheProgramIsInterrupted) {
  const ConversationRecord made = NewConversationNamed("chat");
  const Turn done = Begin(made.id, "", "q1");
  Finish(done.reply.id, {.text = "a1"});
  const Turn cut = Begin(made.id, done.reply.id, "q2");
  Must(With(
      [&](ConversationStore& s) { return s.Checkpoint(cut.reply.id, "so far", std::nullopt); }));
  Reopen();
  EXPECT_EQ(Message(cut.reply.id).state, MessageState::kInterrupted);
  EXPECT_EQ(Message(cut.reply.id).text, "so far");
  EXPECT_EQ(Message(done.reply.id).state, MessageState::kComplete);
  EXPECT_EQ(Get(made.id).current_leaf, cut.reply.id);
}

// SQLite limits nested deletions to 1000 levels; a chain may be longer.
TEST_F(ConversationStoreTest, ALongChainIsReadAndPurgedWhole) {
  const ConversationRecord made = NewConversationNamed("long");
  std::string leaf;
  for (int i = 0; i < 600; ++i) {
    const Turn turn = Begin(made.id, leaf, "q" + std::to_string(i));
    leaf = turn.reply.id;
  }
  EXPECT_EQ(Must(With([&](ConversationStore& s) { return s.Path(leaf); })).size(), 1200U);
  Must(With([&](ConversationStore& s) { return s.MarkDeleted(made.id); }));
  EXPECT_EQ(Must(With([&](ConversationStore& s) { return s.PurgeDeleted(now_ms_ + 1); })), 1);
  const auto found = With([&](ConversationStore& s) { return s.Message(leaf); });
  EXPECT_FALSE(found.has_value());
}

TEST_F(ConversationStoreTest, ATextBeyondTheLimitIsRefusedAndNothingElseHurt) {
  const ConversationRecord made = NewConversationNamed("chat");
  const auto turn = With([&](ConversationStore& s) {
    return s.BeginTurn({.conversation = made.id, .text = std::string((64U << 20) + 1, 'x')});
  });
  ASSERT_FALSE(turn.has_value());
  EXPECT_EQ(turn.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Must(With([&](ConversationStore& s) { return s.CountMessages(made.id); })), 0);
  Begin(made.id, "", "short");
}

}  // namespace
}  // namespace paluku
