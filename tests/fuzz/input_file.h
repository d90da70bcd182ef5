// InputFile: the bytes of a fuzzer as a file that can be mapped. Lives in memory alone. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace paluku::test {

class InputFile {
 public:
  explicit InputFile(std::span<const std::uint8_t> bytes);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  int fd_;
  std::string path_;
};

// While one lives, AddressSanitizer reports reads behind the last byte of a mapping: without it the
// rest of the last page reads as zeros.
class GuardedTail {
 public:
  explicit GuardedTail(std::span<const std::byte> mapping);
  ~GuardedTail();
  GuardedTail(const GuardedTail&) = delete;
  GuardedTail& operator=(const GuardedTail&) = delete;

 private:
  const std::byte* begin_;
  std::size_t size_;
};

}  // namespace paluku::test
