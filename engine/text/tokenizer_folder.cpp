#include "engine/text/tokenizer_folder.h"

#include <filesystem>
#include <optional>
#include <vector>

#include "engine/text/tokenizer_file.h"

namespace paluku {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostEnds = 64;

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
std::string TokenText(const JsonValue& config, std::string_view key) {
  const JsonValue value = config.At(key);
  return std::string(value.Text().value_or(value.At("content").Text().value_or("")));
}

// One template, or several by name, of which "default" is meant for conversations.
std::string TemplateOf(const JsonValue& config) {
  const JsonValue value = config.At("chat_template");
  if (const auto text = value.Text()) return std::string(*text);
  const auto by_name = value.Array();
  if (!by_name) return {};
  for (const JsonValue named : *by_name)
    if (StringAt(named, "name") == "default") return StringAt(named, "template");
  return {};
}

Status ReadConfig(const std::string& path, Vocabulary& vocabulary) {
  PALUKU_ASSIGN_OR_RETURN(const JsonDocument document, JsonDocument::Read(path));
  const JsonValue config = document.root();
  vocabulary.bos = FindId(vocabulary, TokenText(config, "bos_token"));
  vocabulary.eos = FindId(vocabulary, TokenText(config, "eos_token"));
  vocabulary.pad = FindId(vocabulary, TokenText(config, "pad_token"));
  const JsonValue add_bos = config.At("add_bos_token");
  if (add_bos.Is(true) || add_bos.Is(false)) vocabulary.add_bos = add_bos.Is(true);
  vocabulary.chat_template = TemplateOf(config);
  if (vocabulary.chat_template.size() > kVocabularyLimits.template_bytes)
    return Fail(ErrorCode::kLimitExceeded, path, "chat_template");
  return {};
}

// "eos_token_id" is one id or several. Only added tokens count: what a tiny or careless
// configuration leaves at its default is a letter like any other.
Status ReadEnds(const std::string& path, Vocabulary& vocabulary) {
  PALUKU_ASSIGN_OR_RETURN(const JsonDocument document, JsonDocument::Read(path));
  const JsonValue ends = document.root().At("eos_token_id");
  std::vector<JsonValue> list = {ends};
  if (const auto several = ends.Array()) {
    if (several->size() > kMostEnds) return Fail(ErrorCode::kLimitExceeded, path, "eos_token_id");
    list.assign(several->begin(), several->end());
  }
  for (const JsonValue& end : list) {
    const auto number = end.Unsigned();
    if (!number || *number >= vocabulary.types.size()) continue;
    const auto id = static_cast<std::int32_t>(*number);
    const TokenType type = vocabulary.types[*number];
    if (type != TokenType::kControl && type != TokenType::kUserDefined) continue;
    if (!vocabulary.eos) vocabulary.eos = id;
    if (id != vocabulary.eos) vocabulary.end_of_turn.push_back(id);
  }
  return {};
}

}  // namespace

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
