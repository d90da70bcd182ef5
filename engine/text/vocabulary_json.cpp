#include <algorithm>
#include <filesystem>

#include "engine/text/tokenizer_file.h"
#include "engine/text/tokenizer_folder.h"
#include "engine/text/tokenizer_json_pipeline.h"
#include "engine/text/vocabulary.h"

namespace paluku {
namespace {

// Ids may leave holes, but not so many that a short file fills the memory with them.
std::size_t EndOfIds(std::size_t words, std::size_t added) {
  return std::min(kVocabularyLimits.tokens, 4096 + 2 * (words + added));
}

// Puts `text` at `id`, which is below `end`; ids may come in any order, but each only once.
Status Place(Vocabulary& vocabulary, std::size_t end, std::optional<std::uint64_t> id,
             std::string_view text, TokenType type) {
  if (!id || *id >= end) return Fail(ErrorCode::kBadValue, vocabulary.origin, "id of a token");
  if (text.size() > kVocabularyLimits.token_bytes)
    return Fail(ErrorCode::kLimitExceeded, vocabulary.origin, "length of a token");
  const std::size_t index = *id;
  if (index >= vocabulary.tokens.size()) {
    vocabulary.tokens.resize(index + 1);
    vocabulary.types.resize(index + 1, TokenType::kUnused);
  }
  std::string& place = vocabulary.tokens[index];
  if (!place.empty() && place != text)
    return Fail(ErrorCode::kBadValue, vocabulary.origin, "two tokens with one id");
  place = text;
  vocabulary.types[index] = type;
  return {};
}

TokenType TypeOf(const Vocabulary& vocabulary, std::string_view text) {
  const bool bytes = vocabulary.kind != VocabularyKind::kByteLevel && !vocabulary.unknown;
  return bytes && IsByteName(text) ? TokenType::kByte : TokenType::kNormal;
}

// The two values of an array of two; nothing twice otherwise.
std::pair<JsonValue, JsonValue> PairOf(const JsonValue& value) {
  const auto array = value.Array();
  if (!array || array->size() != 2) return {};
  return {*array->begin(), *++array->begin()};
}

// Tokens of a BPE model: an object of ids by text.
Status ReadWords(const simdjson::dom::object& words, std::size_t end, const std::stop_token& stop,
                 Vocabulary& vocabulary) {
  for (const auto& [text, id] : words) {
    if (stop.stop_requested()) return Fail(ErrorCode::kCancelled);
    PALUKU_TRY(Place(vocabulary, end, JsonValue(id).Unsigned(), text, TypeOf(vocabulary, text)));
  }
  return {};
}

// Tokens of a unigram model: a list of [text, score], whose places are the ids.
Status ReadScored(const simdjson::dom::array& words, std::size_t end, const std::stop_token& stop,
                  Vocabulary& vocabulary) {
  std::uint64_t id = 0;
  for (const JsonValue word : words) {
    if (stop.stop_requested()) return Fail(ErrorCode::kCancelled);
    const auto [first, second] = PairOf(word);
    const auto text = first.Text();
    const auto score = second.Number();
    if (!text || !score) return Fail(ErrorCode::kBadValue, vocabulary.origin, "model.vocab");
    PALUKU_TRY(Place(vocabulary, end, id++, *text, TypeOf(vocabulary, *text)));
    vocabulary.scores.push_back(static_cast<float>(*score));
  }
  return {};
}

std::uint8_t FlagsOf(const JsonValue& added) {
  int flags = 0;
  if (added.At("lstrip").Is(true)) flags |= kTakesSpaceBefore;
  if (added.At("rstrip").Is(true)) flags |= kTakesSpaceAfter;
  if (added.At("single_word").Is(true)) flags |= kWholeWordOnly;
  if (added.At("normalized").Is(true)) flags |= kAfterNormalising;
  return static_cast<std::uint8_t>(flags);
}

Status ReadAdded(const JsonValue& added, std::size_t end, Vocabulary& vocabulary) {
  const auto id = added.At("id").Unsigned();
  const TokenType type =
      added.At("special").Is(true) ? TokenType::kControl : TokenType::kUserDefined;
  PALUKU_TRY(Place(vocabulary, end, id, StringAt(added, "content"), type));
  vocabulary.added_flags.resize(vocabulary.tokens.size());
  if (id) vocabulary.added_flags[*id] = FlagsOf(added);
  return {};
}

Status ReadTokens(const JsonValue& root, const std::stop_token& stop, Vocabulary& vocabulary) {
  const bool unigram = vocabulary.kind == VocabularyKind::kUnigram;
  const JsonValue words = root.At("model").At("vocab");
  const auto scored = unigram ? words.Array() : std::nullopt;
  const auto listed = unigram ? std::nullopt : words.Object();
  const auto added_tokens = root.At("added_tokens").Array();
  const std::size_t added_count = added_tokens ? added_tokens->size() : 0;
  std::size_t end = 0;
  if (scored && scored->size() > 0) {
    end = EndOfIds(scored->size(), added_count);
    PALUKU_TRY(ReadScored(*scored, end, stop, vocabulary));
  } else if (listed && listed->size() > 0) {
    end = EndOfIds(listed->size(), added_count);
    PALUKU_TRY(ReadWords(*listed, end, stop, vocabulary));
  } else {
    return Fail(ErrorCode::kMissingKey, vocabulary.origin, "model.vocab");
  }
  if (added_tokens) {
    for (const JsonValue added : *added_tokens) PALUKU_TRY(ReadAdded(added, end, vocabulary));
  }
  vocabulary.added_flags.resize(vocabulary.tokens.size());
  if (unigram) vocabulary.scores.resize(vocabulary.tokens.size());
  return {};
}

// Newer files write a merge as ["a", "b"], older ones as "a b". Without parts where it is neither.
Merge MergeOf(const JsonValue& merge) {
  if (const auto text = merge.Text()) {
    const std::size_t space = text->find(' ', 1);
    if (space == std::string_view::npos) return {};
    return {std::string(text->substr(0, space)), std::string(text->substr(space + 1))};
  }
  const auto [left, right] = PairOf(merge);
  return {std::string(left.Text().value_or("")), std::string(right.Text().value_or(""))};
}

Status ReadMerges(const JsonValue& root, const std::stop_token& stop, Vocabulary& vocabulary) {
  const auto merges = root.At("model").At("merges").Array();
  if (!merges) return Fail(ErrorCode::kMissingKey, vocabulary.origin, "model.merges");
  if (merges->size() > kVocabularyLimits.merges)
    return Fail(ErrorCode::kLimitExceeded, vocabulary.origin, "merges");
  vocabulary.merges.reserve(merges->size());
  for (const JsonValue merge : *merges) {
    if (stop.stop_requested()) return Fail(ErrorCode::kCancelled);
    Merge parts = MergeOf(merge);
    if (parts.left.empty() || parts.right.empty())
      return Fail(ErrorCode::kBadValue, vocabulary.origin, "model.merges");
    vocabulary.merges.push_back(std::move(parts));
  }
  return {};
}

}  // namespace

Result<Vocabulary> VocabularyFromTokenizerJson(const std::string& path,
                                               const std::stop_token& stop) {
  PALUKU_ASSIGN_OR_RETURN(const JsonDocument document, JsonDocument::Read(path, stop));
  const JsonValue root = document.root();
  Vocabulary vocabulary;
  vocabulary.origin = path;
  PALUKU_TRY(ReadPipeline(root, vocabulary));
  PALUKU_TRY(ReadTokens(root, stop, vocabulary));
  if (vocabulary.kind != VocabularyKind::kUnigram) PALUKU_TRY(ReadMerges(root, stop, vocabulary));
  PALUKU_TRY(ReadTokenizerFolder(std::filesystem::path(path).parent_path().string(), vocabulary));
  return vocabulary;
}

}  // namespace paluku
