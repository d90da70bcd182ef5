#include "storage/model_store.h"

#include <utility>

#include "storage/database.h"
#include "storage/uuid.h"

namespace paluku {
namespace {

constexpr const char* kSelect =
    "SELECT id, path, name, size_bytes, added_ms, last_used_ms FROM models ";

ModelRecord ReadModel(SQLite::Statement& row) {
  ModelRecord model;
  model.id = row.getColumn(0).getString();
  model.path = row.getColumn(1).getString();
  model.name = row.getColumn(2).getString();
  model.size_bytes = row.getColumn(3).getInt64();
  model.added_ms = row.getColumn(4).getInt64();
  if (!row.isColumnNull(5)) model.last_used_ms = row.getColumn(5).getInt64();
  return model;
}

// The one model whose `column` is `value`.
std::optional<ModelRecord> Find(SQLite::Database& connection, const char* column,
                                const std::string& value) {
  SQLite::Statement row(connection, std::string(kSelect) + "WHERE " + column + " = ?");
  row.bind(1, value);
  if (!row.executeStep()) return std::nullopt;
  return ReadModel(row);
}

Status ExecuteOnOne(SQLite::Statement& statement, const std::string& id) {
  if (statement.exec() == 0) return Fail(ErrorCode::kNotFound, id);
  return {};
}

}  // namespace

ModelStore::ModelStore(Database& database, Clock clock)
    : database_(database), clock_(std::move(clock)) {}

Result<ModelRecord> ModelStore::Add(const std::string& path, const std::string& name,
                                    std::int64_t size_bytes) {
  return database_.Write([&](SQLite::Database& connection) -> Result<ModelRecord> {
    SQLite::Statement upsert(
        connection,
        "INSERT INTO models (id, path, name, size_bytes, added_ms) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (path) DO UPDATE SET name = excluded.name, size_bytes = excluded.size_bytes");
    upsert.bind(1, NewUuid());
    upsert.bind(2, path);
    upsert.bind(3, name);
    upsert.bind(4, size_bytes);
    upsert.bind(5, clock_());
    upsert.exec();
    return *Find(connection, "path", path);
  });
}

Result<ModelRecord> ModelStore::Get(const std::string& id) {
  return database_.Read([&](SQLite::Database& connection) -> Result<ModelRecord> {
    std::optional<ModelRecord> model = Find(connection, "id", id);
    if (!model) return Fail(ErrorCode::kNotFound, id);
    return *model;
  });
}

Result<std::optional<ModelRecord>> ModelStore::FindByPath(const std::string& path) {
  return database_.Read([&](SQLite::Database& connection) -> Result<std::optional<ModelRecord>> {
    return Find(connection, "path", path);
  });
}

Result<std::vector<ModelRecord>> ModelStore::List() {
  using Records = std::vector<ModelRecord>;
  return database_.Read([](SQLite::Database& connection) -> Result<Records> {
    SQLite::Statement row(
        connection,
        std::string(kSelect) + "ORDER BY last_used_ms DESC NULLS LAST, added_ms DESC, seq DESC");
    Records models;
    while (row.executeStep()) models.push_back(ReadModel(row));
    return models;
  });
}

Status ModelStore::Rename(const std::string& id, const std::string& name) {
  return database_.Write([&](SQLite::Database& connection) {
    SQLite::Statement update(connection, "UPDATE models SET name = ? WHERE id = ?");
    update.bind(1, name);
    update.bind(2, id);
    return ExecuteOnOne(update, id);
  });
}

Status ModelStore::MarkUsed(const std::string& id) {
  return database_.Write([&](SQLite::Database& connection) {
    SQLite::Statement update(connection, "UPDATE models SET last_used_ms = ? WHERE id = ?");
    update.bind(1, clock_());
    update.bind(2, id);
    return ExecuteOnOne(update, id);
  });
}

Status ModelStore::Remove(const std::string& id) {
  return database_.Write([&](SQLite::Database& connection) {
    SQLite::Statement erase(connection, "DELETE FROM models WHERE id = ?");
    erase.bind(1, id);
    return ExecuteOnOne(erase, id);
  });
}

}  // namespace paluku
