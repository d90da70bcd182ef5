// tiktoken.model, as Kimi's and Moonlight's checkpoints have it: a line "base64 rank" for every
// token, ranks from 0 upwards. Special tokens follow behind it, at least 256 of them; their texts
// stand in tokenizer_config.json under "added_tokens_decoder".
#include <algorithm>
#include <charconv>
#include <filesystem>

#include "engine/text/byte_alphabet.h"
#include "engine/text/pretokenizer_patterns.h"
#include "engine/text/tokenizer_file.h"
#include "engine/text/tokenizer_folder.h"
#include "engine/text/vocabulary.h"

namespace paluku {
namespace {

constexpr std::size_t kReservedTokens = 256;

int Base64Digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

// The bytes of padded base64 (RFC 4648, section 4); nothing for other text and for no bytes.
std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  std::string bytes;
  unsigned bits = 0;
  for (std::size_t i = 0; i < text.size() - padding; ++i) {
    const int digit = Base64Digit(text[i]);
    if (digit < 0) return std::nullopt;
    bits = bits << 6 | static_cast<unsigned>(digit);
    if (i % 4 != 0) bytes.push_back(static_cast<char>(bits >> (6 - 2 * (i % 4)) & 0xFF));
  }
  return bytes;
}

Status ReadLine(std::string_view line, Vocabulary& vocabulary) {
  const auto wrong = [&] {
    return Fail(ErrorCode::kFileDamaged, vocabulary.origin,
                "line " + std::to_string(vocabulary.tokens.size() + 1));
  };
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return wrong();
  std::size_t rank = 0;
  const char* end = line.data() + line.size();
  const auto [rest, error] = std::from_chars(line.data() + space + 1, end, rank);
  const auto bytes = DecodeBase64(line.substr(0, space));
  if (error != std::errc() || rest != end || rank != vocabulary.tokens.size() || !bytes)
    return wrong();
  if (rank >= kVocabularyLimits.tokens || bytes->size() > kVocabularyLimits.token_bytes)
    return Fail(ErrorCode::kLimitExceeded, vocabulary.origin, "tokens");
  vocabulary.tokens.push_back(StoredTokenOfBytes(*bytes));
  return {};
}

Status ReadRanks(std::string_view text, const std::stop_token& stop, Vocabulary& vocabulary) {
  while (!text.empty()) {
    if (stop.stop_requested()) return Fail(ErrorCode::kCancelled);
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) PALUKU_TRY(ReadLine(text.substr(0, end), vocabulary));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (vocabulary.tokens.empty()) return Fail(ErrorCode::kFileDamaged, vocabulary.origin, "empty");
  vocabulary.types.assign(vocabulary.tokens.size(), TokenType::kNormal);
  return {};
}

// Special tokens by id; those without a text are reserved.
Status ReadSpecialTokens(const std::string& folder, Vocabulary& vocabulary) {
  const std::size_t first = vocabulary.tokens.size();
  for (std::size_t i = first; i < first + kReservedTokens; ++i)
    vocabulary.tokens.push_back("<|reserved_token_" + std::to_string(i) + "|>");
  vocabulary.types.resize(vocabulary.tokens.size(), TokenType::kControl);
  const std::string path = (std::filesystem::path(folder) / "tokenizer_config.json").string();
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return {};
  PALUKU_ASSIGN_OR_RETURN(const JsonDocument document, JsonDocument::Read(path));
  const auto named = document.root().At("added_tokens_decoder").Object();
  if (!named) return {};
  for (const auto& [key, token] : *named) {
    std::size_t id = 0;
    const auto [rest, failed] = std::from_chars(key.data(), key.data() + key.size(), id);
    const std::string content = StringAt(JsonValue(token), "content");
    if (failed != std::errc() || rest != key.data() + key.size() || id < first ||
        id >= vocabulary.tokens.size() || content.empty())
      return Fail(ErrorCode::kBadValue, path, "added_tokens_decoder");
    vocabulary.tokens[id] = content;
  }
  return {};
}

}  // namespace

Result<Vocabulary> VocabularyFromTiktoken(const std::string& path, const std::stop_token& stop) {
  PALUKU_ASSIGN_OR_RETURN(const std::string text,
                          ReadTokenizerFile(path, kVocabularyLimits.json_bytes, stop));
  Vocabulary vocabulary;
  vocabulary.origin = path;
  vocabulary.pre_tokenizer = "kimi-k2";
  vocabulary.ignores_merges = true;
  vocabulary.add_bos = false;
  PALUKU_TRY(ReadRanks(text, stop, vocabulary));
  const std::string folder = std::filesystem::path(path).parent_path().string();
  PALUKU_TRY(ReadSpecialTokens(folder, vocabulary));
  PALUKU_TRY(ReadTokenizerFolder(folder, vocabulary));
  return vocabulary;
}

}  // namespace paluku
