#include "storage/storage.h"

#include <condition_variable>
#include <deque>
#include <limits>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "engine/base/check.h"
#include "storage/data_dir_lock.h"
#include "storage/database.h"
#include "storage/database_opener.h"
#include "storage/field_codec.h"
#include "storage/files.h"
#include "storage/migrator.h"
#include "storage/paths.h"

namespace paluku {

class Storage::Impl {
 public:
  Impl(std::optional<DataDirLock> lock, OpenedDatabase opened, const Clock& clock)
      : lock_(std::move(lock)),
        database_(std::move(opened.database)),
        notices_(std::move(opened.notices)),
        conversations_(*database_, codec_, clock),
        settings_(*database_, codec_),
        models_(*database_, clock) {}

  // Tidies up after the run before. What a full disk prevents is put off: conversations can be read
  // without it.
  void TidyUp() {
    if (!database_->writable()) return;
    InterruptStreaming();
    const Status erased = EraseDeleted();
    const Status& failed = interrupted_ ? erased : interrupted_;
    if (!failed) notices_.push_back(failed.error());
  }

  void StartThread() {
    database_->ReleaseThread();
    thread_ = std::jthread([this](const std::stop_token& stop) { RunJobs(stop); });
  }

  // Lets the thread finish everything given to it.
  void StopThread() {
    thread_.request_stop();
    thread_.join();
    database_->ReleaseThread();
  }

  void Enqueue(std::function<void(Stores&)> job) {
    {
      const std::lock_guard guard(mutex_);
      jobs_.push_back(std::move(job));
    }
    wake_.notify_one();
  }

  const std::vector<Error>& notices() const { return notices_; }
  const Database& database() const { return *database_; }
  bool OnStorageThread() const { return std::this_thread::get_id() == thread_.get_id(); }

 private:
  void RunJobs(const std::stop_token& stop) {
    Stores stores{conversations_, settings_, models_};
    while (true) {
      std::function<void(Stores&)> job;
      {
        std::unique_lock guard(mutex_);
        wake_.wait(guard, stop, [this] { return !jobs_.empty(); });
        if (jobs_.empty()) break;  // stopped, and nothing is left to do
        job = std::move(jobs_.front());
        jobs_.pop_front();
      }
      if (!interrupted_) InterruptStreaming();
      job(stores);
    }
    // Nobody can undo a deletion any more. What a full disk leaves is erased by the next start.
    (void)EraseDeleted();
  }

  void InterruptStreaming() {
    const Result<std::int64_t> interrupted = conversations_.InterruptStreaming();
    interrupted_ = interrupted ? Status{} : tl::unexpected(interrupted.error());
  }

  Status EraseDeleted() {
    PALUKU_TRY(conversations_.PurgeDeleted(std::numeric_limits<std::int64_t>::max()));
    return {};
  }

  std::optional<DataDirLock> lock_;  // released last, after the database is closed
  std::unique_ptr<Database> database_;
  std::vector<Error> notices_;
  FieldCodec codec_;
  ConversationStore conversations_;
  SettingsStore settings_;
  ModelStore models_;
  Status interrupted_;  // replies of the run before, or why not yet

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<std::function<void(Stores&)>> jobs_;  // guarded by mutex_
  std::jthread thread_;
};

Storage::Storage(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Storage>> Storage::Open(const StorageOptions& options) {
  const OpenRequest request{options.data_dir, options.vfs, options.clock, EmbeddedMigrations()};
  std::optional<DataDirLock> lock;
  OpenedDatabase opened;
  if (options.access == StorageAccess::kWrite) {
    PALUKU_TRY(CreatePrivateDirectory(options.data_dir));
    PALUKU_TRY(RequireLocalFileSystem(options.data_dir));
    PALUKU_ASSIGN_OR_RETURN(DataDirLock taken, DataDirLock::Acquire(options.data_dir));
    lock.emplace(std::move(taken));
    PALUKU_ASSIGN_OR_RETURN(opened, OpenForWriting(request));
  } else {
    PALUKU_ASSIGN_OR_RETURN(opened, OpenForReading(request));
  }
  auto impl = std::make_unique<Impl>(std::move(lock), std::move(opened), options.clock);
  impl->TidyUp();
  impl->StartThread();
  return std::unique_ptr<Storage>(new Storage(std::move(impl)));
}

Storage::~Storage() {
  PALUKU_CHECK(!impl_->OnStorageThread());
  impl_->StopThread();
}

void Storage::Enqueue(std::function<void(Stores&)> job) { impl_->Enqueue(std::move(job)); }

const std::vector<Error>& Storage::notices() const { return impl_->notices(); }
const Status& Storage::writable() const { return impl_->database().writable(); }
const std::string& Storage::path() const { return impl_->database().path(); }

}  // namespace paluku
