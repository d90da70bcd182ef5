#include "storage/conversation_store.h"

#include <utility>

#include "storage/database.h"
#include "storage/sealed_column.h"
#include "storage/uuid.h"

namespace paluku {
namespace {

constexpr const char* kSelect =
    "SELECT id, title, created_ms, updated_ms, deleted_ms, current_leaf, instruction, model, draft "
    "FROM conversations ";

// A sealed field that does not open is given as empty: damage in one row hides no other.
std::string TextOf(const SQLite::Column& column, const FieldCodec& codec, Field field,
                   const std::string& id) {
  return OpenSealed(column, codec, {field, id, id}).value_or("");
}

ConversationRecord ReadConversation(SQLite::Statement& row, const FieldCodec& codec) {
  ConversationRecord record;
  record.id = row.getColumn(0).getString();
  record.title = TextOf(row.getColumn(1), codec, Field::kTitle, record.id);
  record.created_ms = row.getColumn(2).getInt64();
  record.updated_ms = row.getColumn(3).getInt64();
  if (!row.isColumnNull(4)) record.deleted_ms = row.getColumn(4).getInt64();
  record.current_leaf = row.getColumn(5).getString();
  record.instruction = TextOf(row.getColumn(6), codec, Field::kInstruction, record.id);
  record.model = row.getColumn(7).getString();
  record.draft = TextOf(row.getColumn(8), codec, Field::kDraft, record.id);
  return record;
}

// Runs an UPDATE of one conversation.
Status ExecuteOnOne(SQLite::Statement& statement, const std::string& id) {
  if (statement.exec() == 0) return Fail(ErrorCode::kNotFound, id);
  return {};
}

// UPDATE conversations SET `column` = sealed `text` WHERE id.
Status UpdateSealed(Database& database, const FieldCodec& codec, const char* column, Field field,
                    const std::string& id, const std::string& text) {
  return database.Write([&](SQLite::Database& connection) {
    SQLite::Statement update(
        connection, std::string("UPDATE conversations SET ") + column + " = ? WHERE id = ?");
    BindSealed(update, 1, codec, {field, id, id}, text);
    update.bind(2, id);
    return ExecuteOnOne(update, id);
  });
}

}  // namespace

ConversationStore::ConversationStore(Database& database, const FieldCodec& codec, Clock clock)
    : database_(database), codec_(codec), clock_(std::move(clock)) {}

Result<ConversationRecord> ConversationStore::Create(const NewConversation& conversation) {
  ConversationRecord record;
  record.id = NewUuid();
  record.title = conversation.title;
  record.instruction = conversation.instruction;
  record.model = conversation.model;
  record.created_ms = record.updated_ms = clock_();
  return database_.Write([&](SQLite::Database& connection) -> Result<ConversationRecord> {
    SQLite::Statement insert(connection,
                             "INSERT INTO conversations (id, title, created_ms, updated_ms, "
                             "instruction, model, draft) VALUES (?, ?, ?, ?, ?, ?, ?)");
    insert.bind(1, record.id);
    BindSealed(insert, 2, codec_, {Field::kTitle, record.id, record.id}, record.title);
    insert.bind(3, record.created_ms);
    insert.bind(4, record.updated_ms);
    BindSealed(insert, 5, codec_, {Field::kInstruction, record.id, record.id}, record.instruction);
    insert.bind(6, record.model);
    BindSealed(insert, 7, codec_, {Field::kDraft, record.id, record.id}, record.draft);
    insert.exec();
    return record;
  });
}

Result<ConversationRecord> ConversationStore::Get(const std::string& id) {
  return database_.Read([&](SQLite::Database& connection) -> Result<ConversationRecord> {
    SQLite::Statement row(connection, std::string(kSelect) + "WHERE id = ?");
    row.bind(1, id);
    if (!row.executeStep()) return Fail(ErrorCode::kNotFound, id);
    return ReadConversation(row, codec_);
  });
}

Result<std::vector<ConversationRecord>> ConversationStore::List(Page page) {
  using Records = std::vector<ConversationRecord>;
  return database_.Read([&](SQLite::Database& connection) -> Result<Records> {
    SQLite::Statement row(connection, std::string(kSelect) +
                                          "WHERE deleted_ms IS NULL "
                                          "ORDER BY updated_ms DESC, seq DESC LIMIT ? OFFSET ?");
    row.bind(1, page.limit);
    row.bind(2, page.offset);
    Records records;
    while (row.executeStep()) records.push_back(ReadConversation(row, codec_));
    return records;
  });
}

Result<std::int64_t> ConversationStore::Count() {
  return database_.Read([](SQLite::Database& connection) -> Result<std::int64_t> {
    return connection.execAndGet("SELECT count(*) FROM conversations WHERE deleted_ms IS NULL")
        .getInt64();
  });
}

Status ConversationStore::Rename(const std::string& id, const std::string& title) {
  return UpdateSealed(database_, codec_, "title", Field::kTitle, id, title);
}

Status ConversationStore::SetInstruction(const std::string& id, const std::string& instruction) {
  return UpdateSealed(database_, codec_, "instruction", Field::kInstruction, id, instruction);
}

Status ConversationStore::SetDraft(const std::string& id, const std::string& draft) {
  return UpdateSealed(database_, codec_, "draft", Field::kDraft, id, draft);
}

Status ConversationStore::SetModel(const std::string& id, const std::string& model) {
  return database_.Write([&](SQLite::Database& connection) {
    SQLite::Statement update(connection, "UPDATE conversations SET model = ? WHERE id = ?");
    update.bind(1, model);
    update.bind(2, id);
    return ExecuteOnOne(update, id);
  });
}

Status ConversationStore::MarkDeleted(const std::string& id) {
  return database_.Write([&](SQLite::Database& connection) {
    SQLite::Statement update(connection, "UPDATE conversations SET deleted_ms = ? WHERE id = ?");
    update.bind(1, clock_());
    update.bind(2, id);
    return ExecuteOnOne(update, id);
  });
}

Status ConversationStore::Restore(const std::string& id) {
  return database_.Write([&](SQLite::Database& connection) {
    SQLite::Statement update(connection, "UPDATE conversations SET deleted_ms = NULL WHERE id = ?");
    update.bind(1, id);
    return ExecuteOnOne(update, id);
  });
}

Result<std::int64_t> ConversationStore::PurgeDeleted(std::int64_t marked_until_ms) {
  PALUKU_ASSIGN_OR_RETURN(
      const std::int64_t purged,
      database_.Write([&](SQLite::Database& connection) -> Result<std::int64_t> {
        SQLite::Statement erase(connection, "DELETE FROM conversations WHERE deleted_ms <= ?");
        erase.bind(1, marked_until_ms);
        return erase.exec();
      }));
  // The log still holds the erased text until it is emptied.
  if (purged > 0) PALUKU_TRY(database_.TruncateLog());
  return purged;
}

}  // namespace paluku
