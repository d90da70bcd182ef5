// The storage thread: it owns the only connection that writes the database, and with it the lock of
// the data directory. Everybody else hands it jobs.
//
// A job is a callable taking Stores&; jobs run one after another in the order they came. Run() and
// Post() may be called from any thread, also from inside a job. The destructor lets all jobs given
// so far run, erases the conversations whose deletion was not undone, closes the database and
// releases the lock; it must not run on the storage thread.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "storage/clock.h"
#include "storage/conversation_store.h"
#include "storage/model_store.h"
#include "storage/settings_store.h"

namespace paluku {

enum class StorageAccess {
  kWrite,     // takes the lock of the data directory; creates, migrates and repairs what is needed
  kReadOnly,  // beside a running Paluku: changes no byte of the database, needs no lock
};

struct StorageOptions {
  std::string data_dir{};  // Paths::data; created (0700) when missing and kWrite
  StorageAccess access = StorageAccess::kWrite;
  Clock clock = SystemNowMs;
  std::string vfs{};  // name of a registered SQLite VFS, empty for the system's (fault tests)
};

struct Stores {
  ConversationStore& conversations;
  SettingsStore& settings;
  ModelStore& models;
};

class Storage {
 public:
  // Opens `data_dir`/paluku.db; may take seconds (migration, repair), so call it off the interface
  // thread. With kWrite it also turns streaming replies into interrupted ones and erases the
  // conversations whose deletion was not undone. A full disk prevents neither opening nor reading:
  // what had to be written is put off, and a notice says so.
  // Errors: kAlreadyOpen (kWrite, and another program holds the lock), kFileNotFound (kReadOnly,
  // and there is no database yet), kUnsupportedVersion (kReadOnly, and the schema is older: open
  // it for writing once), kInvalidArgument (the directory is on a network file system),
  // kFileNotReadable, kDiskFull (a database to be made or migrated), kIo.
  static Result<std::unique_ptr<Storage>> Open(const StorageOptions& options);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  // Runs `job(Stores&)` on the storage thread; the future gets what it returns.
  template <class Job>
  auto Run(Job job) -> std::future<std::invoke_result_t<Job&, Stores&>>;

  // Runs `job(Stores&)`, then `completion(result)`, both on the storage thread. Neither may throw.
  template <class Job, class Completion>
  void Post(Job job, Completion completion);

  // What happened while opening that a person should know: kDatabaseDamaged (subject: the
  // database, detail: where the damaged file is kept), kNewerSchema (detail: its version),
  // kDiskFull, kIo (tidying up after the run before was put off).
  const std::vector<Error>& notices() const;
  // Why writing verbs refuse, or success when the database can be written.
  const Status& writable() const;
  // Absolute path of the database file.
  const std::string& path() const;

 private:
  class Impl;
  explicit Storage(std::unique_ptr<Impl> impl);
  void Enqueue(std::function<void(Stores&)> job);

  std::unique_ptr<Impl> impl_;
};

template <class Job>
auto Storage::Run(Job job) -> std::future<std::invoke_result_t<Job&, Stores&>> {
  using Value = std::invoke_result_t<Job&, Stores&>;
  // Shared, because std::function wants something that can be copied.
  auto task = std::make_shared<std::packaged_task<Value(Stores&)>>(std::move(job));
  std::future<Value> future = task->get_future();
  Enqueue([task](Stores& stores) { (*task)(stores); });
  return future;
}

template <class Job, class Completion>
void Storage::Post(Job job, Completion completion) {
  auto both = std::make_shared<std::pair<Job, Completion>>(std::move(job), std::move(completion));
  Enqueue([both](Stores& stores) { both->second(both->first(stores)); });
}

}  // namespace paluku
