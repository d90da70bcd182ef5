#include <algorithm>
#include <filesystem>

#include "engine/text/tokenizer_folder.h"
#include "engine/text/tokenizer_json_pipeline.h"
#include "engine/text/vocabulary.h"

namespace paluku {
namespace {

// Ids may leave holes, but not so many that a short file fills the memory with them.
std::size_t EndOfIds(const Json& words, const Json& added) {
  return std::min(kVocabularyLimits.tokens, 4096 + 2 * (words.size() + added.size()));
}

// Puts `text` at `id`, which is below `end`; ids may come in any order, but each only once.
Status Place(Vocabulary& vocabulary, std::size_t end, const Json& id, const std::string& text,
             TokenType type) {
  if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= end)
    return Fail(ErrorCode::kBadValue, vocabulary.origin, "id of a token");
  if (text.size() > kVocabularyLimits.token_bytes)
    return Fail(ErrorCode::kLimitExceeded, vocabulary.origin, "length of a token");
  const auto index = id.get<std::size_t>();
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

TokenType TypeOf(const Vocabulary& vocabulary, const std::string& text) {
  const bool bytes = vocabulary.kind != VocabularyKind::kByteLevel && !vocabulary.unknown;
  return bytes && IsByteName(text) ? TokenType::kByte : TokenType::kNormal;
}

// Tokens of a BPE model: an object of ids by text.
Status ReadWords(const Json& words, std::size_t end, const std::stop_token& stop,
                 Vocabulary& vocabulary) {
  for (const auto& [text, id] : words.items()) {
    if (stop.stop_requested()) return Fail(ErrorCode::kCancelled);
    PALUKU_TRY(Place(vocabulary, end, id, text, TypeOf(vocabulary, text)));
  }
  return {};
}

// Tokens of a unigram model: a list of [text, score], whose places are the ids.
Status ReadScored(const Json& words, std::size_t end, const std::stop_token& stop,
                  Vocabulary& vocabulary) {
  for (std::size_t id = 0; id < words.size(); ++id) {
    if (stop.stop_requested()) return Fail(ErrorCode::kCancelled);
    const Json& word = words[id];
    if (!word.is_array() || word.size() != 2 || !word[0].is_string() || !word[1].is_number())
      return Fail(ErrorCode::kBadValue, vocabulary.origin, "model.vocab");
    const auto text = word[0].get<std::string>();
    PALUKU_TRY(Place(vocabulary, end, id, text, TypeOf(vocabulary, text)));
    vocabulary.scores.push_back(word[1].get<float>());
  }
  return {};
}

std::uint8_t FlagsOf(const Json& added) {
  int flags = 0;
  if (At(added, "lstrip") == true) flags |= kTakesSpaceBefore;
  if (At(added, "rstrip") == true) flags |= kTakesSpaceAfter;
  if (At(added, "single_word") == true) flags |= kWholeWordOnly;
  if (At(added, "normalized") == true) flags |= kAfterNormalising;
  return static_cast<std::uint8_t>(flags);
}

Status ReadTokens(const Json& root, const std::stop_token& stop, Vocabulary& vocabulary) {
  const Json& words = At(At(root, "model"), "vocab");
  const bool unigram = vocabulary.kind == VocabularyKind::kUnigram;
  if (!(unigram ? words.is_array() : words.is_object()) || words.empty())
    return Fail(ErrorCode::kMissingKey, vocabulary.origin, "model.vocab");
  const Json& added_tokens = At(root, "added_tokens");
  const std::size_t end = EndOfIds(words, added_tokens);
  PALUKU_TRY(unigram ? ReadScored(words, end, stop, vocabulary)
                     : ReadWords(words, end, stop, vocabulary));
  std::vector<std::pair<std::size_t, std::uint8_t>> flags;
  for (const Json& added : added_tokens) {
    const bool special = At(added, "special") == true;
    PALUKU_TRY(Place(vocabulary, end, At(added, "id"), StringAt(added, "content"),
                     special ? TokenType::kControl : TokenType::kUserDefined));
    flags.emplace_back(At(added, "id").get<std::size_t>(), FlagsOf(added));
  }
  vocabulary.added_flags.resize(vocabulary.tokens.size());
  for (const auto& [id, of_token] : flags) vocabulary.added_flags[id] = of_token;
  if (unigram) vocabulary.scores.resize(vocabulary.tokens.size());
  return {};
}

// Newer files write a merge as ["a", "b"], older ones as "a b".
Status ReadMerges(const Json& root, const std::stop_token& stop, Vocabulary& vocabulary) {
  const Json& merges = At(At(root, "model"), "merges");
  if (!merges.is_array()) return Fail(ErrorCode::kMissingKey, vocabulary.origin, "model.merges");
  if (merges.size() > kVocabularyLimits.merges)
    return Fail(ErrorCode::kLimitExceeded, vocabulary.origin, "merges");
  vocabulary.merges.reserve(merges.size());
  for (const Json& merge : merges) {
    if (stop.stop_requested()) return Fail(ErrorCode::kCancelled);
    Merge parts;
    if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      parts = {merge[0].get<std::string>(), merge[1].get<std::string>()};
    } else if (merge.is_string()) {
      const auto text = merge.get<std::string>();
      const std::size_t space = text.find(' ', 1);
      if (space != std::string::npos) parts = {text.substr(0, space), text.substr(space + 1)};
    }
    if (parts.left.empty() || parts.right.empty())
      return Fail(ErrorCode::kBadValue, vocabulary.origin, "model.merges");
    vocabulary.merges.push_back(std::move(parts));
  }
  return {};
}

}  // namespace

Result<Vocabulary> VocabularyFromTokenizerJson(const std::string& path,
                                               const std::stop_token& stop) {
  PALUKU_ASSIGN_OR_RETURN(const Json root, ReadTokenizerJson(path, stop));
  Vocabulary vocabulary;
  vocabulary.origin = path;
  PALUKU_TRY(ReadPipeline(root, vocabulary));
  PALUKU_TRY(ReadTokens(root, stop, vocabulary));
  if (vocabulary.kind != VocabularyKind::kUnigram) PALUKU_TRY(ReadMerges(root, stop, vocabulary));
  PALUKU_TRY(ReadTokenizerFolder(std::filesystem::path(path).parent_path().string(), vocabulary));
  return vocabulary;
}

}  // namespace paluku
