#include "engine/loader/json_file.h"

#include <nlohmann/json.hpp>
#include <string_view>

#include "engine/base/json_bounds.h"
#include "engine/base/mapped_file.h"

namespace paluku {

Result<nlohmann::json> ReadJsonObject(const std::string& path) {
  using Json = nlohmann::json;
  PALUKU_ASSIGN_OR_RETURN(const auto file, MappedFile::Open(path));
  const auto bytes = file->bytes();
  if (bytes.size() > kJsonLimits.bytes) {
    return Fail(ErrorCode::kLimitExceeded, path, "size of the file");
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (const char* excess = JsonExcess(text, kJsonLimits.depth, kJsonLimits.values)) {
    return Fail(ErrorCode::kLimitExceeded, path, excess);
  }
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Fail(ErrorCode::kFileDamaged, path, "not a JSON object");
  return json;
}

}  // namespace paluku
