// The verbs of ConversationStore that read and write messages.
#include <utility>

#include "storage/conversation_store.h"
#include "storage/database.h"
#include "storage/sealed_column.h"
#include "storage/uuid.h"

namespace paluku {
namespace {

constexpr const char* kColumns =
    "m.id, m.conversation, m.parent, m.role, m.state, m.text, m.reasoning, m.model, m.created_ms, "
    "m.token_count, m.tokens_per_second, m.first_token_ms, m.error_code, m.error_subject, "
    "m.error_detail";

FieldPlace PlaceOf(const MessageRecord& message, Field field) {
  return {field, message.conversation, message.id};
}

// The numbers are ours, but a newer program may have written others: those are shown as the most
// harmless meaning there is.
MessageRole RoleFrom(int number) {
  return number >= 1 && number <= 3 ? static_cast<MessageRole>(number) : MessageRole::kSystem;
}
MessageState StateFrom(int number) {
  return number >= 1 && number <= 6 ? static_cast<MessageState>(number) : MessageState::kComplete;
}

std::optional<Error> ReadError(SQLite::Statement& row, const FieldCodec& codec,
                               const MessageRecord& message) {
  if (row.isColumnNull(12)) return std::nullopt;
  const int code = row.getColumn(12).getInt();
  const bool known = code >= 0 && code <= static_cast<int>(ErrorCode::kInternal);
  Error error;
  error.code = known ? static_cast<ErrorCode>(code) : ErrorCode::kInternal;
  error.subject =
      OpenSealed(row.getColumn(13), codec, PlaceOf(message, Field::kErrorSubject)).value_or("");
  error.detail =
      OpenSealed(row.getColumn(14), codec, PlaceOf(message, Field::kErrorDetail)).value_or("");
  return error;
}

// A text that does not open is given as empty with the reason in `error`: damage in one row hides
// no other.
MessageRecord ReadMessage(SQLite::Statement& row, const FieldCodec& codec) {
  MessageRecord message;
  message.id = row.getColumn(0).getString();
  message.conversation = row.getColumn(1).getString();
  message.parent = row.getColumn(2).getString();
  message.role = RoleFrom(row.getColumn(3).getInt());
  message.state = StateFrom(row.getColumn(4).getInt());
  message.model = row.getColumn(7).getString();
  message.created_ms = row.getColumn(8).getInt64();
  message.stats.token_count = row.getColumn(9).getInt64();
  message.stats.tokens_per_second = row.getColumn(10).getDouble();
  message.stats.first_token_ms = row.getColumn(11).getInt64();
  message.error = ReadError(row, codec, message);
  Result<std::string> text = OpenSealed(row.getColumn(5), codec, PlaceOf(message, Field::kText));
  if (text) {
    message.text = std::move(*text);
  } else {
    message.error = text.error();
  }
  if (!row.isColumnNull(6)) {
    message.reasoning =
        OpenSealed(row.getColumn(6), codec, PlaceOf(message, Field::kReasoning)).value_or("");
  }
  return message;
}

Result<MessageRecord> Find(SQLite::Database& connection, const FieldCodec& codec,
                           const std::string& id) {
  SQLite::Statement row(connection,
                        std::string("SELECT ") + kColumns + " FROM messages AS m WHERE m.id = ?");
  row.bind(1, id);
  if (!row.executeStep()) return Fail(ErrorCode::kNotFound, id);
  return ReadMessage(row, codec);
}

void BindOptionalId(SQLite::Statement& statement, int index, const std::string& id) {
  if (id.empty()) {
    statement.bind(index);
  } else {
    statement.bind(index, id);
  }
}

void Insert(SQLite::Database& connection, const FieldCodec& codec, const MessageRecord& message) {
  SQLite::Statement insert(
      connection,
      "INSERT INTO messages (id, conversation, parent, role, state, text, model, created_ms, "
      "token_count, tokens_per_second, first_token_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0)");
  insert.bind(1, message.id);
  insert.bind(2, message.conversation);
  BindOptionalId(insert, 3, message.parent);
  insert.bind(4, static_cast<int>(message.role));
  insert.bind(5, static_cast<int>(message.state));
  BindSealed(insert, 6, codec, PlaceOf(message, Field::kText), message.text);
  insert.bind(7, message.model);
  insert.bind(8, message.created_ms);
  insert.exec();
}

MessageRecord NewReply(const std::string& conversation, const std::string& parent,
                       const std::string& model, std::int64_t now_ms) {
  MessageRecord reply;
  reply.id = NewUuid();
  reply.conversation = conversation;
  reply.parent = parent;
  reply.role = MessageRole::kAssistant;
  reply.state = MessageState::kStreaming;
  reply.model = model;
  reply.created_ms = now_ms;
  return reply;
}

Status MoveLeaf(SQLite::Database& connection, const MessageRecord& leaf, std::int64_t now_ms) {
  SQLite::Statement update(
      connection, "UPDATE conversations SET current_leaf = ?, updated_ms = ? WHERE id = ?");
  update.bind(1, leaf.id);
  update.bind(2, now_ms);
  update.bind(3, leaf.conversation);
  if (update.exec() == 0) return Fail(ErrorCode::kNotFound, leaf.conversation);
  return {};
}

// The message `id`, refused when it is of another conversation.
Result<MessageRecord> FindIn(SQLite::Database& connection, const FieldCodec& codec,
                             const std::string& conversation, const std::string& id) {
  PALUKU_ASSIGN_OR_RETURN(MessageRecord message, Find(connection, codec, id));
  if (message.conversation != conversation) {
    return Fail(ErrorCode::kInvalidArgument, id, "the message is of another conversation");
  }
  return message;
}

void BindReasoning(SQLite::Statement& statement, int index, const FieldCodec& codec,
                   const MessageRecord& message, const std::optional<std::string>& reasoning) {
  if (reasoning) {
    BindSealed(statement, index, codec, PlaceOf(message, Field::kReasoning), *reasoning);
  } else {
    statement.bind(index);
  }
}

void BindError(SQLite::Statement& statement, int index, const FieldCodec& codec,
               const MessageRecord& message, const std::optional<Error>& error) {
  if (!error) return;  // an unbound parameter is NULL
  statement.bind(index, static_cast<int>(error->code));
  BindSealed(statement, index + 1, codec, PlaceOf(message, Field::kErrorSubject), error->subject);
  BindSealed(statement, index + 2, codec, PlaceOf(message, Field::kErrorDetail), error->detail);
}

// The reply `id`, refused when it is not being written.
Result<MessageRecord> FindStreaming(SQLite::Database& connection, const FieldCodec& codec,
                                    const std::string& id) {
  PALUKU_ASSIGN_OR_RETURN(MessageRecord message, Find(connection, codec, id));
  if (message.state != MessageState::kStreaming) return Fail(ErrorCode::kNotFound, id);
  return message;
}

Result<std::unordered_set<std::string>> FindAllStreaming(Database& database) {
  using Ids = std::unordered_set<std::string>;
  return database.Read([](SQLite::Database& connection) -> Result<Ids> {
    SQLite::Statement row(connection, "SELECT id FROM messages WHERE state = ?");
    row.bind(1, static_cast<int>(MessageState::kStreaming));
    Ids ids;
    while (row.executeStep()) ids.insert(row.getColumn(0).getString());
    return ids;
  });
}

}  // namespace

MessageRecord ConversationStore::Shown(MessageRecord message) const {
  const bool left = left_streaming_ && left_streaming_->contains(message.id);
  if (left) message.state = MessageState::kInterrupted;
  return message;
}

std::vector<MessageRecord> ConversationStore::ReadAll(SQLite::Statement& row) const {
  std::vector<MessageRecord> messages;
  while (row.executeStep()) messages.push_back(Shown(ReadMessage(row, codec_)));
  return messages;
}

Result<std::vector<MessageRecord>> ConversationStore::Messages(const std::string& conversation) {
  using Records = std::vector<MessageRecord>;
  return database_.Read([&](SQLite::Database& connection) -> Result<Records> {
    SQLite::Statement known(connection, "SELECT 1 FROM conversations WHERE id = ?");
    known.bind(1, conversation);
    if (!known.executeStep()) return Fail(ErrorCode::kNotFound, conversation);
    SQLite::Statement row(connection, std::string("SELECT ") + kColumns +
                                          " FROM messages AS m WHERE m.conversation = ? "
                                          "ORDER BY m.seq");
    row.bind(1, conversation);
    return ReadAll(row);
  });
}

Result<std::vector<MessageRecord>> ConversationStore::Path(const std::string& leaf) {
  using Records = std::vector<MessageRecord>;
  return database_.Read([&](SQLite::Database& connection) -> Result<Records> {
    SQLite::Statement row(
        connection,
        std::string("WITH RECURSIVE branch (id, parent) AS (SELECT id, parent FROM messages "
                    "WHERE id = ? UNION SELECT up.id, up.parent FROM messages AS up JOIN branch "
                    "ON up.id = branch.parent) SELECT ") +
            kColumns + " FROM branch JOIN messages AS m ON m.id = branch.id ORDER BY m.seq");
    row.bind(1, leaf);
    Records messages = ReadAll(row);
    if (messages.empty()) return Fail(ErrorCode::kNotFound, leaf);
    return messages;
  });
}

Result<MessageRecord> ConversationStore::Message(const std::string& id) {
  return database_.Read([&](SQLite::Database& connection) -> Result<MessageRecord> {
    PALUKU_ASSIGN_OR_RETURN(MessageRecord message, Find(connection, codec_, id));
    return Shown(std::move(message));
  });
}

Result<std::int64_t> ConversationStore::CountMessages(const std::string& conversation) {
  return database_.Read([&](SQLite::Database& connection) -> Result<std::int64_t> {
    SQLite::Statement count(connection, "SELECT count(*) FROM messages WHERE conversation = ?");
    count.bind(1, conversation);
    count.executeStep();
    return count.getColumn(0).getInt64();
  });
}

Result<Turn> ConversationStore::BeginTurn(const TurnRequest& request) {
  Turn turn;
  turn.user.id = NewUuid();
  turn.user.conversation = request.conversation;
  turn.user.parent = request.parent;
  turn.user.text = request.text;
  turn.user.created_ms = clock_();
  turn.reply = NewReply(request.conversation, turn.user.id, request.model, turn.user.created_ms);
  return database_.Write([&](SQLite::Database& connection) -> Result<Turn> {
    if (!request.parent.empty()) {
      PALUKU_TRY(FindIn(connection, codec_, request.conversation, request.parent));
    }
    PALUKU_TRY(MoveLeaf(connection, turn.reply, turn.reply.created_ms));
    Insert(connection, codec_, turn.user);
    Insert(connection, codec_, turn.reply);
    SQLite::Statement draft(connection, "UPDATE conversations SET draft = ? WHERE id = ?");
    const std::string& id = request.conversation;
    BindSealed(draft, 1, codec_, {Field::kDraft, id, id}, "");
    draft.bind(2, id);
    draft.exec();
    return turn;
  });
}

Result<MessageRecord> ConversationStore::BeginReply(const std::string& user_message,
                                                    const std::string& model) {
  return database_.Write([&](SQLite::Database& connection) -> Result<MessageRecord> {
    PALUKU_ASSIGN_OR_RETURN(const MessageRecord user, Find(connection, codec_, user_message));
    if (user.role != MessageRole::kUser) {
      return Fail(ErrorCode::kInvalidArgument, user_message, "only a user's message is answered");
    }
    MessageRecord reply = NewReply(user.conversation, user.id, model, clock_());
    PALUKU_TRY(MoveLeaf(connection, reply, reply.created_ms));
    Insert(connection, codec_, reply);
    return reply;
  });
}

Result<MessageRecord> ConversationStore::ContinueReply(const std::string& message) {
  return database_.Write([&](SQLite::Database& connection) -> Result<MessageRecord> {
    PALUKU_ASSIGN_OR_RETURN(MessageRecord reply, Find(connection, codec_, message));
    SQLite::Statement children(connection, "SELECT 1 FROM messages WHERE parent = ? LIMIT 1");
    children.bind(1, message);
    const bool ended = reply.state != MessageState::kStreaming;
    if (reply.role != MessageRole::kAssistant || !ended || children.executeStep()) {
      return Fail(ErrorCode::kInvalidArgument, message, "only a last reply can be continued");
    }
    PALUKU_TRY(MoveLeaf(connection, reply, clock_()));
    SQLite::Statement update(connection,
                             "UPDATE messages SET state = ?, error_code = NULL, error_subject = "
                             "NULL, error_detail = NULL WHERE id = ?");
    update.bind(1, static_cast<int>(MessageState::kStreaming));
    update.bind(2, message);
    update.exec();
    reply.state = MessageState::kStreaming;
    reply.error.reset();
    return reply;
  });
}

Status ConversationStore::Checkpoint(const std::string& message, const std::string& text,
                                     const std::optional<std::string>& reasoning) {
  return database_.Write([&](SQLite::Database& connection) -> Status {
    PALUKU_ASSIGN_OR_RETURN(const MessageRecord reply, FindStreaming(connection, codec_, message));
    SQLite::Statement update(connection,
                             "UPDATE messages SET text = ?, reasoning = ? WHERE id = ?");
    BindSealed(update, 1, codec_, PlaceOf(reply, Field::kText), text);
    BindReasoning(update, 2, codec_, reply, reasoning);
    update.bind(3, message);
    update.exec();
    return {};
  });
}

Status ConversationStore::Finish(const std::string& message, const ReplyEnd& end) {
  if (end.state == MessageState::kStreaming) {
    return Fail(ErrorCode::kInvalidArgument, message, "a reply cannot end as streaming");
  }
  return database_.Write([&](SQLite::Database& connection) -> Status {
    PALUKU_ASSIGN_OR_RETURN(const MessageRecord reply, FindStreaming(connection, codec_, message));
    SQLite::Statement update(
        connection,
        "UPDATE messages SET state = ?, text = ?, reasoning = ?, token_count = ?, "
        "tokens_per_second = ?, first_token_ms = ?, error_code = ?, error_subject = ?, "
        "error_detail = ? WHERE id = ?");
    update.bind(1, static_cast<int>(end.state));
    BindSealed(update, 2, codec_, PlaceOf(reply, Field::kText), end.text);
    BindReasoning(update, 3, codec_, reply, end.reasoning);
    update.bind(4, end.stats.token_count);
    update.bind(5, end.stats.tokens_per_second);
    update.bind(6, end.stats.first_token_ms);
    BindError(update, 7, codec_, reply, end.error);
    update.bind(10, message);
    update.exec();
    SQLite::Statement touch(connection, "UPDATE conversations SET updated_ms = ? WHERE id = ?");
    touch.bind(1, clock_());
    touch.bind(2, reply.conversation);
    touch.exec();
    return {};
  });
}

Status ConversationStore::SetCurrentLeaf(const std::string& conversation,
                                         const std::string& message) {
  return database_.Write([&](SQLite::Database& connection) -> Status {
    PALUKU_TRY(FindIn(connection, codec_, conversation, message));
    SQLite::Statement update(connection, "UPDATE conversations SET current_leaf = ? WHERE id = ?");
    update.bind(1, message);
    update.bind(2, conversation);
    update.exec();
    return {};
  });
}

Result<std::int64_t> ConversationStore::InterruptStreaming() {
  if (!left_streaming_) {
    // Looked for once: later there are replies of this run among them.
    left_streaming_.emplace();
    PALUKU_ASSIGN_OR_RETURN(left_streaming_, FindAllStreaming(database_));
  }
  if (left_streaming_->empty()) return 0;  // a full disk is no matter then
  PALUKU_TRY(database_.Write([this](SQLite::Database& connection) -> Status {
    SQLite::Statement update(connection, "UPDATE messages SET state = ? WHERE id = ?");
    for (const std::string& id : *left_streaming_) {
      update.bind(1, static_cast<int>(MessageState::kInterrupted));
      update.bind(2, id);
      update.exec();
      update.reset();
    }
    return {};
  }));
  const auto interrupted = static_cast<std::int64_t>(left_streaming_->size());
  left_streaming_->clear();
  return interrupted;
}

}  // namespace paluku
