// The block formats of quantised GGUF tensors, byte for byte (ggml's quantisation formats, little
// endian). A block holds neighbouring values of one row; scales named d and dmin are binary16.
// Blocks sit at any address inside a file; the structs are packed, so that reading a field is safe
// there. What the bits mean in code: block_formats.h.
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

// As Q4_0; value = q * d + m.
struct BlockQ4_1 {
  std::uint16_t d;
  std::uint16_t m;
  std::uint8_t nibbles[16];
};

// As Q4_0, bit j of high_bits is the fifth bit of value j; value = (q - 16) * d.
struct BlockQ5_0 {
  std::uint16_t d;
  std::uint8_t high_bits[4];
  std::uint8_t nibbles[16];
};

// As Q5_0; value = q * d + m.
struct BlockQ5_1 {
  std::uint16_t d;
  std::uint16_t m;
  std::uint8_t high_bits[4];
  std::uint8_t nibbles[16];
};

// value = q * d.
struct BlockQ8_0 {
  std::uint16_t d;
  std::int8_t q[32];
};

// Nibbles as Q4_0, indices into kIq4Values; value = table[q] * d.
struct BlockIQ4_NL {
  std::uint16_t d;
  std::uint8_t nibbles[16];
};

// OCP microscaling FP4: nibbles as Q4_0, indices into kE2M1Values (doubled); the scale is the power
// of two 2^(e - 127). value = table[q] / 2 * scale.
struct BlockMXFP4 {
  std::uint8_t e;
  std::uint8_t nibbles[16];
};

// NVIDIA FP4: four groups of 16 with an unsigned E4M3 scale each; group g has bytes 8 g .. 8 g + 7,
// low nibbles first. value = kE2M1Values[q] / 2 * scale.
struct BlockNVFP4 {
  std::uint8_t scales[4];
  std::uint8_t nibbles[32];
};

// Sixteen groups of 16, each with a 4-bit scale (low) and minimum (high nibble); value = d * scale
// * q - dmin * minimum. Per half of 128 values 32 bytes hold four planes of 32: bits 2r of byte l
// are value 32 r + l.
struct BlockQ2_K {
  std::uint8_t scales[16];
  std::uint8_t planes[64];
  std::uint16_t d;
  std::uint16_t dmin;
};

// Planes as Q2_K; bit p of high_bits[l] is the third bit of value l of plane p (0 .. 7 over both
// halves). Sixteen 6-bit scales: low nibbles of bytes 0-7, then their high nibbles; upper bits two
// by two in bytes 8-11. value = d * (scale - 32) * (q - 4).
struct BlockQ3_K {
  std::uint8_t high_bits[32];
  std::uint8_t planes[64];
  std::uint8_t scales[12];
  std::uint16_t d;
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

// Eight groups of 32 laid out as IQ4_NL, 6-bit scales: four bits in scales_low, two in scales_high;
// value = d * (scale - 32) * kIq4Values[q].
struct BlockIQ4_XS {
  std::uint16_t d;
  std::uint16_t scales_high;
  std::uint8_t scales_low[4];
  std::uint8_t nibbles[128];
};

// The types below store indices into codebooks (codebooks.h) of 8 or 4 magnitudes, and signs: bit j
// set makes value j negative. Seven stored sign bits stand for eight, whose number set is even.

// Per group of 32: four indices into kIq2XxsGrid, then 28 bits of signs and a 4-bit scale;
// value = d * (scale + 1/2) / 4 * grid.
struct BlockIQ2_XXS {
  std::uint16_t d;
  std::uint8_t groups[8][8];
};

// Per 8 values 9 bits of index into kIq2XsGrid and 7 bits of signs, little endian; 4-bit scales per
// 16 values as IQ2_XXS.
struct BlockIQ2_XS {
  std::uint16_t d;
  std::uint8_t indices[32][2];
  std::uint8_t scales[8];
};

// Per 8 values 8 bits of index into kIq2SGrid with two more in high_bits, and 8 bits of signs;
// 4-bit scales per 16 values as IQ2_XXS.
struct BlockIQ2_S {
  std::uint16_t d;
  std::uint8_t indices[32];
  std::uint8_t signs[32];
  std::uint8_t high_bits[8];
  std::uint8_t scales[8];
};

// Per 4 values an index into kIq3XxsGrid; per group of 32 28 bits of signs and a 4-bit scale,
// little endian; value = d * (scale + 1/2) / 2 * grid.
struct BlockIQ3_XXS {
  std::uint16_t d;
  std::uint8_t indices[64];
  std::uint8_t signs_scales[8][4];
};

// Per 4 values 8 bits of index into kIq3SGrid with a ninth in high_bits; 8 bits of signs per 8
// values; a 4-bit scale per 32; value = d * (2 scale + 1) * grid.
struct BlockIQ3_S {
  std::uint16_t d;
  std::uint8_t indices[64];
  std::uint8_t high_bits[8];
  std::uint8_t signs[32];
  std::uint8_t scales[4];
};

// Per 8 values 8 bits of index into kIq1Grid; per group of 32 a little-endian number: four times
// three more bits, a 3-bit scale and a sign; value = d * (2 scale + 1) * (grid +- 1/8).
struct BlockIQ1_S {
  std::uint16_t d;
  std::uint8_t indices[32];
  std::uint8_t high_bits[8][2];
};

// As IQ1_S, with three more bits of index and a sign in a nibble of high_bits per 8 values and a
// 3-bit scale per 16. Four little-endian numbers hold four scales each, and in their upper nibbles
// the binary16 d, lowest nibble first.
struct BlockIQ1_M {
  std::uint8_t indices[32];
  std::uint8_t high_bits[16];
  std::uint8_t scales[4][2];
};

#pragma pack(pop)

static_assert(sizeof(BlockQ4_0) == 18 && sizeof(BlockQ5_0) == 22 && sizeof(BlockQ8_0) == 34);
static_assert(sizeof(BlockQ4_1) == 20 && sizeof(BlockQ5_1) == 24 && sizeof(BlockIQ4_NL) == 18);
static_assert(sizeof(BlockMXFP4) == 17 && sizeof(BlockNVFP4) == 36);
static_assert(sizeof(BlockQ2_K) == 84 && sizeof(BlockQ3_K) == 110 && sizeof(BlockIQ4_XS) == 136);
static_assert(sizeof(BlockIQ2_XXS) == 66 && sizeof(BlockIQ2_XS) == 74 && sizeof(BlockIQ2_S) == 82);
static_assert(sizeof(BlockIQ3_XXS) == 98 && sizeof(BlockIQ3_S) == 110);
static_assert(sizeof(BlockIQ1_S) == 50 && sizeof(BlockIQ1_M) == 56);
static_assert(sizeof(BlockQ4_K) == 144 && sizeof(BlockQ5_K) == 176 && sizeof(BlockQ6_K) == 210);

}  // namespace paluku
