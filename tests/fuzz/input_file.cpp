#include "tests/fuzz/input_file.h"

#include <sys/mman.h>
#include <unistd.h>

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
