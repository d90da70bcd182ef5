// What the storage tests share: a directory that cleans up after itself, a storage opened in it, a
// job run to its end, bytes of files, and a child process that can be killed.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/storage.h"

namespace paluku {

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// The value of a Result; fails the test and throws when it holds an error.
template <class T>
T Must(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().Message();
    throw std::runtime_error(result.error().Message());
  }
  return std::move(*result);
}
inline void Must(const Status& status) {
  if (!status) {
    ADD_FAILURE() << status.error().Message();
    throw std::runtime_error(status.error().Message());
  }
}

std::unique_ptr<Storage> MustOpen(const std::string& data_dir,
                                  StorageAccess access = StorageAccess::kWrite);

// Runs a job on the storage thread and waits for it.
template <class Job>
auto Do(Storage& storage, Job job) {
  return storage.Run(std::move(job)).get();
}

std::string ReadBytes(const std::string& path);
void WriteBytes(const std::string& path, const std::string& bytes);
std::vector<std::string> FileNames(const std::string& directory);
// Names in `directory` that begin with `prefix`.
std::vector<std::string> FilesWithPrefix(const std::string& directory, const std::string& prefix);

// The verdict of PRAGMA integrity_check on a database nobody has open.
std::string IntegrityCheck(const std::string& database);
// Runs SQL on a database nobody has open.
void ExecuteSql(const std::string& database, const std::string& sql);

// storage_test_child run with arguments; its stdin and stdout are pipes.
class Child {
 public:
  explicit Child(std::vector<std::string> arguments);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // The next line of its output without the line end; empty at the end of the output.
  std::string ReadLine();
  // Everything it still writes.
  std::string ReadAll();
  void Kill();
  // Closes its stdin and waits; returns the exit status as waitpid gives it.
  int Finish();

 private:
  pid_t pid_ = -1;
  int to_child_ = -1;
  int from_child_ = -1;
  std::string buffered_;
};

}  // namespace paluku
