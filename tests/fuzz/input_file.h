// InputFile: the bytes of a fuzzer as a file that can be mapped. Lives in memory alone.
// InputFolder: parts of them as files side by side. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

// What stands between lines that hold nothing but U+001F; what follows the `most`th part is left
// out.
std::vector<std::string_view> PartsOf(std::string_view bytes, std::size_t most);

class InputFolder {
 public:
  InputFolder();
  ~InputFolder();
  InputFolder(const InputFolder&) = delete;
  InputFolder& operator=(const InputFolder&) = delete;

  const std::string& path() const { return path_; }
  // Leaves these files in the folder, by name, and no others. Without bytes: no file.
  void Fill(const std::vector<std::pair<std::string, std::string_view>>& files) const;

 private:
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
