#include "engine/text/byte_alphabet.h"

#include <array>

#include "engine/base/utf8.h"

namespace paluku {
namespace {

constexpr int kCharacters = 0x100 + 68;

constexpr bool Prints(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xFF && byte != 0xAD);
}

// Byte of every character of the alphabet, -1 for the others.
constexpr std::array<int, kCharacters> MakeBytes() {
  std::array<int, kCharacters> bytes{};
  int next = 0x100;
  for (int& byte : bytes) byte = -1;
  for (int byte = 0; byte < 256; ++byte) bytes[Prints(byte) ? byte : next++] = byte;
  return bytes;
}
constexpr std::array<int, kCharacters> kBytes = MakeBytes();

}  // namespace

std::optional<std::string> BytesOfStoredToken(std::string_view stored) {
  std::string bytes;
  while (!stored.empty()) {
    if (ValidUtf8Prefix(stored) == 0) return std::nullopt;
    std::size_t length = 0;
    const char32_t character = DecodeUtf8(stored, &length);
    if (character >= kCharacters || kBytes[character] < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(kBytes[character]));
    stored.remove_prefix(length);
  }
  return bytes;
}

std::string StoredTokenOfBytes(std::string_view bytes) {
  static const auto kStored = [] {
    std::array<char32_t, 256> stored{};
    for (std::size_t c = 0; c < kBytes.size(); ++c)
      if (kBytes[c] >= 0) stored[static_cast<std::size_t>(kBytes[c])] = static_cast<char32_t>(c);
    return stored;
  }();
  std::string stored;
  for (const char byte : bytes) AppendUtf8(stored, kStored[static_cast<unsigned char>(byte)]);
  return stored;
}

}  // namespace paluku
