// Quantised weight formats as the integer kernels see them: unsigned values q, one scale per group
// and either a constant offset (value = scale * (q - kOffset)) or a minimum per group (value =
// scale * q - minimum). Portable decoding; the instruction sets bring faster ones of the same
// shape.
#pragma once

#include "engine/backend/cpu/kernels/vector_body.h"
#include "engine/tensor/blocks.h"

namespace paluku {
namespace {

// Scales and minima of a Q4_K or Q5_K block.
inline void ScalesOfKBlock(const std::byte* d, const std::uint8_t* packed, float* scales,
                           float* minima) {
  const float scale = Simd::HalfToFloat(d);
  const float minimum = Simd::HalfToFloat(d + 2);
  std::uint64_t low, high;
  std::uint32_t mixed;
  std::memcpy(&low, packed, 8);
  std::memcpy(&mixed, packed + 8, 4);
  high = (mixed & 0x0f0f0f0fu) | static_cast<std::uint64_t>(mixed >> 4 & 0x0f0f0f0fu) << 32;
  high |= low >> 2 & 0x3030303030303030u;
  low &= 0x3f3f3f3f3f3f3f3fu;
  for (int g = 0; g < 4; ++g) {
    scales[g] = scale * static_cast<float>(low >> (8 * g) & 255);
    scales[g + 4] = scale * static_cast<float>(high >> (8 * g) & 255);
    minima[g] = minimum * static_cast<float>(low >> (8 * g + 32) & 255);
    minima[g + 4] = minimum * static_cast<float>(high >> (8 * g + 32) & 255);
  }
}

// Each format: Block, kElements per block, kGroup values per scale, kOffset (0 when there are
// minima), and Unpack(block, q [kElements], scales [kElements / kGroup], minima).
struct FormatQ4_0 {
  using Block = BlockQ4_0;
  static constexpr int kElements = 32, kGroup = 32, kOffset = 8;
  static void Unpack(const std::byte* block, std::uint8_t* q, float* scales, float*) {
    const auto* nibbles = reinterpret_cast<const std::uint8_t*>(block) + offsetof(Block, nibbles);
    scales[0] = Simd::HalfToFloat(block);
    for (int j = 0; j < 16; ++j) {
      q[j] = nibbles[j] & 15;
      q[j + 16] = nibbles[j] >> 4;
    }
  }
};

struct FormatQ5_0 {
  using Block = BlockQ5_0;
  static constexpr int kElements = 32, kGroup = 32, kOffset = 16;
  static void Unpack(const std::byte* block, std::uint8_t* q, float* scales, float*) {
    const auto* nibbles = reinterpret_cast<const std::uint8_t*>(block) + offsetof(Block, nibbles);
    std::uint32_t high;
    std::memcpy(&high, block + offsetof(Block, high_bits), 4);
    scales[0] = Simd::HalfToFloat(block);
    for (int j = 0; j < 16; ++j) {
      q[j] = static_cast<std::uint8_t>((nibbles[j] & 15) | (high >> j & 1) << 4);
      q[j + 16] = static_cast<std::uint8_t>(nibbles[j] >> 4 | (high >> (j + 16) & 1) << 4);
    }
  }
};

struct FormatQ8_0 {
  using Block = BlockQ8_0;
  static constexpr int kElements = 32, kGroup = 32, kOffset = 128;
  static void Unpack(const std::byte* block, std::uint8_t* q, float* scales, float*) {
    const auto* values = reinterpret_cast<const std::uint8_t*>(block) + offsetof(Block, q);
    scales[0] = Simd::HalfToFloat(block);
    for (int j = 0; j < 32; ++j) q[j] = values[j] ^ 0x80;
  }
};

struct FormatQ4_K {
  using Block = BlockQ4_K;
  static constexpr int kElements = 256, kGroup = 32, kOffset = 0;
  static void Unpack(const std::byte* block, std::uint8_t* q, float* scales, float* minima) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(block);
    const std::uint8_t* nibbles = bytes + offsetof(Block, nibbles);
    ScalesOfKBlock(block, bytes + offsetof(Block, scales), scales, minima);
    for (int i = 0; i < 4; ++i) {
      for (int j = 0; j < 32; ++j) {
        q[64 * i + j] = nibbles[32 * i + j] & 15;
        q[64 * i + 32 + j] = nibbles[32 * i + j] >> 4;
      }
    }
  }
};

struct FormatQ5_K {
  using Block = BlockQ5_K;
  static constexpr int kElements = 256, kGroup = 32, kOffset = 0;
  static void Unpack(const std::byte* block, std::uint8_t* q, float* scales, float* minima) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(block);
    const std::uint8_t* nibbles = bytes + offsetof(Block, nibbles);
    const std::uint8_t* high = bytes + offsetof(Block, high_bits);
    ScalesOfKBlock(block, bytes + offsetof(Block, scales), scales, minima);
    for (int i = 0; i < 4; ++i) {
      for (int j = 0; j < 32; ++j) {
        const int bits = high[j] >> (2 * i);
        q[64 * i + j] = static_cast<std::uint8_t>((nibbles[32 * i + j] & 15) | (bits & 1) << 4);
        q[64 * i + 32 + j] = static_cast<std::uint8_t>(nibbles[32 * i + j] >> 4 | (bits & 2) << 3);
      }
    }
  }
};

struct FormatQ6_K {
  using Block = BlockQ6_K;
  static constexpr int kElements = 256, kGroup = 16, kOffset = 32;
  static void Unpack(const std::byte* block, std::uint8_t* q, float* scales, float*) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(block);
    const float d = Simd::HalfToFloat(block + offsetof(Block, d));
    const auto* packed = reinterpret_cast<const std::int8_t*>(bytes + offsetof(Block, scales));
    for (int g = 0; g < 16; ++g) scales[g] = d * static_cast<float>(packed[g]);
    for (int half = 0; half < 2; ++half) {
      const std::uint8_t* nibbles = bytes + 64 * half;
      const std::uint8_t* high = bytes + offsetof(Block, high_bits) + 32 * half;
      std::uint8_t* out = q + 128 * half;
      for (int j = 0; j < 32; ++j) {
        out[j] = static_cast<std::uint8_t>((nibbles[j] & 15) | (high[j] & 3) << 4);
        out[j + 32] = static_cast<std::uint8_t>((nibbles[j + 32] & 15) | (high[j] & 12) << 2);
        out[j + 64] = static_cast<std::uint8_t>(nibbles[j] >> 4 | (high[j] & 48));
        out[j + 96] = static_cast<std::uint8_t>(nibbles[j + 32] >> 4 | (high[j] & 192) >> 2);
      }
    }
  }
};

// Values `first` .. k - 1 of one row, `block` the one that holds `first`, times a quantised
// activation row.
template <class Format>
float DotRowPortable(const std::byte* block, std::int64_t first, std::int64_t k,
                     const std::byte* activation) {
  constexpr int kGroups = Format::kElements / Format::kGroup;
  const QuantisedRowLayout layout = LayoutOfQuantisedRow(k);
  const auto* a = reinterpret_cast<const std::int8_t*>(activation);
  const auto* scales16 = reinterpret_cast<const float*>(activation + layout.scales16);
  const auto* sums16 = reinterpret_cast<const float*>(activation + layout.sums16);
  float total = 0;
  for (; first < k; first += Format::kElements) {
    std::uint8_t q[Format::kElements];
    float scales[kGroups], minima[kGroups];
    Format::Unpack(block, q, scales, minima);
    block += sizeof(typename Format::Block);
    for (int g = 0; g < kGroups; ++g) {
      const std::int64_t at = first + g * Format::kGroup;
      std::int32_t sum = 0;
      for (int i = 0; i < Format::kGroup; ++i) sum += q[g * Format::kGroup + i] * a[at + i];
      float minus_sum = sums16[at / 16];
      if (Format::kGroup == 32) minus_sum += sums16[at / 16 + 1];
      const float minimum =
          Format::kOffset != 0 ? scales[g] * static_cast<float>(Format::kOffset) : minima[g];
      total += scales[g] * scales16[at / 16] * static_cast<float>(sum) + minimum * minus_sum;
    }
  }
  return total;
}

template <class Format>
void DotPortable(const std::byte* rows, std::int64_t row_bytes, int count, std::int64_t k,
                 const ActivationRow& activation, float* out) {
  for (int r = 0; r < count; ++r) {
    out[r] = DotRowPortable<Format>(rows + r * row_bytes, 0, k, activation.quantised);
  }
}

}  // namespace
}  // namespace paluku
