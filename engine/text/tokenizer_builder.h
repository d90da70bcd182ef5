// TokenizerBuilder: checks a Vocabulary and makes the tables of a Tokenizer from it. Used once, by
// Tokenizer::Create or MergesOfIds.
#pragma once

#include <array>
#include <memory>
#include <stop_token>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/text/tokenizer.h"

namespace paluku {

struct Tokenizer::Parts {
  PreTokenizer pre_tokenizer;
  std::array<std::int32_t, 256> byte_ids;
  std::optional<SentencePieces> sentence_pieces;
  std::optional<Unigram> unigram;
  MergeTable merges;
  SpecialMatcher any;
  AddedTokens all;
  AddedTokens ordinary;
};

class TokenizerBuilder {
 public:
  TokenizerBuilder(Vocabulary vocabulary, std::stop_token stop);
  Result<std::shared_ptr<const Tokenizer>> Build();
  // See MergesOfIds.
  Result<std::vector<Merge>> ListMerges();

 private:
  Status Check() const;
  void Classify();
  Status CheckSpecialTokens() const;
  bool IsSentencePiece() const { return vocabulary_.kind != VocabularyKind::kByteLevel; }
  bool IsUnigram() const { return vocabulary_.kind == VocabularyKind::kUnigram; }
  Result<std::array<std::int32_t, 256>> ByteIds() const;
  Status Proceed() const;
  SentencePieces Characters(const std::array<std::int32_t, 256>& byte_ids) const;
  Result<Unigram> UnigramModel(const std::array<std::int32_t, 256>& byte_ids) const;
  Result<MergeTable> Merges() const;
  Result<std::vector<MergeTable::Rule>> ListedRules() const;
  Result<std::vector<MergeTable::Rule>> RulesOfTokens() const;
  std::vector<std::uint32_t> Ranks() const;
  std::string Bytes(std::size_t id) const;
  std::uint8_t FlagsOf(std::size_t id) const;
  SpecialMatcher Matcher(bool ordinary_only, bool written, bool normalised) const;
  Tokenizer::AddedTokens Added(bool ordinary_only) const;
  std::string NormalisedText(std::size_t id) const;
  void FillPieces(Tokenizer& tokenizer) const;
  void FillWhole(Tokenizer& tokenizer) const;
  void FillEnds(Tokenizer& tokenizer) const;

  // What a token is to the encoder.
  enum class Kind : std::uint8_t { kLearned, kControl, kWord, kByte, kUnused };

  Vocabulary vocabulary_;
  std::stop_token stop_;
  std::vector<Kind> kinds_;                   // [n_vocab]
  std::optional<SentencePieces> characters_;  // of a SentencePiece vocabulary
  // Tokens that merges may make, as stored; of equal ones the first.
  std::unordered_map<std::string_view, std::int32_t, SeededHash> learned_;
};

}  // namespace paluku
