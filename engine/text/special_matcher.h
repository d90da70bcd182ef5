// SpecialMatcher: finds whole special tokens in text: the leftmost, and of those the longest, with
// the white space around them that they take in. As Hugging Face's AddedVocabulary finds them.
// Const after construction, safe on any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace paluku {

class SpecialMatcher {
 public:
  struct Token {
    std::string text;
    std::int32_t id = 0;
    std::uint8_t flags = 0;  // of AddedTokenFlag
  };
  struct Match {
    std::size_t begin = 0;  // white space taken in included
    std::size_t end = 0;
    std::int32_t id = 0;
  };

  // Tokens whose text is empty or not valid UTF-8 are never found, so that a match cannot cut a
  // character. Of equal texts the lowest id wins.
  explicit SpecialMatcher(std::vector<Token> tokens);

  // The first match at or after `from`, where an earlier one may have ended. `text` must be valid
  // UTF-8.
  std::optional<Match> Find(std::string_view text, std::size_t from) const;
  std::optional<std::int32_t> IdOf(std::string_view text) const;

 private:
  const Token* LongestAt(std::string_view text, std::size_t begin) const;

  std::vector<Token> tokens_;                          // sorted by text
  std::vector<bool> starts_ = std::vector<bool>(256);  // bytes that some token starts with
};

}  // namespace paluku
