// 32 weights at a time in 256-bit registers, in their natural order and unsigned (code + kOffset):
// what AVX2 and AVX-512 share. Included by avx2_formats.h and avx512_formats.h.
#pragma once

#include <immintrin.h>

#include "engine/backend/cpu/kernels/gemm_body.h"

namespace paluku {
namespace {

[[gnu::always_inline]] inline __m256i Load32Bytes(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
[[gnu::always_inline]] inline std::uint32_t LoadU32(const void* p) {
  std::uint32_t v;
  std::memcpy(&v, p, 4);
  return v;
}

// Low nibbles of 16 bytes, then the high ones.
[[gnu::always_inline]] inline __m256i BlockNibbles(const void* nibbles) {
  const __m128i bytes = _mm_loadu_si128(static_cast<const __m128i*>(nibbles));
  return _mm256_and_si256(_mm256_set_m128i(_mm_srli_epi16(bytes, 4), bytes), _mm256_set1_epi8(15));
}

// Byte j is all ones where bit j of `bits` is set.
[[gnu::always_inline]] inline __m256i SpreadBits(std::uint32_t bits) {
  // Byte j gets the byte that holds bit j, then that bit alone.
  const __m256i bytes = _mm256_shuffle_epi8(
      _mm256_set1_epi32(static_cast<int>(bits)),
      _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303));
  const __m256i bit = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201u));
  return _mm256_cmpeq_epi8(_mm256_and_si256(bytes, bit), bit);
}

// Each nibble replaced by its entry of a table of 16, plus `offset`.
[[gnu::always_inline]] inline __m256i LookUp(const std::int8_t* table, int offset,
                                             __m256i nibbles) {
  const __m128i values = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
  const __m128i moved = _mm_add_epi8(values, _mm_set1_epi8(static_cast<char>(offset)));
  return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(moved), nibbles);
}

// Load32(format, block, g): values 32 g .. 32 g + 31 of a block.
[[gnu::always_inline]] inline __m256i Load32(FormatQ4_1, const std::byte* block, int) {
  return BlockNibbles(block + offsetof(BlockQ4_1, nibbles));
}
[[gnu::always_inline]] inline __m256i Load32(FormatQ5_1, const std::byte* block, int) {
  const __m256i high = SpreadBits(LoadU32(block + offsetof(BlockQ5_1, high_bits)));
  return _mm256_or_si256(BlockNibbles(block + offsetof(BlockQ5_1, nibbles)),
                         _mm256_and_si256(high, _mm256_set1_epi8(16)));
}
[[gnu::always_inline]] inline __m256i Load32(FormatIQ4_NL, const std::byte* block, int) {
  return LookUp(kIq4Values, 128, BlockNibbles(block + offsetof(BlockIQ4_NL, nibbles)));
}
[[gnu::always_inline]] inline __m256i Load32(FormatIQ4_XS, const std::byte* block, int g) {
  return LookUp(kIq4Values, 128, BlockNibbles(block + offsetof(BlockIQ4_XS, nibbles) + 16 * g));
}
[[gnu::always_inline]] inline __m256i Load32(FormatMXFP4, const std::byte* block, int) {
  return LookUp(kE2M1Values, 16, BlockNibbles(block + offsetof(BlockMXFP4, nibbles)));
}
[[gnu::always_inline]] inline __m256i Load32(FormatNVFP4, const std::byte* block, int g) {
  const __m256i nibbles = BlockNibbles(block + offsetof(BlockNVFP4, nibbles) + 16 * g);
  return LookUp(kE2M1Values, 16, _mm256_permute4x64_epi64(nibbles, 0xd8));
}

[[gnu::always_inline]] inline __m256i Plane(const std::byte* planes, int g) {
  const __m256i bytes = Load32Bytes(planes + 32 * (g / 4));
  return _mm256_and_si256(_mm256_srli_epi16(bytes, 2 * (g % 4)), _mm256_set1_epi8(3));
}
[[gnu::always_inline]] inline __m256i Load32(FormatQ2_K, const std::byte* block, int g) {
  return Plane(block + offsetof(BlockQ2_K, planes), g);
}
// Bit `from` of each byte, alone, at bit `to`.
[[gnu::always_inline]] inline __m256i MovedBit(__m256i bytes, int from, int to) {
  const __m256i moved =
      from <= to ? _mm256_slli_epi16(bytes, to - from) : _mm256_srli_epi16(bytes, from - to);
  return _mm256_and_si256(moved, _mm256_set1_epi8(static_cast<char>(1 << to)));
}
[[gnu::always_inline]] inline __m256i Load32(FormatQ3_K, const std::byte* block, int g) {
  const __m256i high = MovedBit(Load32Bytes(block + offsetof(BlockQ3_K, high_bits)), g, 2);
  return _mm256_or_si256(Plane(block + offsetof(BlockQ3_K, planes), g), high);
}

// Codebook entries, negative where `minus` is all ones, plus `offset`.
[[gnu::always_inline]] inline __m256i Signed(__m256i entries, __m256i minus, int offset) {
  const __m256i values = _mm256_sub_epi8(_mm256_xor_si256(entries, minus), minus);
  return _mm256_add_epi8(values, _mm256_set1_epi8(static_cast<char>(offset)));
}
[[gnu::always_inline]] inline __m256i FourEntries(std::uint64_t a, std::uint64_t b, std::uint64_t c,
                                                  std::uint64_t d) {
  return _mm256_setr_epi64x(static_cast<long long>(a), static_cast<long long>(b),
                            static_cast<long long>(c), static_cast<long long>(d));
}
// Masks of four times seven signs.
[[gnu::always_inline]] inline __m256i SignsOf28(std::uint32_t signs) {
  return FourEntries(kSignMasks.entry[signs & 127], kSignMasks.entry[signs >> 7 & 127],
                     kSignMasks.entry[signs >> 14 & 127], kSignMasks.entry[signs >> 21 & 127]);
}
[[gnu::always_inline]] inline __m256i Load32(FormatIQ2_XXS, const std::byte* block, int g) {
  const std::uint8_t* group = As<BlockIQ2_XXS>(block).groups[g];
  const auto& grid = kIq2XxsGrid.entry;
  return Signed(FourEntries(grid[group[0]], grid[group[1]], grid[group[2]], grid[group[3]]),
                SignsOf28(LoadU32(group + 4)), 64);
}
[[gnu::always_inline]] inline __m256i Load32(FormatIQ2_XS, const std::byte* block, int g) {
  std::uint16_t i[4];
  std::memcpy(i, As<BlockIQ2_XS>(block).indices[4 * g], 8);
  const auto& grid = kIq2XsGrid.entry;
  const auto& mask = kSignMasks.entry;
  return Signed(FourEntries(grid[i[0] & 511], grid[i[1] & 511], grid[i[2] & 511], grid[i[3] & 511]),
                FourEntries(mask[i[0] >> 9], mask[i[1] >> 9], mask[i[2] >> 9], mask[i[3] >> 9]),
                64);
}
[[gnu::always_inline]] inline __m256i Load32(FormatIQ2_S, const std::byte* block, int g) {
  const auto& b = As<BlockIQ2_S>(block);
  const std::uint8_t* i = b.indices + 4 * g;
  const unsigned high = b.high_bits[g];
  const auto& grid = kIq2SGrid.entry;
  return Signed(FourEntries(grid[i[0] | (high << 8 & 0x300)], grid[i[1] | (high << 6 & 0x300)],
                            grid[i[2] | (high << 4 & 0x300)], grid[i[3] | (high << 2 & 0x300)]),
                SpreadBits(LoadU32(b.signs + 4 * g)), 64);
}
// Eight entries of four values each; bit n of `high` is the ninth bit of index n.
[[gnu::always_inline]] inline __m256i EightEntries(const std::uint32_t* grid, const std::uint8_t* i,
                                                   unsigned high) {
  const auto at = [&](int n) __attribute__((always_inline)) {
    return static_cast<int>(grid[i[n] | (high << (8 - n) & 256)]);
  };
  return _mm256_setr_epi32(at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7));
}
[[gnu::always_inline]] inline __m256i Load32(FormatIQ3_XXS, const std::byte* block, int g) {
  const auto& b = As<BlockIQ3_XXS>(block);
  return Signed(EightEntries(kIq3XxsGrid.entry, b.indices + 8 * g, 0),
                SignsOf28(LoadU32(b.signs_scales[g])), 64);
}
[[gnu::always_inline]] inline __m256i Load32(FormatIQ3_S, const std::byte* block, int g) {
  const auto& b = As<BlockIQ3_S>(block);
  return Signed(EightEntries(kIq3SGrid.entry, b.indices + 8 * g, b.high_bits[g]),
                SpreadBits(LoadU32(b.signs + 4 * g)), 16);
}
// Entries 0, 1 and 2 as eight times themselves plus 7 or 9.
[[gnu::always_inline]] inline __m256i Eighths(__m256i entries, __m256i seven_or_nine) {
  return _mm256_add_epi8(_mm256_slli_epi16(entries, 3), seven_or_nine);
}
[[gnu::always_inline]] inline __m256i Load32(FormatIQ1_S, const std::byte* block, int g) {
  const auto& b = As<BlockIQ1_S>(block);
  const std::uint8_t* i = b.indices + 4 * g;
  const unsigned high = Little16(b.high_bits[g]);
  const auto& grid = kIq1Grid.entry;
  return Eighths(FourEntries(grid[i[0] | (high << 8 & 0x700)], grid[i[1] | (high << 5 & 0x700)],
                             grid[i[2] | (high << 2 & 0x700)], grid[i[3] | (high >> 1 & 0x700)]),
                 _mm256_set1_epi8((high & 0x8000) != 0 ? 7 : 9));
}
[[gnu::always_inline]] inline __m256i Load32(FormatIQ1_M, const std::byte* block, int g) {
  const auto& b = As<BlockIQ1_M>(block);
  const std::uint8_t* i = b.indices + 4 * g;
  const unsigned high = Little16(b.high_bits + 2 * g);
  const auto& grid = kIq1Grid.entry;
  // Bit 3 of nibble n: 9 becomes 7 in the eight bytes of entry n.
  const auto delta = [&](int n) __attribute__((always_inline)) {
    return 0x0909090909090909u - (high >> (4 * n + 3) & 1) * 0x0202020202020202u;
  };
  return Eighths(FourEntries(grid[i[0] | (high << 8 & 0x700)], grid[i[1] | (high << 4 & 0x700)],
                             grid[i[2] | (high & 0x700)], grid[i[3] | (high >> 4 & 0x700)]),
                 FourEntries(delta(0), delta(1), delta(2), delta(3)));
}

// Whether the scale of a block is an exponent byte.
template <class Format>
constexpr bool kHasPowerScale = requires(typename Format::Block block) {
  block.e;
};

// GroupScales(format, block, scales, minima): what Format::Scales writes, for the formats with many
// groups by vectors. Minima are left alone where there are none.
template <class Format>
[[gnu::always_inline]] inline void GroupScales(Format, const std::byte* block, float* scales,
                                               float* minima) {
  Format::template Scales<Simd>(block, scales, minima);
}
[[gnu::always_inline]] inline void StoreScaled(__m256i whole, float d, float* scales) {
  _mm256_storeu_ps(scales, _mm256_mul_ps(_mm256_cvtepi32_ps(whole), _mm256_set1_ps(d)));
}
// Sixteen signed bytes times d.
[[gnu::always_inline]] inline void StoreScaledBytes(__m128i bytes, float d, float* scales) {
  StoreScaled(_mm256_cvtepi8_epi32(bytes), d, scales);
  StoreScaled(_mm256_cvtepi8_epi32(_mm_unpackhi_epi64(bytes, bytes)), d, scales + 8);
}
// Low and high nibble of each of eight bytes, in this order.
[[gnu::always_inline]] inline __m128i SplitNibbles(const void* packed) {
  const __m128i bytes = _mm_loadl_epi64(static_cast<const __m128i*>(packed));
  return _mm_and_si128(_mm_unpacklo_epi8(bytes, _mm_srli_epi16(bytes, 4)), _mm_set1_epi8(15));
}
// 2 n + 1 of small numbers n, for scales of n + 1/2.
[[gnu::always_inline]] inline __m128i Odd(__m128i n) {
  return _mm_add_epi8(_mm_add_epi8(n, n), _mm_set1_epi8(1));
}
[[gnu::always_inline]] inline __m256i Odd(__m256i n) {
  return _mm256_add_epi32(_mm256_add_epi32(n, n), _mm256_set1_epi32(1));
}

[[gnu::always_inline]] inline void GroupScales(FormatQ2_K, const std::byte* block, float* scales,
                                               float* minima) {
  const __m128i packed = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block));
  const __m128i fifteen = _mm_set1_epi8(15);
  StoreScaledBytes(_mm_and_si128(packed, fifteen),
                   Simd::HalfToFloat(block + offsetof(BlockQ2_K, d)), scales);
  StoreScaledBytes(_mm_and_si128(_mm_srli_epi16(packed, 4), fifteen),
                   Simd::HalfToFloat(block + offsetof(BlockQ2_K, dmin)), minima);
}
[[gnu::always_inline]] inline void GroupScales(FormatQ3_K, const std::byte* block, float* scales,
                                               float*) {
  const std::uint8_t* packed = As<BlockQ3_K>(block).scales;
  std::uint64_t low;
  std::memcpy(&low, packed, 8);
  const std::uint64_t high = LoadU32(packed + 8);
  constexpr std::uint64_t kNibble = 0x0f0f0f0f0f0f0f0fu, kTop = 0x3030303030303030u;
  // Byte n of `high` holds the upper bits of groups n, n + 4, n + 8 and n + 12.
  const std::uint64_t first = (low & kNibble) | ((high << 4 | high << 34) & kTop);
  const std::uint64_t second = (low >> 4 & kNibble) | ((high | high << 30) & kTop);
  const __m128i bytes =
      _mm_set_epi64x(static_cast<long long>(second), static_cast<long long>(first));
  StoreScaledBytes(_mm_sub_epi8(bytes, _mm_set1_epi8(32)),
                   Simd::HalfToFloat(block + offsetof(BlockQ3_K, d)), scales);
}
[[gnu::always_inline]] inline void GroupScales(FormatIQ4_XS, const std::byte* block, float* scales,
                                               float*) {
  const auto& b = As<BlockIQ4_XS>(block);
  const __m128i nibbles = SplitNibbles(b.scales_low);  // reads four bytes too many, of the nibbles
  const __m256i high = _mm256_srlv_epi32(_mm256_set1_epi32(b.scales_high),
                                         _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14));
  const __m256i top = _mm256_slli_epi32(_mm256_and_si256(high, _mm256_set1_epi32(3)), 4);
  const __m256i whole = _mm256_or_si256(_mm256_cvtepi8_epi32(nibbles), top);
  StoreScaled(_mm256_sub_epi32(whole, _mm256_set1_epi32(32)), Simd::HalfToFloat(block), scales);
}
[[gnu::always_inline]] inline void GroupScales(FormatIQ2_XXS, const std::byte* block, float* scales,
                                               float*) {
  const __m256i low = _mm256_srli_epi64(Load32Bytes(block + 2), 60);
  const __m256i high = _mm256_srli_epi64(Load32Bytes(block + 34), 60);
  const __m256i even = _mm256_castps_si256(
      _mm256_shuffle_ps(_mm256_castsi256_ps(low), _mm256_castsi256_ps(high), 0x88));
  StoreScaled(Odd(_mm256_permute4x64_epi64(even, 0xd8)), Simd::HalfToFloat(block) * 0.125f, scales);
}
[[gnu::always_inline]] inline void GroupScales(FormatIQ2_XS, const std::byte* block, float* scales,
                                               float*) {
  StoreScaledBytes(Odd(SplitNibbles(As<BlockIQ2_XS>(block).scales)),
                   Simd::HalfToFloat(block) * 0.125f, scales);
}
[[gnu::always_inline]] inline void GroupScales(FormatIQ2_S, const std::byte* block, float* scales,
                                               float*) {
  StoreScaledBytes(Odd(SplitNibbles(As<BlockIQ2_S>(block).scales)),
                   Simd::HalfToFloat(block) * 0.125f, scales);
}
[[gnu::always_inline]] inline void GroupScales(FormatIQ3_XXS, const std::byte* block, float* scales,
                                               float*) {
  const __m256i packed = Load32Bytes(block + offsetof(BlockIQ3_XXS, signs_scales));
  StoreScaled(Odd(_mm256_srli_epi32(packed, 28)), Simd::HalfToFloat(block) * 0.25f, scales);
}
[[gnu::always_inline]] inline void GroupScales(FormatIQ1_S, const std::byte* block, float* scales,
                                               float*) {
  const __m128i packed =
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(As<BlockIQ1_S>(block).high_bits));
  const __m128i whole = _mm_and_si128(_mm_srli_epi16(packed, 12), _mm_set1_epi16(7));
  StoreScaled(Odd(_mm256_cvtepu16_epi32(whole)), Simd::HalfToFloat(block) * 0.125f, scales);
}

}  // namespace
}  // namespace paluku
