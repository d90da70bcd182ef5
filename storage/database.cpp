#include "storage/database.h"

#include <sqlite3.h>

#include <cerrno>

#include "engine/base/log.h"
#include "storage/files.h"

namespace paluku {
namespace {

constexpr int kBusyTimeoutMs = 5000;
constexpr int kMaxFieldBytes = 64 << 20;
constexpr int kMaxSqlBytes = 1 << 20;

int OpenFlags(Database::Mode mode) {
  return SQLITE_OPEN_NOMUTEX |
         (mode == Database::Mode::kReadOnly ? SQLITE_OPEN_READONLY
                                            : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
}

// SQLite hands out the thread's errno, which may be an older one than the failure; only values that
// a failing write or open does leave are believed.
Error SystemError(int result_code, int system_errno, const std::string& path) {
  switch (system_errno) {
    case ENOSPC:
    case EDQUOT:
    case EACCES:
    case EPERM:
    case EROFS:
    case EIO:
      return ErrorFromErrno(system_errno, path);
    default:
      return {ErrorCode::kIo, path, sqlite3_errstr(result_code)};
  }
}

}  // namespace

std::string CheckMarkerPath(const std::string& database_path) { return database_path + ".check"; }

int ResultCode(const SQLite::Exception& exception) {
  const int extended = exception.getExtendedErrorCode();
  return extended != -1 ? extended : exception.getErrorCode();
}

Error ErrorFromSqlite(int result_code, int system_errno, const std::string& path) {
  switch (result_code & 0xff) {
    case SQLITE_FULL:
      return {ErrorCode::kDiskFull, path, {}};
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return SystemError(result_code, system_errno, path);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorCode::kIo, path, "it is damaged; Paluku repairs it at the next start"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::kIo, path, "another program is using it"};
    case SQLITE_NOMEM:
      return {ErrorCode::kOutOfMemory, path, "more"};
    case SQLITE_TOOBIG:
      return {ErrorCode::kInvalidArgument, path, "a text of more than 64 MiB cannot be kept"};
    default:
      return {ErrorCode::kInternal, path, std::string("SQLite: ") + sqlite3_errstr(result_code)};
  }
}

Database::Database(const std::string& path, Mode mode, const std::string& vfs)
    : path_(path), mode_(mode), connection_(path, OpenFlags(mode), kBusyTimeoutMs, vfs) {}

Result<std::unique_ptr<Database>> Database::Open(const std::string& path, Mode mode,
                                                 const std::string& vfs, Sharing sharing) {
  // SQLite makes its files with the rights of the database, so that one comes first.
  if (mode == Mode::kReadWrite) {
    PALUKU_TRY(EnsurePrivateFile(path));
  } else {
    PALUKU_ASSIGN_OR_RETURN(const std::int64_t size, FileSize(path));
    if (size < 0) return Fail(ErrorCode::kFileNotFound, path);
  }
  try {
    std::unique_ptr<Database> database(new Database(path, mode, vfs));
    PALUKU_TRY(database->Bare([&](SQLite::Database&) -> Status {
      database->Configure(sharing);
      return {};
    }));
    return database;
  } catch (const SQLite::Exception& exception) {
    return tl::unexpected(ErrorFromSqlite(ResultCode(exception), errno, path));
  }
}

void SetSharing(SQLite::Database& connection, Database::Sharing sharing) {
  if (sharing == Database::Sharing::kAlone) connection.exec("PRAGMA locking_mode = EXCLUSIVE");
}

void Database::Configure(Sharing sharing) {
  sqlite3* handle = connection_.getHandle();
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, kMaxFieldBytes);
  sqlite3_limit(handle, SQLITE_LIMIT_SQL_LENGTH, kMaxSqlBytes);
  sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(handle, SQLITE_LIMIT_WORKER_THREADS, 0);
  connection_.exec(
      "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;"
      "PRAGMA mmap_size = 0; PRAGMA foreign_keys = ON;");
  if (mode_ == Mode::kReadOnly) {
    // A second connection that checkpoints beside the writer could meet SQLite's log-reset race
    // (before 3.51.3), so this one never does.
    sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    connection_.exec("PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0;");
    writable_ = Fail(ErrorCode::kAlreadyOpen, path_);
    return;
  }
  SetSharing(connection_, sharing);
  // The page size is SQLite's own default, fixed here because salvage reads pages without it.
  connection_.exec(
      "PRAGMA page_size = 4096; PRAGMA secure_delete = ON; PRAGMA synchronous = FULL;");
  const std::string journal = connection_.execAndGet("PRAGMA journal_mode = WAL").getString();
  if (journal != "wal") throw SQLite::Exception("no write-ahead log", SQLITE_IOERR);
}

Status Database::TruncateLog() {
  return Bare([](SQLite::Database& connection) -> Status {
    connection.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    return {};
  });
}

Error Database::Translate(const SQLite::Exception& exception) const {
  const int code = ResultCode(exception);
  const int primary = code & 0xff;
  if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) {
    Log(LogLevel::kError, "SQLite reports damage in the database");
    if (mode_ == Mode::kReadWrite) (void)EnsurePrivateFile(CheckMarkerPath(path_));
  }
  return ErrorFromSqlite(code, sqlite3_system_errno(connection_.getHandle()), path_);
}

}  // namespace paluku
