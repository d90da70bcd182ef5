// The block formats of quantised GGUF tensors, byte for byte (ggml's quantisation formats, little
// endian). A block holds neighbouring values of one row; scales named d and dmin are binary16.
// Blocks sit at any even address inside a file: read the fields through memcpy or byte arrays.
#pragma once

#include <cstdint>

namespace paluku {

inline constexpr int kSmallBlock = 32;   // values per block of Q4_0, Q5_0, Q8_0
inline constexpr int kSuperBlock = 256;  // values per block of the K formats

#pragma pack(push, 1)

// Low nibble of byte j is value j, high nibble is value j + 16; value = (q - 8) * d.
struct BlockQ4_0 {
  std::uint16_t d;
  std::uint8_t nibbles[16];
};

// As Q4_0, bit j of high_bits is the fifth bit of value j; value = (q - 16) * d.
struct BlockQ5_0 {
  std::uint16_t d;
  std::uint8_t high_bits[4];
  std::uint8_t nibbles[16];
};

// value = q * d.
struct BlockQ8_0 {
  std::uint16_t d;
  std::int8_t q[32];
};

// Eight groups of 32, each with a 6-bit scale and minimum; value = d * scale * q - dmin * minimum.
// 32 bytes of nibbles serve two groups: low nibbles the first, high nibbles the second.
struct BlockQ4_K {
  std::uint16_t d;
  std::uint16_t dmin;
  std::uint8_t scales[12];
  std::uint8_t nibbles[128];
};

// As Q4_K; bit g of high_bits[j] is the fifth bit of value j of group g.
struct BlockQ5_K {
  std::uint16_t d;
  std::uint16_t dmin;
  std::uint8_t scales[12];
  std::uint8_t high_bits[32];
  std::uint8_t nibbles[128];
};

// Sixteen groups of 16 with an 8-bit scale; value = d * scale * (q - 32). Per half of 128 values:
// nibbles 0..31 low, 32..63 low, 0..31 high, 32..63 high are four runs of 32; the two upper bits of
// run r of position l are bits 2r of high_bits[l].
struct BlockQ6_K {
  std::uint8_t nibbles[128];
  std::uint8_t high_bits[64];
  std::int8_t scales[16];
  std::uint16_t d;
};

#pragma pack(pop)

static_assert(sizeof(BlockQ4_0) == 18 && sizeof(BlockQ5_0) == 22 && sizeof(BlockQ8_0) == 34);
static_assert(sizeof(BlockQ4_K) == 144 && sizeof(BlockQ5_K) == 176 && sizeof(BlockQ6_K) == 210);

// Group g's 6-bit scale and minimum out of the 12 packed bytes of Q4_K and Q5_K.
struct ScaleMin {
  int scale;
  int minimum;
};
constexpr ScaleMin UnpackScaleMin(const std::uint8_t* packed, int g) {
  if (g < 4) return {packed[g] & 63, packed[g + 4] & 63};
  return {(packed[g + 4] & 15) | (packed[g - 4] >> 6) << 4, (packed[g + 4] >> 4) | (packed[g] >> 6)
                                                                                       << 4};
}

}  // namespace paluku
