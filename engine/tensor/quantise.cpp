#include "engine/tensor/quantise.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/tensor/blocks.h"
#include "engine/tensor/quantise_search.h"

namespace paluku {

void QuantiseF32(const float* values, std::byte* blocks, std::int64_t count) {
  std::memcpy(blocks, values, static_cast<std::size_t>(count) * sizeof(float));
}

void QuantiseF16(const float* values, std::byte* blocks, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) StoreBlock(blocks, i, FloatToHalf(values[i]));
}

void QuantiseBF16(const float* values, std::byte* blocks, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) StoreBlock(blocks, i, FloatToBFloat(values[i]));
}

void QuantiseQ8_0(const float* values, std::byte* blocks, std::int64_t count) {
  for (std::int64_t b = 0; b < count / kSmallBlock; ++b) {
    const float* x = values + b * kSmallBlock;
    float largest = 0;
    for (int i = 0; i < kSmallBlock; ++i) largest = std::max(largest, std::fabs(x[i]));
    const float scale = largest / 127;
    const float inverse = scale > 0 ? 1 / scale : 0;
    BlockQ8_0 block{};
    block.d = HalfScale(scale);
    for (int i = 0; i < kSmallBlock; ++i) {  // half away from zero
      block.q[i] = static_cast<std::int8_t>(Clamp(std::round(x[i] * inverse), -127, 127));
    }
    StoreBlock(blocks, b, block);
  }
}

namespace {

// Nibbles and, where the block has them, fifth bits of 32 codes.
template <class Block>
void PackCodes(const int* codes, Block& block) {
  for (int j = 0; j < 16; ++j) {
    block.nibbles[j] = static_cast<std::uint8_t>((codes[j] & 15) | (codes[j + 16] & 15) << 4);
  }
  if constexpr (requires { block.high_bits; }) {
    for (int j = 0; j < 32; ++j) {
      block.high_bits[j / 8] =
          static_cast<std::uint8_t>(block.high_bits[j / 8] | codes[j] >> 4 << (j % 8));
    }
  }
}

// The value of largest magnitude, the first of equals, takes the lowest code, -kHalfRange.
template <class Block, int kHalfRange>
void QuantiseSymmetric(const float* values, std::byte* blocks, std::int64_t count) {
  for (std::int64_t b = 0; b < count / kSmallBlock; ++b) {
    const float* x = values + b * kSmallBlock;
    float largest = 0;
    for (int i = 0; i < kSmallBlock; ++i) {
      if (std::fabs(x[i]) > std::fabs(largest)) largest = x[i];
    }
    const float scale = largest / -kHalfRange;
    const float inverse = scale != 0 ? 1 / scale : 0;
    int codes[kSmallBlock];
    for (int i = 0; i < kSmallBlock; ++i) {
      codes[i] = static_cast<int>(
          Clamp(x[i] * inverse + (static_cast<float>(kHalfRange) + 0.5f), 0, 2 * kHalfRange - 1));
    }
    Block block{};
    block.d = HalfScale(scale);
    PackCodes(codes, block);
    StoreBlock(blocks, b, block);
  }
}

// The least value takes code 0, the greatest kLevels.
template <class Block, int kLevels>
void QuantiseRange(const float* values, std::byte* blocks, std::int64_t count) {
  for (std::int64_t b = 0; b < count / kSmallBlock; ++b) {
    const float* x = values + b * kSmallBlock;
    float low = x[0], high = x[0];
    for (int i = 1; i < kSmallBlock; ++i) {
      low = std::min(low, x[i]);
      high = std::max(high, x[i]);
    }
    const float scale = (high - low) / kLevels;
    const float inverse = scale != 0 ? 1 / scale : 0;
    int codes[kSmallBlock];
    for (int i = 0; i < kSmallBlock; ++i) {
      codes[i] = static_cast<int>(Clamp((x[i] - low) * inverse + 0.5f, 0, kLevels));
    }
    Block block{};
    block.d = HalfScale(scale);
    block.m = HalfScale(low);
    PackCodes(codes, block);
    StoreBlock(blocks, b, block);
  }
}

}  // namespace

void QuantiseQ4_0(const float* values, std::byte* blocks, std::int64_t count) {
  QuantiseSymmetric<BlockQ4_0, 8>(values, blocks, count);
}
void QuantiseQ5_0(const float* values, std::byte* blocks, std::int64_t count) {
  QuantiseSymmetric<BlockQ5_0, 16>(values, blocks, count);
}
void QuantiseQ4_1(const float* values, std::byte* blocks, std::int64_t count) {
  QuantiseRange<BlockQ4_1, 15>(values, blocks, count);
}
void QuantiseQ5_1(const float* values, std::byte* blocks, std::int64_t count) {
  QuantiseRange<BlockQ5_1, 31>(values, blocks, count);
}

}  // namespace paluku
