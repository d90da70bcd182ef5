#include <limits>

#include "engine/base/utf8.h"
#include "engine/loader/model_file.h"
#include "engine/text/pretokenizer_patterns.h"
#include "engine/text/vocabulary.h"

namespace paluku {
namespace {

constexpr std::string_view kTokensKey = "tokenizer.ggml.tokens";
constexpr std::string_view kTypesKey = "tokenizer.ggml.token_type";
constexpr std::string_view kMergesKey = "tokenizer.ggml.merges";
constexpr std::string_view kBosKey = "tokenizer.ggml.bos_token_id";
constexpr std::string_view kEosKey = "tokenizer.ggml.eos_token_id";
constexpr std::string_view kScoresKey = "tokenizer.ggml.scores";

Status ReadTokens(const ModelFile& file, Vocabulary& vocabulary) {
  PALUKU_ASSIGN_OR_RETURN(const auto tokens, file.Strings(kTokensKey));
  if (tokens.empty()) return Fail(ErrorCode::kBadValue, file.path(), std::string(kTokensKey));
  if (tokens.size() > kVocabularyLimits.tokens)
    return Fail(ErrorCode::kLimitExceeded, file.path(), "tokens");
  vocabulary.tokens.reserve(tokens.size());
  for (const std::string_view token : tokens) {
    if (token.size() > kVocabularyLimits.token_bytes)
      return Fail(ErrorCode::kLimitExceeded, file.path(), "length of a token");
    vocabulary.tokens.emplace_back(token);
  }
  return {};
}

Status ReadTypes(const ModelFile& file, Vocabulary& vocabulary) {
  vocabulary.types.assign(vocabulary.tokens.size(), TokenType::kNormal);
  if (!file.Has(kTypesKey)) return {};
  PALUKU_ASSIGN_OR_RETURN(const auto types, file.Integers(kTypesKey));
  if (types.size() != vocabulary.tokens.size())
    return Fail(ErrorCode::kBadValue, file.path(), std::string(kTypesKey));
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (types[i] < 1 || types[i] > 6)
      return Fail(ErrorCode::kBadValue, file.path(), std::string(kTypesKey));
    vocabulary.types[i] = static_cast<TokenType>(types[i]);
  }
  return {};
}

// "left right": neither part is empty, and the first space after the first byte parts them (a space
// inside a token is stored as U+0120).
Status ReadMerges(const ModelFile& file, Vocabulary& vocabulary) {
  PALUKU_ASSIGN_OR_RETURN(const auto merges, file.Strings(kMergesKey));
  if (merges.size() > kVocabularyLimits.merges)
    return Fail(ErrorCode::kLimitExceeded, file.path(), "merges");
  vocabulary.merges.reserve(merges.size());
  for (const std::string_view merge : merges) {
    const std::size_t space = merge.find(' ', 1);
    if (space == std::string_view::npos || space + 1 == merge.size())
      return Fail(ErrorCode::kBadValue, file.path(), std::string(kMergesKey));
    vocabulary.merges.push_back(
        {std::string(merge.substr(0, space)), std::string(merge.substr(space + 1))});
  }
  return {};
}

// An absent id, or the "none" that some converters write (all ones), is no id.
Result<std::optional<std::int32_t>> ReadId(const ModelFile& file, std::string_view key,
                                           std::size_t n_vocab) {
  constexpr std::uint64_t kNone = std::numeric_limits<std::uint32_t>::max();
  if (!file.Has(key)) return std::optional<std::int32_t>();
  PALUKU_ASSIGN_OR_RETURN(const std::uint64_t id, file.Integer(key, 0, kNone));
  if (id == kNone) return std::optional<std::int32_t>();
  if (id >= n_vocab) return Fail(ErrorCode::kBadValue, file.path(), std::string(key));
  return std::optional<std::int32_t>(static_cast<std::int32_t>(id));
}

Status ReadSpecialIds(const ModelFile& file, Vocabulary& vocabulary) {
  const std::size_t n_vocab = vocabulary.tokens.size();
  PALUKU_ASSIGN_OR_RETURN(vocabulary.bos, ReadId(file, kBosKey, n_vocab));
  PALUKU_ASSIGN_OR_RETURN(vocabulary.eos, ReadId(file, kEosKey, n_vocab));
  PALUKU_ASSIGN_OR_RETURN(vocabulary.pad, ReadId(file, "tokenizer.ggml.padding_token_id", n_vocab));
  for (const std::string_view key :
       {"tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) {
    PALUKU_ASSIGN_OR_RETURN(const auto id, ReadId(file, key, n_vocab));
    if (id) vocabulary.end_of_turn.push_back(*id);
  }
  return {};
}

// Merges may be missing where the pre-tokenizer's name says how to do without.
Status ReadByteLevel(const ModelFile& file, Vocabulary& vocabulary) {
  PALUKU_ASSIGN_OR_RETURN(vocabulary.pre_tokenizer, file.String("tokenizer.ggml.pre"));
  const auto traits = FindPreTokenizer(vocabulary.pre_tokenizer);
  vocabulary.ignores_merges = traits && traits->ignores_merges;
  vocabulary.add_bos = traits && traits->adds_bos;
  if (!file.Has(kMergesKey) && traits && traits->merges_by_id) return {};
  return ReadMerges(file, vocabulary);
}

// The model "llama": SentencePiece, whose merges are told by scores. Where ids are missing, those
// that SentencePiece gives by default.
Status ReadSentencePiece(const ModelFile& file, Vocabulary& vocabulary) {
  vocabulary.kind = VocabularyKind::kSentencePiece;
  PALUKU_ASSIGN_OR_RETURN(vocabulary.prefix_space,
                          file.BoolOr("tokenizer.ggml.add_space_prefix", true));
  PALUKU_ASSIGN_OR_RETURN(const auto scores, file.Floats(kScoresKey));
  if (scores.size() != vocabulary.tokens.size())
    return Fail(ErrorCode::kBadValue, file.path(), std::string(kScoresKey));
  vocabulary.scores.assign(scores.begin(), scores.end());
  if (vocabulary.tokens.size() > 2) {
    if (!file.Has(kBosKey)) vocabulary.bos = 1;
    if (!file.Has(kEosKey)) vocabulary.eos = 2;
  }
  return {};
}

}  // namespace

Result<Vocabulary> VocabularyFromGguf(const ModelFile& file) {
  PALUKU_ASSIGN_OR_RETURN(const std::string_view model, file.String("tokenizer.ggml.model"));
  if (model != "gpt2" && model != "llama")
    return Fail(ErrorCode::kUnsupportedTokenizer, file.path(), PlainLine(model, 64));
  Vocabulary vocabulary;
  vocabulary.origin = file.path();
  PALUKU_TRY(ReadTokens(file, vocabulary));
  PALUKU_TRY(ReadTypes(file, vocabulary));
  PALUKU_TRY(ReadSpecialIds(file, vocabulary));
  PALUKU_TRY(model == "gpt2" ? ReadByteLevel(file, vocabulary)
                             : ReadSentencePiece(file, vocabulary));
  PALUKU_ASSIGN_OR_RETURN(vocabulary.add_bos,
                          file.BoolOr("tokenizer.ggml.add_bos_token", vocabulary.add_bos));
  PALUKU_ASSIGN_OR_RETURN(const std::string_view source,
                          file.StringOr("tokenizer.chat_template", ""));
  if (source.size() > kVocabularyLimits.template_bytes)
    return Fail(ErrorCode::kLimitExceeded, file.path(), "tokenizer.chat_template");
  vocabulary.chat_template = source;
  return vocabulary;
}

}  // namespace paluku
