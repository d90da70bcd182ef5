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
