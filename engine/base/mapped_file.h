// A read-only mapping of a whole file. Weights are used in place from it.
//
// A file that is cut short while it is mapped would kill the process by SIGBUS. Here the first
// touch of a lost page puts zeros in its place and marks the mapping as damaged; whoever computed
// with it asks damaged() afterwards and turns that into an error. Safe to read from many threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "engine/base/error.h"

namespace paluku {

class MappedFile {
 public:
  // Errors: kFileNotFound, kFileNotReadable, kNotARegularFile, kFileEmpty, kIo.
  static Result<std::shared_ptr<const MappedFile>> Open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::string& path() const { return path_; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  // Lets go of the pages that were read; they come back from the file when they are read again.
  void ReleasePages() const;
  // True once a page of the mapping was found missing; every result computed from it is void.
  bool damaged() const;

 private:
  MappedFile() = default;
  std::string path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  int slot_ = -1;  // place in the table the signal handler reads
};

}  // namespace paluku
