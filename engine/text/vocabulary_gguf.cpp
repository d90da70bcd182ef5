#include <algorithm>
#include <limits>

#include "engine/base/utf8.h"
#include "engine/loader/model_file.h"
#include "engine/text/pretokenizer_patterns.h"
#include "engine/text/vocabulary.h"

namespace paluku {
namespace {

namespace keys = vocabulary_keys;

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
  if (!file.Has(keys::kEndOfTurn)) return {};
  PALUKU_ASSIGN_OR_RETURN(const auto ids, file.Integers(keys::kEndOfTurn));
  for (const std::int64_t id : ids) {
    if (id < 0 || static_cast<std::size_t>(id) >= n_vocab)
      return Fail(ErrorCode::kBadValue, file.path(), keys::kEndOfTurn);
    vocabulary.end_of_turn.push_back(static_cast<std::int32_t>(id));
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

// The models "llama", SentencePiece whose merges are told by scores, and "t5", its unigram kind.
// Where ids are missing, those that SentencePiece gives by default.
Status ReadSentencePiece(const ModelFile& file, bool unigram, Vocabulary& vocabulary) {
  vocabulary.kind = unigram ? VocabularyKind::kUnigram : VocabularyKind::kSentencePiece;
  constexpr auto kMost = static_cast<std::uint64_t>(SpacePrefix::kAtStart);
  PALUKU_ASSIGN_OR_RETURN(const bool prefix, file.BoolOr("tokenizer.ggml.add_space_prefix", true));
  PALUKU_ASSIGN_OR_RETURN(const std::uint64_t how,
                          file.IntegerOr(keys::kSpacePrefix, prefix ? 1 : 0, 0, kMost));
  vocabulary.space_prefix = static_cast<SpacePrefix>(how);
  PALUKU_ASSIGN_OR_RETURN(vocabulary.normaliser_marks_spaces,
                          file.BoolOr(keys::kNormaliserMarksSpaces, true));
  PALUKU_ASSIGN_OR_RETURN(vocabulary.words_begin_at_spaces,
                          file.BoolOr(keys::kWordsBeginAtSpaces, false));
  if (file.Has("tokenizer.ggml.precompiled_charsmap")) {
    return Fail(ErrorCode::kUnsupportedTokenizer, file.path(), "t5 with a map of characters");
  }
  PALUKU_ASSIGN_OR_RETURN(const bool strips,
                          file.BoolOr("tokenizer.ggml.remove_extra_whitespaces", false));
  if (strips) {
    return Fail(ErrorCode::kUnsupportedTokenizer, file.path(), "t5 that drops spaces");
  }
  PALUKU_ASSIGN_OR_RETURN(const auto scores, file.Floats(kScoresKey));
  if (scores.size() != vocabulary.tokens.size())
    return Fail(ErrorCode::kBadValue, file.path(), std::string(kScoresKey));
  vocabulary.scores.assign(scores.begin(), scores.end());
  const auto& types = vocabulary.types;
  if (unigram && std::find(types.begin(), types.end(), TokenType::kByte) == types.end()) {
    PALUKU_ASSIGN_OR_RETURN(vocabulary.unknown,
                            ReadId(file, "tokenizer.ggml.unknown_token_id", types.size()));
    const auto typed = std::find(types.begin(), types.end(), TokenType::kUnknown);
    if (!vocabulary.unknown && typed != types.end())
      vocabulary.unknown = static_cast<std::int32_t>(typed - types.begin());
  }
  if (vocabulary.tokens.size() > 2) {
    if (!file.Has(kBosKey)) vocabulary.bos = 1;
    if (!file.Has(kEosKey)) vocabulary.eos = 2;
  }
  return {};
}

// What only files of our own say.
Status ReadAdded(const ModelFile& file, Vocabulary& vocabulary) {
  PALUKU_ASSIGN_OR_RETURN(vocabulary.composes, file.BoolOr(keys::kComposes, false));
  if (!file.Has(keys::kAddedFlags)) return {};
  PALUKU_ASSIGN_OR_RETURN(const auto flags, file.Integers(keys::kAddedFlags));
  const bool right = std::all_of(flags.begin(), flags.end(),
                                 [](std::int64_t one) { return one >= 0 && one <= 15; });
  if (flags.size() != vocabulary.tokens.size() || !right)
    return Fail(ErrorCode::kBadValue, file.path(), keys::kAddedFlags);
  vocabulary.added_flags.assign(flags.begin(), flags.end());
  return {};
}

}  // namespace

Result<Vocabulary> VocabularyFromGguf(const ModelFile& file) {
  PALUKU_ASSIGN_OR_RETURN(const std::string_view model, file.String("tokenizer.ggml.model"));
  if (model != "gpt2" && model != "llama" && model != "t5")
    return Fail(ErrorCode::kUnsupportedTokenizer, file.path(), PlainLine(model, 64));
  Vocabulary vocabulary;
  vocabulary.origin = file.path();
  PALUKU_TRY(ReadTokens(file, vocabulary));
  PALUKU_TRY(ReadTypes(file, vocabulary));
  PALUKU_TRY(ReadSpecialIds(file, vocabulary));
  PALUKU_TRY(model == "gpt2" ? ReadByteLevel(file, vocabulary)
                             : ReadSentencePiece(file, model == "t5", vocabulary));
  PALUKU_TRY(ReadAdded(file, vocabulary));
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
