#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/text/tokenizer_json_pipeline.h"
#include "engine/text/vocabulary.h"

namespace paluku {
namespace {

Result<std::string> ReadWhole(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return tl::unexpected(ErrorFromErrno(error.value(), path));
  if (size > kVocabularyLimits.json_bytes)
    return Fail(ErrorCode::kLimitExceeded, path, "size of the file");
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  std::string text(size, '\0');
  if (!stream.read(text.data(), static_cast<std::streamsize>(size)))
    return tl::unexpected(ErrorFromErrno(errno == 0 ? EIO : errno, path));
  return text;
}

// Deep nesting would exhaust the stack when the value is destroyed, and many small values the
// memory; no tokenizer file has either.
constexpr int kMaxDepth = 64;

Result<Json> ParseJson(const std::string& path) {
  PALUKU_ASSIGN_OR_RETURN(const std::string text, ReadWhole(path));
  const char* too_much = nullptr;
  std::size_t values = 0;
  // What comes once a limit is passed is read over and not kept.
  const auto watch = [&](int depth, Json::parse_event_t event, Json&) {
    if (depth > kMaxDepth) too_much = "depth of the JSON";
    if (event != Json::parse_event_t::object_end && event != Json::parse_event_t::array_end)
      ++values;
    if (values > kVocabularyLimits.json_values) too_much = "number of values in the JSON";
    return too_much == nullptr;
  };
  Json json = Json::parse(text, watch, /*allow_exceptions=*/false);
  if (too_much != nullptr) return Fail(ErrorCode::kLimitExceeded, path, too_much);
  if (!json.is_object()) return Fail(ErrorCode::kFileDamaged, path, "not a JSON object");
  return json;
}

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

Status ReadTokens(const Json& root, Vocabulary& vocabulary) {
  const Json& words = At(At(root, "model"), "vocab");
  if (!words.is_object() || words.empty())
    return Fail(ErrorCode::kMissingKey, vocabulary.origin, "model.vocab");
  const Json& added_tokens = At(root, "added_tokens");
  const std::size_t end = EndOfIds(words, added_tokens);
  const bool bytes = vocabulary.kind == VocabularyKind::kSentencePiece;
  for (const auto& [text, id] : words.items())
    PALUKU_TRY(Place(vocabulary, end, id, text,
                     bytes && IsByteName(text) ? TokenType::kByte : TokenType::kNormal));
  for (const Json& added : added_tokens) {
    const bool special = At(added, "special") == true;
    PALUKU_TRY(Place(vocabulary, end, At(added, "id"), StringAt(added, "content"),
                     special ? TokenType::kControl : TokenType::kUserDefined));
  }
  return {};
}

// Newer files write a merge as ["a", "b"], older ones as "a b".
Status ReadMerges(const Json& root, Vocabulary& vocabulary) {
  const Json& merges = At(At(root, "model"), "merges");
  if (!merges.is_array()) return Fail(ErrorCode::kMissingKey, vocabulary.origin, "model.merges");
  if (merges.size() > kVocabularyLimits.merges)
    return Fail(ErrorCode::kLimitExceeded, vocabulary.origin, "merges");
  vocabulary.merges.reserve(merges.size());
  for (const Json& merge : merges) {
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

std::optional<std::int32_t> FindId(const Vocabulary& vocabulary, const std::string& text) {
  for (std::size_t i = 0; i < vocabulary.tokens.size() && !text.empty(); ++i)
    if (vocabulary.tokens[i] == text && vocabulary.types[i] != TokenType::kUnused)
      return static_cast<std::int32_t>(i);
  return std::nullopt;
}

// "bos_token" and its like are a string or an added-token object.
std::string TokenText(const Json& config, const char* key) {
  const Json& value = At(config, key);
  return value.is_string() ? value.get<std::string>() : StringAt(value, "content");
}

Status ReadConfig(const std::string& path, Vocabulary& vocabulary) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return {};
  PALUKU_ASSIGN_OR_RETURN(const Json config, ParseJson(path));
  vocabulary.bos = FindId(vocabulary, TokenText(config, "bos_token"));
  vocabulary.eos = FindId(vocabulary, TokenText(config, "eos_token"));
  vocabulary.pad = FindId(vocabulary, TokenText(config, "pad_token"));
  const Json& add_bos = At(config, "add_bos_token");
  if (add_bos.is_boolean()) vocabulary.add_bos = add_bos.get<bool>();
  vocabulary.chat_template = StringAt(config, "chat_template");
  if (vocabulary.chat_template.size() > kVocabularyLimits.template_bytes)
    return Fail(ErrorCode::kLimitExceeded, path, "chat_template");
  return {};
}

// Without a configuration: the tokens that DeepSeek's vocabularies and SentencePiece's call so.
void FindSpecialIdsByText(Vocabulary& vocabulary) {
  const bool pieces = vocabulary.kind == VocabularyKind::kSentencePiece;
  if (!vocabulary.bos)
    vocabulary.bos = FindId(vocabulary, pieces ? "<s>" : "<｜begin▁of▁sentence｜>");
  if (!vocabulary.eos)
    vocabulary.eos = FindId(vocabulary, pieces ? "</s>" : "<｜end▁of▁sentence｜>");
}

}  // namespace

Result<Vocabulary> VocabularyFromTokenizerJson(const std::string& path) {
  PALUKU_ASSIGN_OR_RETURN(const Json root, ParseJson(path));
  Vocabulary vocabulary;
  vocabulary.origin = path;
  PALUKU_TRY(ReadPipeline(root, vocabulary));
  PALUKU_TRY(ReadTokens(root, vocabulary));
  PALUKU_TRY(ReadMerges(root, vocabulary));
  const auto folder = std::filesystem::path(path).parent_path();
  PALUKU_TRY(ReadConfig((folder / "tokenizer_config.json").string(), vocabulary));
  FindSpecialIdsByText(vocabulary);
  return vocabulary;
}

}  // namespace paluku
