#include "engine/loader/tensor_pieces.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "engine/base/check.h"
#include "engine/tensor/half.h"

namespace paluku {
namespace {

// OCP 8-bit floating point, E4M3: no infinities, NaN at 0x7f and 0xff, subnormals of 2^-9.
constexpr float F8ToFloat(std::uint8_t bits) {
  const int exponent = bits >> 3 & 15, fraction = bits & 7;
  const float sign = (bits & 0x80) != 0 ? -1.0f : 1.0f;
  if (exponent == 15 && fraction == 7) return std::bit_cast<float>(0x7fc00000u);
  if (exponent == 0) return sign * static_cast<float>(fraction) * 0x1p-9f;
  const auto scale = std::bit_cast<float>(static_cast<std::uint32_t>(exponent + 120) << 23);
  return sign * (1.0f + static_cast<float>(fraction) / 8.0f) * scale;
}

constexpr std::array<float, 256> kF8Values = [] {
  std::array<float, 256> values{};
  for (std::size_t i = 0; i < 256; ++i) values[i] = F8ToFloat(static_cast<std::uint8_t>(i));
  return values;
}();

void ScaleRow(const TensorPiece& piece, std::int64_t row, std::int64_t columns, std::byte* out) {
  const std::int64_t blocks = (columns + kF8Block - 1) / kF8Block;
  const std::byte* scales = piece.scales.data() + row / kF8Block * blocks * 4;
  const std::byte* from = piece.bytes.data() + row * columns;
  for (std::int64_t block = 0; block < blocks; ++block) {
    float scale = 0;
    std::memcpy(&scale, scales + block * 4, sizeof scale);
    const std::int64_t end = std::min(columns, (block + 1) * kF8Block);
    for (std::int64_t i = block * kF8Block; i < end; ++i) {
      const std::uint16_t value =
          FloatToBFloat(kF8Values[static_cast<std::size_t>(from[i])] * scale);
      std::memcpy(out + 2 * i, &value, sizeof value);
    }
  }
}

}  // namespace

void CopyPieces(const Tensor& tensor, std::span<const TensorPiece> pieces, std::int64_t first,
                std::int64_t count, std::byte* out) {
  const std::int64_t row_bytes = tensor.row_bytes();
  std::int64_t begin = 0;  // of the piece, in rows of the tensor
  for (const TensorPiece& piece : pieces) {
    const std::int64_t from = std::max(first, begin) - begin;
    const std::int64_t to = std::min(first + count, begin + piece.rows) - begin;
    begin += piece.rows;
    if (from >= to) continue;
    if (piece.scales.empty()) {
      std::memcpy(out, piece.bytes.data() + from * row_bytes,
                  static_cast<std::size_t>((to - from) * row_bytes));
      out += (to - from) * row_bytes;
      continue;
    }
    PALUKU_CHECK(tensor.dtype == DType::kBF16);
    for (std::int64_t row = from; row < to; ++row, out += row_bytes) {
      ScaleRow(piece, row, tensor.columns(), out);
    }
  }
  PALUKU_CHECK(first >= 0 && first + count <= begin);
}

}  // namespace paluku
