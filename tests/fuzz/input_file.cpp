#include "tests/fuzz/input_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "engine/base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#define PALUKU_WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PALUKU_WITH_ASAN 1
#endif
#endif
#ifdef PALUKU_WITH_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace paluku::test {

InputFile::InputFile(std::span<const std::uint8_t> bytes)
    : fd_(memfd_create("fuzz", MFD_CLOEXEC)), path_("/proc/self/fd/" + std::to_string(fd_)) {
  PALUKU_CHECK(fd_ >= 0);
  PALUKU_CHECK(pwrite(fd_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
}

InputFile::~InputFile() { close(fd_); }

std::vector<std::string_view> PartsOf(std::string_view bytes, std::size_t most) {
  constexpr std::string_view kBorder = "\n\x1f\n";
  std::vector<std::string_view> parts;
  while (parts.size() < most) {
    const std::size_t border = bytes.find(kBorder);
    parts.push_back(bytes.substr(0, border));
    if (border == std::string_view::npos) break;
    bytes.remove_prefix(border + kBorder.size());
  }
  return parts;
}

InputFolder::InputFolder()
    : path_((std::filesystem::temp_directory_path() / "paluku-fuzz-XXXXXX").string()) {
  PALUKU_CHECK(mkdtemp(path_.data()) != nullptr);
}

InputFolder::~InputFolder() { std::filesystem::remove_all(path_); }

void InputFolder::Fill(const std::vector<std::pair<std::string, std::string_view>>& files) const {
  const std::filesystem::path folder(path_);
  for (const auto& old : std::filesystem::directory_iterator(folder))
    std::filesystem::remove(old.path());
  for (const auto& [name, bytes] : files) {
    if (bytes.empty()) continue;
    std::ofstream(folder / name, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
}

GuardedTail::GuardedTail(std::span<const std::byte> mapping)
    : begin_(mapping.data() + mapping.size()) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  size_ = (page - mapping.size() % page) % page;
#ifdef PALUKU_WITH_ASAN
  __asan_poison_memory_region(begin_, size_);
#endif
}

GuardedTail::~GuardedTail() {
#ifdef PALUKU_WITH_ASAN
  __asan_unpoison_memory_region(begin_, size_);
#endif
}

}  // namespace paluku::test
