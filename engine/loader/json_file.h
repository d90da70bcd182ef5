// A JSON object out of a hostile file: bounded in size, depth and number of values.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/base/error.h"

namespace paluku {

struct JsonLimits {
  std::uint64_t bytes = 32u << 20;
  std::size_t depth = 64;  // deeper values would exhaust the stack when they are destroyed
  std::uint64_t values = 1u << 19;
};
inline constexpr JsonLimits kJsonLimits;

// Errors: those of reading a file, kLimitExceeded, kFileDamaged.
Result<nlohmann::json> ReadJsonObject(const std::string& path);

}  // namespace paluku
