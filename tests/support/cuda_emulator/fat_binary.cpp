#include "tests/support/cuda_emulator/fat_binary.h"

#include <cstdint>
#include <cstring>

namespace paluku::emulator {
namespace {

struct Wrapper {
  std::int32_t magic;
  std::int32_t version;
  const char* data;
  const void* unused;
};

template <class T>
T ReadAt(const char* from, std::size_t offset) {
  T value;
  std::memcpy(&value, from + offset, sizeof(T));
  return value;
}

constexpr std::uint32_t kContainerMagic = 0xBA55ED50;
constexpr std::uint16_t kPtx = 1;

}  // namespace

std::vector<std::string> ExtractPtx(const void* wrapper, std::string& error) {
  // Container: magic u32, version u16, header size u16 at 6, payload size u64 at 8. Each entry:
  // kind u16 at 0, header size u32 at 4, payload size u64 at 8. Found by looking at nvcc 13's
  // output.
  const char* data = static_cast<const Wrapper*>(wrapper)->data;
  std::vector<std::string> texts;
  if (ReadAt<std::uint32_t>(data, 0) != kContainerMagic) {
    error = "not a fat binary of a known version";
    return texts;
  }
  const char* entry = data + ReadAt<std::uint16_t>(data, 6);
  const char* const end = entry + ReadAt<std::uint64_t>(data, 8);
  while (entry < end) {
    const auto header = ReadAt<std::uint32_t>(entry, 4);
    const auto payload = ReadAt<std::uint64_t>(entry, 8);
    if (ReadAt<std::uint16_t>(entry, 0) == kPtx) {
      std::string text(entry + header, payload);
      while (!text.empty() && text.back() == '\0') text.pop_back();
      if (text.find(".version") == std::string::npos) {
        error = "the PTX is compressed; compile with --compress-mode=none";
        return {};
      }
      texts.push_back(std::move(text));
    }
    entry += header + payload;
  }
  if (texts.empty()) error = "the object holds no PTX; compile with code=compute_XX";
  return texts;
}

}  // namespace paluku::emulator
