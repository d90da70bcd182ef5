// TokenizerBuilder: checks a Vocabulary and makes the tables of a Tokenizer from it. Used once,
// by Tokenizer::Create.
#pragma once

#include <array>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/text/tokenizer.h"

namespace paluku {

struct Tokenizer::Parts {
  PreTokenizer pre_tokenizer;
  MergeTable merges;
  SpecialMatcher all;
  SpecialMatcher ordinary;
};

class TokenizerBuilder {
 public:
  explicit TokenizerBuilder(Vocabulary vocabulary);
  Result<std::shared_ptr<const Tokenizer>> Build();

 private:
  Status Check() const;
  void Classify();
  Result<std::array<std::int32_t, 256>> ByteIds() const;
  Result<MergeTable> Merges() const;
  SpecialMatcher Matcher(bool ordinary_only) const;
  void FillPieces(Tokenizer& tokenizer) const;
  void FillEnds(Tokenizer& tokenizer) const;

  // What a token is to the encoder.
  enum class Kind : std::uint8_t { kLearned, kControl, kWord, kUnused };

  Vocabulary vocabulary_;
  std::vector<Kind> kinds_;                                     // [n_vocab]
  std::unordered_map<std::string_view, std::int32_t> learned_;  // tokens that merges may make
};

}  // namespace paluku
