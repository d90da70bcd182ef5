// SentencePieces: how text becomes symbols in the manner of SentencePiece, before any merge.
//
// Spaces are written as U+2581, one may go before the text, and nothing else is normalised. A
// symbol is a character, or the bytes of one that is no token. There are no words: to keep pieces
// short, text is cut between two characters that no token holds side by side, which changes
// nothing, because no token could ever reach over such a place. Const after Create, safe on any
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "engine/text/seeded_hash.h"
#include "engine/text/vocabulary.h"

namespace paluku {

class SentencePieces {
 public:
  struct Token {
    std::string_view text;  // as stored, valid UTF-8
    std::int32_t id = 0;
  };
  // `tokens` are those that text may become; `bytes` the tokens of single bytes. After a stop
  // request it is left half made.
  SentencePieces(const std::vector<Token>& tokens, const std::array<std::int32_t, 256>& bytes,
                 SpacePrefix prefix, bool words_begin_at_spaces, const std::stop_token& stop);

  // `at_start`: nothing stands before `text`.
  std::string Normalise(std::string_view text, bool at_start) const;
  // As PreTokenizer::Split, of normalised text.
  void Split(std::string_view text, std::vector<std::size_t>& ends) const;
  void AppendSymbols(std::string_view piece, std::vector<std::int32_t>& symbols) const;

  bool BeginsWord(std::string_view piece) const;
  bool prefixes() const { return prefix_ != SpacePrefix::kNone; }

 private:
  bool MayJoin(char32_t left, char32_t right) const;

  std::vector<std::int32_t> characters_;  // [code point] the token of this character alone, or -1
  std::array<std::int32_t, 256> bytes_;
  std::unordered_set<std::uint64_t, SeededHash> neighbours_;  // pairs that some token holds
  SpacePrefix prefix_;
  bool words_begin_at_spaces_;
};

// The bytes that a stored token stands for: U+2581 is a space.
std::string BytesOfSentencePiece(std::string_view stored);

}  // namespace paluku
