#include "engine/loader/json_file.h"

#include <nlohmann/json.hpp>
#include <string_view>

#include "engine/base/mapped_file.h"

namespace paluku {

Result<nlohmann::json> ReadJsonObject(const std::string& path) {
  using Json = nlohmann::json;
  PALUKU_ASSIGN_OR_RETURN(const auto file, MappedFile::Open(path));
  const auto bytes = file->bytes();
  if (bytes.size() > kJsonLimits.bytes) {
    return Fail(ErrorCode::kLimitExceeded, path, "size of the file");
  }
  std::uint64_t events = 0;
  bool too_much = false;
  const auto watch = [&](int depth, Json::parse_event_t, Json&) {
    too_much = too_much || depth > kJsonLimits.depth || ++events > kJsonLimits.values;
    return !too_much;
  };
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  Json json = Json::parse(text, watch, /*allow_exceptions=*/false);
  if (too_much) return Fail(ErrorCode::kLimitExceeded, path, "depth or length of the JSON");
  if (!json.is_object()) return Fail(ErrorCode::kFileDamaged, path, "not a JSON object");
  return json;
}

}  // namespace paluku
