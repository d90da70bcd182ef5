#include "storage/migrator.h"

#include <string>

#include "storage/database.h"

namespace paluku {
namespace {

// References are checked once, at the end: a migration that rebuilds a table needs them off.
Status SwitchForeignKeys(Database& database, bool on) {
  return database.Bare([on](SQLite::Database& connection) -> Status {
    connection.exec(on ? "PRAGMA foreign_keys = ON" : "PRAGMA foreign_keys = OFF");
    return {};
  });
}

Status Apply(Database& database, const Migration& migration) {
  return database.Write([&migration](SQLite::Database& connection) -> Status {
    connection.exec(std::string(migration.sql));
    SQLite::Statement broken(connection, "PRAGMA foreign_key_check");
    if (broken.executeStep()) {
      return Fail(ErrorCode::kInternal, "migration",
                  "migration " + std::to_string(migration.version) + " breaks a reference");
    }
    connection.exec("PRAGMA application_id = " + std::to_string(Database::kApplicationId));
    connection.exec("PRAGMA user_version = " + std::to_string(migration.version));
    return {};
  });
}

}  // namespace

Result<int> SchemaVersion(Database& database) {
  return database.Read([](SQLite::Database& connection) -> Result<int> {
    return connection.execAndGet("PRAGMA user_version").getInt();
  });
}

std::string SchemaText(SQLite::Database& connection) {
  SQLite::Statement row(connection,
                        "SELECT type, name, tbl_name, ifnull(sql, '') FROM sqlite_schema "
                        "ORDER BY type, name");
  std::string text;
  while (row.executeStep()) {
    for (int i = 0; i < 4; ++i) text += row.getColumn(i).getString() + '\n';
  }
  return text;
}

std::string ExpectedSchemaText(std::span<const Migration> migrations) {
  SQLite::Database scratch(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  for (const Migration& migration : migrations) scratch.exec(std::string(migration.sql));
  return SchemaText(scratch);
}

Status Migrate(Database& database, std::span<const Migration> migrations) {
  PALUKU_ASSIGN_OR_RETURN(const int version, SchemaVersion(database));
  PALUKU_TRY(SwitchForeignKeys(database, false));
  Status result;
  for (const Migration& migration : migrations) {
    if (migration.version > version && result) result = Apply(database, migration);
  }
  PALUKU_TRY(SwitchForeignKeys(database, true));
  return result;
}

}  // namespace paluku
