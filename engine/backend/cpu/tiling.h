// How operations are cut into pieces. No result depends on these figures, only speed does.
#pragma once

#include <algorithm>
#include <cstdint>

namespace paluku {

// Up to this many activation rows, each is multiplied with the weights in place; above, weights are
// decoded once per tile for all rows.
inline constexpr std::int64_t kFewRows = 3;

// Rows of weights per piece of the experts' phases; a multiple of every lane count.
inline constexpr std::int64_t kExpertRows = 64;

// Rows of weights per piece of a matrix times few rows: enough pieces to balance, not so many that
// taking them costs.
inline std::int64_t RowsPerPiece(std::int64_t rows, int threads) {
  const std::int64_t wanted = rows / (static_cast<std::int64_t>(threads) * 16);
  return std::clamp<std::int64_t>(wanted / 16 * 16, 16, 256);
}

}  // namespace paluku
