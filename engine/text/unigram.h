// Unigram: cuts text into the tokens whose scores (log probabilities) have the largest sum.
//
// The Viterbi search of SentencePiece's unigram model (Kudo 2018, arXiv 1804.10959) over a trie of
// the tokens. A character that no token is stands for its bytes, at ten less than the worst score,
// or is unknown: neighbours of that kind are one unknown token. Const after Create, safe on any
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/text/seeded_hash.h"

namespace paluku {

class Unigram {
 public:
  struct Token {
    std::string_view text;  // as stored, valid UTF-8, not empty
    std::int32_t id = 0;
    float score = 0;
  };
  // `bytes`: the tokens of single bytes; `unknown`: a token in their place; `worst`: the lowest
  // score of the vocabulary. Nothing when the tokens are longer, all together, than any real
  // vocabulary's, and after a stop request.
  static std::optional<Unigram> Create(const std::vector<Token>& tokens,
                                       const std::array<std::int32_t, 256>& bytes,
                                       std::optional<std::int32_t> unknown, float worst,
                                       const std::stop_token& stop);

  std::optional<std::int32_t> unknown() const { return unknown_token_; }
  // Appends the tokens of `piece` (valid UTF-8) to `ids`. Of equal sums the one whose last token
  // begins first wins. O(bytes * length of the longest token).
  void Append(std::string_view piece, std::vector<std::int32_t>& ids) const;

 private:
  // The best way to a place in the text.
  struct Path {
    double score = 0;
    std::size_t from = kNowhere;  // where its last token begins
    std::int32_t id = kNone;      // that token, or kNone for a character by its bytes
  };
  static constexpr std::size_t kNowhere = ~std::size_t{0};
  static constexpr std::int32_t kNone = -1;

  void Extend(std::string_view piece, std::size_t at, std::vector<Path>& best) const;
  std::uint32_t Child(std::uint32_t node, char byte) const;

  struct Node {
    std::int32_t id = kNone;
    float score = 0;
  };
  std::vector<Node> nodes_;                                                // the trie, root first
  std::unordered_map<std::uint64_t, std::uint32_t, SeededHash> children_;  // of node and byte
  std::array<std::int32_t, 256> bytes_ = {};
  std::optional<std::int32_t> unknown_token_;
  double unknown_ = 0;  // its score
};

}  // namespace paluku
