// Conversations and their messages, a tree per conversation. Each verb is one transaction: when it
// returns without an error, what it did survives a crash and a power cut.
//
// Owned by Storage, used on its thread only (inside a job). Errors of every verb, besides the ones
// named below: kDiskFull, kIo; kAlreadyOpen or kNewerSchema for a writing verb of a database opened
// read-only. After an error nothing of the verb was done, and the same call may be tried again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "engine/base/error.h"
#include "storage/clock.h"
#include "storage/records.h"

namespace SQLite {
class Statement;
}

namespace paluku {

class Database;
class FieldCodec;

// Every member of these requests has an initialiser, so that designated ones may leave any out.
struct NewConversation {
  std::string title{};
  std::string instruction{};
  std::string model{};
};

// A slice of a list, newest first.
struct Page {
  std::int64_t offset = 0;
  std::int64_t limit = 100;
};

struct TurnRequest {
  std::string conversation{};
  std::string parent{};  // message the new one answers; empty starts a new root
  std::string text{};    // of the user
  std::string model{};   // name of the model that will answer
};

// The two messages of a begun turn: complete user message, empty reply in kStreaming.
struct Turn {
  MessageRecord user;
  MessageRecord reply;
};

// How a reply ended. `state` is any but kStreaming.
struct ReplyEnd {
  MessageState state = MessageState::kComplete;
  std::string text{};
  std::optional<std::string> reasoning{};
  MessageStats stats{};
  std::optional<Error> error{};
};

class ConversationStore {
 public:
  ConversationStore(Database& database, const FieldCodec& codec, Clock clock);

  // --- Conversations. kNotFound: the id is unknown. ---

  Result<ConversationRecord> Create(const NewConversation& conversation);
  // A conversation marked as deleted is still found.
  Result<ConversationRecord> Get(const std::string& id);
  // Newest first by updated_ms, without those marked as deleted.
  Result<std::vector<ConversationRecord>> List(Page page = {});
  // Those that List() would give without a limit.
  Result<std::int64_t> Count();
  Status Rename(const std::string& id, const std::string& title);
  Status SetInstruction(const std::string& id, const std::string& instruction);
  Status SetModel(const std::string& id, const std::string& model);
  Status SetDraft(const std::string& id, const std::string& draft);

  // Hides the conversation; Restore brings it back until PurgeDeleted erases it, at the latest when
  // the storage closes.
  Status MarkDeleted(const std::string& id);
  Status Restore(const std::string& id);
  // Erases for good every conversation marked at or before `marked_until_ms`, its messages with
  // it, overwrites their bytes in the file and empties the write-ahead log. Returns how many.
  Result<std::int64_t> PurgeDeleted(std::int64_t marked_until_ms);

  // --- Messages. kNotFound: the message or conversation is unknown. ---

  // The whole tree in order of creation: a parent always stands before its children.
  Result<std::vector<MessageRecord>> Messages(const std::string& conversation);
  // The branch from its root to `leaf`, both included.
  Result<std::vector<MessageRecord>> Path(const std::string& leaf);
  Result<MessageRecord> Message(const std::string& id);
  // Messages of the conversation, all branches.
  Result<std::int64_t> CountMessages(const std::string& conversation);

  // Adds the user's message and an empty reply in kStreaming, moves the current leaf to the reply
  // and clears the draft, all at once. kInvalidArgument: the parent is of another conversation.
  Result<Turn> BeginTurn(const TurnRequest& request);
  // Adds another empty reply under an existing user message (regenerate, retry) and moves the
  // current leaf to it. kInvalidArgument: `user_message` is not a user's message.
  Result<MessageRecord> BeginReply(const std::string& user_message, const std::string& model);
  // Opens an ended reply again, to write on behind its text: it is kStreaming, without an error,
  // and the current leaf. kInvalidArgument: not a reply, still being written, or something follows
  // it.
  Result<MessageRecord> ContinueReply(const std::string& message);
  // Replaces the text so far of a reply in kStreaming. kNotFound also when it has ended already.
  Status Checkpoint(const std::string& message, const std::string& text,
                    const std::optional<std::string>& reasoning);
  // Ends a reply in kStreaming. kNotFound also when it has ended already.
  Status Finish(const std::string& message, const ReplyEnd& end);
  // Shows another branch. kInvalidArgument: the message is of another conversation.
  Status SetCurrentLeaf(const std::string& conversation, const std::string& message);

  // Turns the replies that an earlier run left in kStreaming into kInterrupted. Storage calls it at
  // the start and, after a failure (a full disk), again; until it succeeds they are given out as
  // interrupted all the same. Returns how many were turned.
  Result<std::int64_t> InterruptStreaming();

 private:
  // `message` with the state a person is to see.
  MessageRecord Shown(MessageRecord message) const;
  std::vector<MessageRecord> ReadAll(SQLite::Statement& row) const;

  Database& database_;
  const FieldCodec& codec_;
  Clock clock_;
  // Ids of the replies to interrupt; nullopt before the first InterruptStreaming().
  std::optional<std::unordered_set<std::string>> left_streaming_;
};

}  // namespace paluku
