#include "engine/text/tokenizer_file.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "engine/text/vocabulary.h"

namespace paluku {
namespace {

// No tokenizer file is deeper.
constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kReadAtOnce = 4u << 20;  // bytes between two looks at a stop

// A value or a key stands behind each of these, or it is the first of the file.
bool BeginsAValue(char c) { return c == ',' || c == ':' || c == '[' || c == '{'; }

}  // namespace

JsonValue JsonValue::At(std::string_view key) const {
  simdjson::dom::object object;
  simdjson::dom::element value;
  const bool found = value_ && value_->get(object) == simdjson::SUCCESS &&
                     object.at_key(key).get(value) == simdjson::SUCCESS;
  return found ? JsonValue(value) : JsonValue();
}

std::string StringAt(const JsonValue& object, std::string_view key) {
  return std::string(object.At(key).Text().value_or(""));
}

Result<std::string> ReadTokenizerFile(const std::string& path, std::size_t limit,
                                      const std::stop_token& stop) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return tl::unexpected(ErrorFromErrno(error.value(), path));
  if (size > limit) return Fail(ErrorCode::kLimitExceeded, path, "size of the file");
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  std::string text(size, '\0');
  for (std::size_t at = 0; at < size; at += kReadAtOnce) {
    if (stop.stop_requested()) return Fail(ErrorCode::kCancelled);
    const std::size_t bytes = std::min(kReadAtOnce, size - at);
    if (!stream.read(text.data() + at, static_cast<std::streamsize>(bytes)))
      return tl::unexpected(ErrorFromErrno(errno == 0 ? EIO : errno, path));
  }
  return text;
}

Result<JsonDocument> JsonDocument::Read(const std::string& path, const std::stop_token& stop) {
  PALUKU_ASSIGN_OR_RETURN(const std::string text,
                          ReadTokenizerFile(path, kVocabularyLimits.json_bytes, stop));
  // Before the parse, because it takes memory for every value.
  const auto values = std::count_if(text.begin(), text.end(), BeginsAValue);
  if (static_cast<std::size_t>(values) > kVocabularyLimits.json_values)
    return Fail(ErrorCode::kLimitExceeded, path, "number of values in the JSON");
  if (stop.stop_requested()) return Fail(ErrorCode::kCancelled);
  auto parser = std::make_unique<simdjson::dom::parser>(kVocabularyLimits.json_bytes);
  simdjson::error_code failed = parser->allocate(text.size(), kMaxDepth);
  simdjson::dom::element root;
  if (failed == simdjson::SUCCESS) failed = parser->parse(text).get(root);
  if (failed == simdjson::MEMALLOC)
    return Fail(ErrorCode::kOutOfMemory, path, std::to_string(text.size()));
  if (failed == simdjson::DEPTH_ERROR)
    return Fail(ErrorCode::kLimitExceeded, path, "depth of the JSON");
  if (failed != simdjson::SUCCESS || !root.is_object())
    return Fail(ErrorCode::kFileDamaged, path, "not a JSON object");
  if (stop.stop_requested()) return Fail(ErrorCode::kCancelled);
  return JsonDocument(std::move(parser), root);
}

}  // namespace paluku
