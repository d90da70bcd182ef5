#include "engine/text/tokenizer_folder.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "engine/base/json_bounds.h"

namespace paluku {
namespace {

namespace fs = std::filesystem;

// Deep nesting would exhaust the stack when the value is destroyed, and many small values the
// memory; no tokenizer file has either.
constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMostEnds = 64;

// The bytes of a text for a parser, which end early when a stop is requested.
class Letters {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Letters(const char* at, const std::stop_token& stop) : at_(at), stop_(&stop) {}
  reference operator*() const { return *at_; }
  Letters& operator++() {
    ++at_;
    return *this;
  }
  bool operator!=(const Letters& end) const {
    const bool looks = reinterpret_cast<std::uintptr_t>(at_) % kBetweenLooks == 0;
    return at_ != end.at_ && !(looks && stop_->stop_requested());
  }

 private:
  static constexpr std::uintptr_t kBetweenLooks = 4096;
  const char* at_;
  const std::stop_token* stop_;
};

bool Exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
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

// One template, or several by name, of which "default" is meant for conversations.
std::string TemplateOf(const Json& config) {
  const Json& value = At(config, "chat_template");
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return {};
  for (const Json& named : value)
    if (StringAt(named, "name") == "default") return StringAt(named, "template");
  return {};
}

Status ReadConfig(const std::string& path, Vocabulary& vocabulary) {
  PALUKU_ASSIGN_OR_RETURN(const Json config, ReadTokenizerJson(path));
  vocabulary.bos = FindId(vocabulary, TokenText(config, "bos_token"));
  vocabulary.eos = FindId(vocabulary, TokenText(config, "eos_token"));
  vocabulary.pad = FindId(vocabulary, TokenText(config, "pad_token"));
  const Json& add_bos = At(config, "add_bos_token");
  if (add_bos.is_boolean()) vocabulary.add_bos = add_bos.get<bool>();
  vocabulary.chat_template = TemplateOf(config);
  if (vocabulary.chat_template.size() > kVocabularyLimits.template_bytes)
    return Fail(ErrorCode::kLimitExceeded, path, "chat_template");
  return {};
}

// "eos_token_id" is one id or several. Only added tokens count: what a tiny or careless
// configuration leaves at its default is a letter like any other.
Status ReadEnds(const std::string& path, Vocabulary& vocabulary) {
  PALUKU_ASSIGN_OR_RETURN(const Json config, ReadTokenizerJson(path));
  const Json& ends = At(config, "eos_token_id");
  const Json list = ends.is_array() ? ends : Json::array({ends});
  if (list.size() > kMostEnds) return Fail(ErrorCode::kLimitExceeded, path, "eos_token_id");
  for (const Json& end : list) {
    if (!end.is_number_unsigned() || end.get<std::uint64_t>() >= vocabulary.types.size()) continue;
    const auto id = end.get<std::int32_t>();
    const TokenType type = vocabulary.types[static_cast<std::size_t>(id)];
    if (type != TokenType::kControl && type != TokenType::kUserDefined) continue;
    if (!vocabulary.eos) vocabulary.eos = id;
    if (id != vocabulary.eos) vocabulary.end_of_turn.push_back(id);
  }
  return {};
}

}  // namespace

const Json& At(const Json& object, const char* key) {
  static const Json kNothing;
  if (!object.is_object()) return kNothing;
  const auto found = object.find(key);
  return found == object.end() ? kNothing : *found;
}

std::string StringAt(const Json& object, const char* key) {
  const Json& value = At(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

Result<std::string> ReadTokenizerFile(const std::string& path, std::size_t limit) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) return tl::unexpected(ErrorFromErrno(error.value(), path));
  if (size > limit) return Fail(ErrorCode::kLimitExceeded, path, "size of the file");
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  std::string text(size, '\0');
  if (!stream.read(text.data(), static_cast<std::streamsize>(size)))
    return tl::unexpected(ErrorFromErrno(errno == 0 ? EIO : errno, path));
  return text;
}

Result<Json> ReadTokenizerJson(const std::string& path, const std::stop_token& stop) {
  PALUKU_ASSIGN_OR_RETURN(const std::string text,
                          ReadTokenizerFile(path, kVocabularyLimits.json_bytes));
  if (const char* excess = JsonExcess(text, kMaxDepth, kVocabularyLimits.json_values))
    return Fail(ErrorCode::kLimitExceeded, path, excess);
  const char* end = text.data() + text.size();
  Json json = Json::parse(Letters(text.data(), stop), Letters(end, stop), nullptr,
                          /*allow_exceptions=*/false);
  if (stop.stop_requested()) return Fail(ErrorCode::kCancelled);
  if (!json.is_object()) return Fail(ErrorCode::kFileDamaged, path, "not a JSON object");
  return json;
}

Status ReadTokenizerFolder(const std::string& folder, Vocabulary& vocabulary) {
  const fs::path config = fs::path(folder) / "tokenizer_config.json";
  if (Exists(config)) PALUKU_TRY(ReadConfig(config.string(), vocabulary));
  const fs::path own = fs::path(folder) / "chat_template.jinja";
  if (Exists(own)) {
    PALUKU_ASSIGN_OR_RETURN(vocabulary.chat_template,
                            ReadTokenizerFile(own.string(), kVocabularyLimits.template_bytes));
  }
  // Without a configuration: the tokens that DeepSeek's vocabularies and SentencePiece's call so.
  const bool pieces = vocabulary.kind != VocabularyKind::kByteLevel;
  if (!vocabulary.bos)
    vocabulary.bos = FindId(vocabulary, pieces ? "<s>" : "<｜begin▁of▁sentence｜>");
  if (!vocabulary.eos)
    vocabulary.eos = FindId(vocabulary, pieces ? "</s>" : "<｜end▁of▁sentence｜>");
  const fs::path generation = fs::path(folder) / "generation_config.json";
  return Exists(generation) ? ReadEnds(generation.string(), vocabulary) : Status();
}

}  // namespace paluku
