// Vocabularies for the tests of engine/text: a tiny one made here, and the published ones where
// PALUKU_TEST_DATA or ../shared/data holds them.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/utf8.h"
#include "engine/text/tokenizer.h"

namespace paluku {

// The stored form of a byte in the byte-level alphabet, written from its definition.
inline std::string StoredByte(int byte) {
  const auto prints = [](int b) {
    return (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || (b >= 0xAE && b <= 0xFF);
  };
  int shift = 0;
  for (int b = 0; b < byte; ++b) shift += prints(b) ? 0 : 1;
  std::string stored;
  AppendUtf8(stored, static_cast<char32_t>(prints(byte) ? byte : 0x100 + shift));
  return stored;
}

// 256 bytes in order (id = byte), then `merges` "a b" each with its result, then `special` as
// control tokens. BOS and EOS come first among them.
inline Vocabulary TinyVocabulary(const std::vector<std::pair<std::string, std::string>>& merges,
                                 const std::vector<std::string>& special,
                                 const std::string& pre_tokenizer = "deepseek-v3") {
  Vocabulary vocabulary;
  vocabulary.origin = "tiny";
  vocabulary.pre_tokenizer = pre_tokenizer;
  const auto add = [&](const std::string& text, TokenType type) {
    vocabulary.tokens.push_back(text);
    vocabulary.types.push_back(type);
    return static_cast<std::int32_t>(vocabulary.tokens.size() - 1);
  };
  for (int byte = 0; byte < 256; ++byte) add(StoredByte(byte), TokenType::kNormal);
  for (const auto& [left, right] : merges) {
    add(left + right, TokenType::kNormal);
    vocabulary.merges.push_back({left, right});
  }
  vocabulary.bos = add("<｜begin▁of▁sentence｜>", TokenType::kControl);
  vocabulary.eos = add("<｜end▁of▁sentence｜>", TokenType::kControl);
  for (const std::string& text : special) add(text, TokenType::kControl);
  return vocabulary;
}

inline std::string SharedData(const std::string& name) {
  const char* set = std::getenv("PALUKU_TEST_DATA");
  const std::filesystem::path root =
      set != nullptr ? std::filesystem::path(set)
                     : std::filesystem::path(PALUKU_SOURCE_DIR) / ".." / "shared" / "data";
  return (root / name).string();
}

inline std::string ReadFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace paluku
