#include "storage/database_opener.h"

#include <SQLiteCpp/Backup.h>
#include <sqlite3.h>

#include <optional>

#include "engine/base/log.h"
#include "storage/files.h"
#include "storage/paths.h"
#include "storage/salvage.h"

namespace paluku {

std::string DatabasePath(const std::string& data_dir) { return data_dir + "/paluku.db"; }

namespace {

// Up to this size the whole database is checked at each start (some tenths of a second); a larger
// one only when damage was met before.
constexpr std::int64_t kAlwaysCheckedBytes = 32 << 20;
// No real schema gets there; a version above it is damage in the header.
constexpr int kHighestVersion = 10000;

using Sharing = Database::Sharing;

enum class Condition { kMissing, kUsable, kDamaged };

struct Inspection {
  Condition condition = Condition::kMissing;
  int version = 0;  // of the schema, when usable
};

int LatestVersion(const OpenRequest& request) {
  return static_cast<int>(request.migrations.size());
}

bool ReportsDamage(int result_code) {
  const int primary = result_code & 0xff;
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

std::span<const Migration> MigrationsUpTo(std::span<const Migration> migrations, int version) {
  return migrations.first(static_cast<std::size_t>(version));
}

// Looks through a connection of its own, which changes nothing when `open_mode` is
// SQLITE_OPEN_READONLY. Throws SQLite::Exception.
Inspection Examine(const OpenRequest& request, Sharing sharing, int open_mode, bool check_all) {
  SQLite::Database connection(DatabasePath(request.data_dir), open_mode | SQLITE_OPEN_NOMUTEX, 5000,
                              request.vfs);
  sqlite3_db_config(connection.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  SetSharing(connection, sharing);
  connection.exec("PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF");
  const int version = connection.execAndGet("PRAGMA user_version").getInt();
  const int owner = connection.execAndGet("PRAGMA application_id").getInt();
  const std::string schema = SchemaText(connection);
  if (schema.empty() && version == 0 && owner == 0) return {Condition::kUsable, 0};  // never used
  if (owner != Database::kApplicationId || version < 1 || version > kHighestVersion) {
    return {Condition::kDamaged, 0};
  }
  if (version > LatestVersion(request)) return {Condition::kUsable, version};
  // integrity_check does not notice a changed letter in the definition of a table.
  if (schema != ExpectedSchemaText(MigrationsUpTo(request.migrations, version)) ||
      (check_all && connection.execAndGet("PRAGMA integrity_check(1)").getString() != "ok")) {
    return {Condition::kDamaged, version};
  }
  return {Condition::kUsable, version};
}

Result<Inspection> Inspect(const OpenRequest& request, Sharing sharing) {
  const std::string path = DatabasePath(request.data_dir);
  PALUKU_ASSIGN_OR_RETURN(const std::int64_t size, FileSize(path));
  PALUKU_ASSIGN_OR_RETURN(const std::int64_t log_size, FileSize(path + "-wal"));
  PALUKU_ASSIGN_OR_RETURN(const std::int64_t journal_size, FileSize(path + "-journal"));
  PALUKU_ASSIGN_OR_RETURN(const std::int64_t marker, FileSize(CheckMarkerPath(path)));
  if (size <= 0) {
    // SQLite would delete a log without a database; it may hold everything there is.
    return Inspection{log_size > 0 ? Condition::kDamaged : Condition::kMissing, 0};
  }
  // A rollback journal is left when the program ended while the file was being created, before its
  // first change to a write-ahead log; only a connection that may write can play it back. Keeping
  // others out takes the right to write too.
  const bool may_write = journal_size > 0 || sharing == Sharing::kAlone;
  const int open_mode = may_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  try {
    return Examine(request, sharing, open_mode, size <= kAlwaysCheckedBytes || marker >= 0);
  } catch (const SQLite::Exception& exception) {
    const int code = ResultCode(exception);
    if (ReportsDamage(code)) return Inspection{Condition::kDamaged, 0};
    return tl::unexpected(ErrorFromSqlite(code, 0, path));
  }
}

// A verified copy under data_dir/backups, made by SQLite so that the log's content is in it.
Status BackUp(Database& database, const OpenRequest& request, int version) {
  const std::string directory = request.data_dir + "/backups";
  PALUKU_TRY(CreatePrivateDirectory(directory));
  const std::string path =
      directory + "/paluku-v" + std::to_string(version) + "-" + FileStamp(request.clock()) + ".db";
  const std::string unfinished = path + ".new";
  PALUKU_TRY(RemoveFile(unfinished));
  PALUKU_TRY(EnsurePrivateFile(unfinished));
  Status copied = database.Bare([&](SQLite::Database& connection) -> Status {
    SQLite::Database copy(unfinished, SQLITE_OPEN_READWRITE, 0, request.vfs);
    SQLite::Backup backup(copy, connection);
    backup.executeStep(-1);
    const std::string verdict = copy.execAndGet("PRAGMA integrity_check(1)").getString();
    if (verdict != "ok") return Fail(ErrorCode::kIo, path, "the backup does not verify");
    return {};
  });
  if (!copied) {
    (void)RemoveFile(unfinished);
    return copied;
  }
  return RenameDurably(unfinished, path);
}

Result<std::unique_ptr<Database>> OpenNewer(const OpenRequest& request, int version) {
  const std::string path = DatabasePath(request.data_dir);
  PALUKU_ASSIGN_OR_RETURN(auto database,
                          Database::Open(path, Database::Mode::kReadOnly, request.vfs));
  database->RefuseWrites({ErrorCode::kNewerSchema, path, std::to_string(version)});
  return database;
}

Result<std::unique_ptr<Database>> OpenAndMigrate(const OpenRequest& request, Sharing sharing,
                                                 int version) {
  PALUKU_ASSIGN_OR_RETURN(auto database,
                          Database::Open(DatabasePath(request.data_dir), Database::Mode::kReadWrite,
                                         request.vfs, sharing));
  if (version == LatestVersion(request)) return database;
  if (version > 0) PALUKU_TRY(BackUp(*database, request, version));
  PALUKU_TRY(Migrate(*database, request.migrations));
  PALUKU_TRY(SyncDirectory(request.data_dir));
  return database;
}

// Sets the damaged database aside; afterwards the one at its path is sound.
Status Repair(const OpenRequest& request, std::vector<Error>& notices) {
  const std::string path = DatabasePath(request.data_dir);
  PALUKU_ASSIGN_OR_RETURN(
      const SalvageReport report,
      SalvageDatabase({path, request.vfs, FileStamp(request.clock()), request.migrations}));
  Log(LogLevel::kWarning, "the database was damaged; rows salvaged: " +
                              std::to_string(report.rows) + ", kept as " + report.set_aside);
  notices.push_back({ErrorCode::kDatabaseDamaged, path, report.set_aside});
  return {};
}

Status OpenInto(OpenedDatabase& opened, const OpenRequest& request, Sharing sharing) {
  const std::string path = DatabasePath(request.data_dir);
  PALUKU_TRY(FinishInterruptedSalvage(path, FileStamp(request.clock())));
  PALUKU_ASSIGN_OR_RETURN(Inspection found, Inspect(request, sharing));
  if (found.condition == Condition::kDamaged) {
    PALUKU_TRY(Repair(request, opened.notices));
    PALUKU_ASSIGN_OR_RETURN(found, Inspect(request, sharing));
    if (found.condition != Condition::kUsable) {
      return Fail(ErrorCode::kInternal, path, "the repaired database is not sound");
    }
  }
  PALUKU_TRY(RemoveFile(CheckMarkerPath(path)));
  if (found.version > LatestVersion(request)) {
    opened.notices.push_back({ErrorCode::kNewerSchema, path, std::to_string(found.version)});
    PALUKU_ASSIGN_OR_RETURN(opened.database, OpenNewer(request, found.version));
    return {};
  }
  PALUKU_ASSIGN_OR_RETURN(opened.database, OpenAndMigrate(request, sharing, found.version));
  return {};
}

}  // namespace

Result<OpenedDatabase> OpenForWriting(const OpenRequest& request) {
  OpenedDatabase opened;
  if (OpenInto(opened, request, Sharing::kShared)) return opened;
  // A full disk may have no room for the shared index, and conversations can be read without it.
  PALUKU_TRY(OpenInto(opened, request, Sharing::kAlone));
  return opened;
}

Result<OpenedDatabase> OpenForReading(const OpenRequest& request) {
  const std::string path = DatabasePath(request.data_dir);
  OpenedDatabase opened;
  PALUKU_ASSIGN_OR_RETURN(opened.database,
                          Database::Open(path, Database::Mode::kReadOnly, request.vfs));
  PALUKU_ASSIGN_OR_RETURN(const int version, SchemaVersion(*opened.database));
  if (version < LatestVersion(request)) {
    return Fail(ErrorCode::kUnsupportedVersion, path, std::to_string(version));
  }
  if (version > LatestVersion(request)) {
    const Error newer{ErrorCode::kNewerSchema, path, std::to_string(version)};
    opened.database->RefuseWrites(newer);
    opened.notices.push_back(newer);
  }
  return opened;
}

}  // namespace paluku
