// Brings the schema of a database to the version of this program, one numbered .sql file after the
// other (storage/migrations, embedded at build time). The version is raised inside the transaction
// of the migration itself, so a crash leaves the old schema or the new one, never a mixture.
// Used inside storage while opening; no thread of its own.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/base/error.h"

namespace SQLite {
class Database;
}

namespace paluku {

class Database;

struct Migration {
  int version;  // user_version after it
  std::string_view sql;
};

// Versions 1, 2, 3, ... in order.
std::span<const Migration> EmbeddedMigrations();

// The version found in the file; 0 for an empty one.
Result<int> SchemaVersion(Database& database);

// Every object of the schema in `connection`, as text to compare. Throws SQLite::Exception.
std::string SchemaText(SQLite::Database& connection);

// What SchemaText() tells of a sound database that these migrations made.
std::string ExpectedSchemaText(std::span<const Migration> migrations);

// Applies every migration above the version of `database`. Errors: kInternal (a migration that
// breaks a reference or cannot run), kDiskFull, kIo; the database then has the version before.
Status Migrate(Database& database, std::span<const Migration> migrations);

}  // namespace paluku
