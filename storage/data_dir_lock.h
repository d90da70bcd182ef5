// The lock of a data directory: whoever holds it is the only writer of the database. It is an
// flock() on the file "lock" there, so the kernel releases it however the process ends.
// Owned by Storage; any thread.
#pragma once

#include <string>

#include "engine/base/error.h"

namespace paluku {

class DataDirLock {
 public:
  // Takes the lock without waiting. Errors: kAlreadyOpen when another holder exists (in this or
  // another process), kFileNotReadable, kDiskFull, kIo.
  static Result<DataDirLock> Acquire(const std::string& data_dir);
  ~DataDirLock();
  DataDirLock(DataDirLock&& other) noexcept;
  DataDirLock& operator=(DataDirLock&&) = delete;

 private:
  explicit DataDirLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace paluku
