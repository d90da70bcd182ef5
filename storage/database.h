// One SQLite connection with the settings of the house (reference: security.md, section 4) and the
// only place where SQLite's exceptions and error codes become Error values.
//
// Used inside storage only; one thread at a time, asserted. Everything a store does goes through
// Read() or Write(), so each verb sees one state of the database and writes all or nothing.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <memory>
#include <new>
#include <string>
#include <type_traits>

#include "engine/base/error.h"
#include "engine/base/thread_checker.h"

namespace paluku {

class Database {
 public:
  // "PALU" in the header of the file tells whose it is.
  static constexpr std::int32_t kApplicationId = 0x50414c55;

  enum class Mode {
    kReadWrite,  // creates the file; the only connection that writes and checkpoints
    kReadOnly,   // never changes or checkpoints the file
  };

  // Where the index of the write-ahead log is kept.
  enum class Sharing {
    kShared,  // in a file beside the database, for programs that read meanwhile
    kAlone,   // in this program, which then needs no space on the disk to read; kReadWrite only
  };

  // Errors: kFileNotFound, kFileNotReadable, kDiskFull, kIo (also for a damaged file, after
  // marking it; see NeedsCheck).
  static Result<std::unique_ptr<Database>> Open(const std::string& path, Mode mode,
                                                const std::string& vfs = {},
                                                Sharing sharing = Sharing::kShared);

  const std::string& path() const { return path_; }

  // Success, or why every Write() refuses.
  const Status& writable() const { return writable_; }
  void RefuseWrites(Error reason) { writable_ = tl::unexpected(std::move(reason)); }

  // Runs `body(SQLite::Database&)`, which returns a Result or Status, in a read transaction.
  template <class Body>
  auto Read(Body body) -> std::invoke_result_t<Body&, SQLite::Database&>;

  // The same in a write transaction: committed when `body` succeeds, rolled back otherwise.
  template <class Body>
  auto Write(Body body) -> std::invoke_result_t<Body&, SQLite::Database&>;

  // Runs `body` outside any transaction (pragmas, backup).
  template <class Body>
  auto Bare(Body body) -> std::invoke_result_t<Body&, SQLite::Database&>;

  // Moves everything from the write-ahead log into the database and empties the log, so that erased
  // text is in neither. Readers in other programs may prevent it; then it happens another time.
  Status TruncateLog();

  // Lets another thread take over; the present one must not touch the object afterwards.
  void ReleaseThread() { thread_.Release(); }

 private:
  Database(const std::string& path, Mode mode, const std::string& vfs);
  void Configure(Sharing sharing);
  Error Translate(const SQLite::Exception& exception) const;

  std::string path_;
  Mode mode_;
  SQLite::Database connection_;
  Status writable_;
  ThreadChecker thread_;
};

// Keeps the index of the write-ahead log of `connection` as `sharing` says. Call it before anything
// is read; throws SQLite::Exception.
void SetSharing(SQLite::Database& connection, Database::Sharing sharing);

// The marker beside the database that asks the next start for a full check: made when SQLite
// reports damage in the middle of work.
std::string CheckMarkerPath(const std::string& database_path);

// SQLite's result code, the extended one where the exception knows it.
int ResultCode(const SQLite::Exception& exception);

// An Error for a SQLite result code. `system_errno` is what sqlite3_system_errno() tells.
Error ErrorFromSqlite(int result_code, int system_errno, const std::string& path);

template <class Body>
auto Database::Bare(Body body) -> std::invoke_result_t<Body&, SQLite::Database&> {
  thread_.Check();
  try {
    return body(connection_);
  } catch (const SQLite::Exception& exception) {
    return tl::unexpected(Translate(exception));
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kOutOfMemory, path_, "more");
  }
}

template <class Body>
auto Database::Read(Body body) -> std::invoke_result_t<Body&, SQLite::Database&> {
  return Bare([&body](SQLite::Database& connection) {
    const SQLite::Transaction snapshot(connection);  // ends by rollback: there is nothing to keep
    return body(connection);
  });
}

template <class Body>
auto Database::Write(Body body) -> std::invoke_result_t<Body&, SQLite::Database&> {
  if (!writable_) return tl::unexpected(writable_.error());
  return Bare([&body](SQLite::Database& connection) {
    SQLite::Transaction transaction(connection, SQLite::TransactionBehavior::IMMEDIATE);
    auto result = body(connection);
    if (result) transaction.commit();
    return result;
  });
}

}  // namespace paluku
