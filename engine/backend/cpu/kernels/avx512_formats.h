// Quantised formats with AVX-512: 64 weights of a row at a time, in their natural order.
// Included by avx512.cpp only.
#pragma once

#include "engine/backend/cpu/kernels/x86_formats.h"

namespace paluku {
namespace {

[[gnu::always_inline]] inline __m512i Load64Bytes(const void* p) { return _mm512_loadu_si512(p); }
[[gnu::always_inline]] inline std::uint64_t LoadU64(const std::byte* p) {
  std::uint64_t v;
  std::memcpy(&v, p, 8);
  return v;
}

// Values 64 j .. 64 j + 63 of a block, unsigned; of a type with blocks of 32, of two neighbours.
template <class Format>
[[gnu::always_inline]] inline __m512i Load64(Format, const std::byte* block, int j) {
  constexpr bool kSmall = Format::kElements == 32;
  const __m256i low = Load32(Format{}, block, kSmall ? 0 : 2 * j);
  const __m256i high = kSmall ? Load32(Format{}, block + sizeof(typename Format::Block), 0)
                              : Load32(Format{}, block, 2 * j + 1);
  return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}
[[gnu::always_inline]] inline __m512i Load64(FormatQ4_K, const std::byte* block, int j) {
  const __m256i nibbles = Load32Bytes(block + offsetof(BlockQ4_K, nibbles) + 32 * j);
  const __m512i both =
      _mm512_inserti64x4(_mm512_castsi256_si512(nibbles), _mm256_srli_epi16(nibbles, 4), 1);
  return _mm512_and_si512(both, _mm512_set1_epi8(15));
}
[[gnu::always_inline]] inline __m512i Load64(FormatQ5_K, const std::byte* block, int j) {
  const __m256i nibbles = Load32Bytes(block + offsetof(BlockQ5_K, nibbles) + 32 * j);
  const __m512i both =
      _mm512_inserti64x4(_mm512_castsi256_si512(nibbles), _mm256_srli_epi16(nibbles, 4), 1);
  const __m512i low = _mm512_and_si512(both, _mm512_set1_epi8(15));
  const __m512i high = _mm512_broadcast_i64x4(Load32Bytes(block + offsetof(BlockQ5_K, high_bits)));
  const char first = static_cast<char>(1 << (2 * j)), second = static_cast<char>(2 << (2 * j));
  const __m512i bit = _mm512_inserti64x4(_mm512_set1_epi8(first), _mm256_set1_epi8(second), 1);
  return _mm512_mask_add_epi8(low, _mm512_test_epi8_mask(high, bit), low, _mm512_set1_epi8(16));
}
[[gnu::always_inline]] inline __m512i Load64(FormatQ6_K, const std::byte* block, int j) {
  const std::byte* bits = block + offsetof(BlockQ6_K, high_bits) + 32 * (j / 2);
  const __m512i bytes = Load64Bytes(block + 64 * (j / 2));
  const __m512i low = j % 2 == 0 ? bytes : _mm512_srli_epi16(bytes, 4);
  // Bits 4 and 5 from bits 0-1 and 2-3 of the two halves (even j) or bits 4-5 and 6-7 (odd j).
  const __m512i high = _mm512_broadcast_i64x4(Load32Bytes(bits));
  const __m512i even = _mm512_inserti64x4(_mm512_set1_epi16(4), _mm256_set1_epi16(2), 1);
  const __m512i odd = _mm512_inserti64x4(_mm512_setzero_si512(), _mm256_set1_epi16(2), 1);
  const __m512i moved = j % 2 == 0 ? _mm512_sllv_epi16(high, even) : _mm512_srlv_epi16(high, odd);
  return _mm512_or_si512(_mm512_and_si512(low, _mm512_set1_epi8(15)),
                         _mm512_and_si512(moved, _mm512_set1_epi8(0x30)));
}

// Nibbles of two neighbouring blocks of 32: [low 0, high 0, low 1, high 1], 16 bytes each.
template <class Block>
[[gnu::always_inline]] inline __m512i TwoBlocksOfNibbles(const std::byte* block) {
  const std::byte* first = block + offsetof(Block, nibbles);
  const __m512i one =
      _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(first)));
  const __m512i both = _mm512_mask_broadcast_i32x4(
      one, 0xff00, _mm_loadu_si128(reinterpret_cast<const __m128i*>(first + sizeof(Block))));
  const __m512i shifts = _mm512_set_epi64(0x0004000400040004, 0x0004000400040004, 0, 0,
                                          0x0004000400040004, 0x0004000400040004, 0, 0);
  return _mm512_and_si512(_mm512_srlv_epi16(both, shifts), _mm512_set1_epi8(15));
}

// The 64 values of two neighbouring blocks, unsigned.
[[gnu::always_inline]] inline __m512i Load64(FormatQ4_0, const std::byte* block, int) {
  return TwoBlocksOfNibbles<BlockQ4_0>(block);
}
[[gnu::always_inline]] inline __m512i Load64(FormatQ5_0, const std::byte* block, int) {
  const __m512i low = TwoBlocksOfNibbles<BlockQ5_0>(block);
  const std::byte* bits = block + offsetof(BlockQ5_0, high_bits);
  const std::uint64_t high =
      LoadU32(bits) | static_cast<std::uint64_t>(LoadU32(bits + sizeof(BlockQ5_0))) << 32;
  return _mm512_mask_add_epi8(low, _cvtu64_mask64(high), low, _mm512_set1_epi8(16));
}
[[gnu::always_inline]] inline __m512i Load64(FormatQ8_0, const std::byte* block, int) {
  const std::byte* first = block + offsetof(BlockQ8_0, q);
  const __m512i both = _mm512_inserti64x4(_mm512_castsi256_si512(Load32Bytes(first)),
                                          Load32Bytes(first + sizeof(BlockQ8_0)), 1);
  return _mm512_xor_si512(both, _mm512_set1_epi8(static_cast<char>(0x80)));
}

// Asks for the `kBytes` bytes that follow in kPrefetchDistance. The processor's own prefetchers
// stop at each page of 4 KiB, and mapped files have no larger ones.
constexpr int kPrefetchDistance = 4096;
template <int kBytes>
[[gnu::always_inline]] inline void PrefetchAhead(const std::byte* p) {
  Unroll<(kBytes + 63) / 64>([&](int i) __attribute__((always_inline)) {
    _mm_prefetch(reinterpret_cast<const char*>(p) + kPrefetchDistance + 64 * i, _MM_HINT_T0);
  });
}

// Scales and minima of a Q4_K or Q5_K block as f32: [scales 0-3, minima 0-3, scales 4-7, minima
// 4-7].
[[gnu::always_inline]] inline __m512 ScalesAndMinima(const std::byte* block) {
  const std::byte* packed = block + offsetof(BlockQ4_K, scales);
  const std::uint64_t x = LoadU64(packed);
  const std::uint32_t y = LoadU32(packed + 8);
  const std::uint64_t low = x & 0x3f3f3f3f3f3f3f3fu;
  const std::uint64_t high =
      ((y & 0x0f0f0f0fu) | static_cast<std::uint64_t>(y >> 4 & 0x0f0f0f0fu) << 32) |
      (x >> 2 & 0x3030303030303030u);
  const __m128i bytes =
      _mm_set_epi64x(static_cast<std::int64_t>(high), static_cast<std::int64_t>(low));
  const __m512 integers = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
  // d four times, dmin four times, twice.
  const __m256i pattern =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 2, 3));
  const __m256i halves =
      _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(LoadU32(block))), pattern);
  return _mm512_mul_ps(integers, _mm512_cvtph_ps(halves));
}

// Lane i of the result is lane from(i) of v: `low` for lanes 0-7, `high` for lanes 8-15.
[[gnu::always_inline]] inline __m512 SpreadTwo(__m512 v, int low, int high) {
  return _mm512_permutexvar_ps(
      _mm512_inserti64x4(_mm512_set1_epi32(low), _mm256_set1_epi32(high), 1), v);
}

[[gnu::always_inline]] inline __m512 Dot64(__m512i weights, const std::byte* activations) {
  return _mm512_cvtepi32_ps(
      _mm512_dpbusd_epi32(_mm512_setzero_si512(), weights, Load64Bytes(activations)));
}

// One row of Q4_K or Q5_K. Scales of the activations ride along with those of the weights.
template <class Format>
float DotRowWithMinima(const std::byte* row, std::int64_t k, const std::byte* activation) {
  const auto* pairs32 =
      reinterpret_cast<const float*>(activation + LayoutOfQuantisedRow(k).pairs32);
  __m512 sum[4] = {}, minima = _mm512_setzero_ps();
  for (std::int64_t first = 0; first < k; first += 256) {
    PrefetchAhead<sizeof(typename Format::Block)>(row);
    const __m512 factors =
        _mm512_mul_ps(ScalesAndMinima(row), _mm512_loadu_ps(pairs32 + first / 16));
    minima = _mm512_mask_add_ps(minima, 0xf0f0, minima, factors);
    Unroll<4>([&](int j) __attribute__((always_inline)) {
      const __m512 dot = Dot64(Load64(Format{}, row, j), activation + first + 64 * j);
      const int lane = j < 2 ? 2 * j : 2 * j + 4;  // of the scale of group 2 j
      sum[j] = _mm512_fmadd_ps(dot, SpreadTwo(factors, lane, lane + 1), sum[j]);
    });
    row += sizeof(typename Format::Block);
  }
  return _mm512_reduce_add_ps(_mm512_add_ps(
      _mm512_add_ps(_mm512_add_ps(sum[0], sum[1]), _mm512_add_ps(sum[2], sum[3])), minima));
}

// One row of Q6_K: sixteen scales per block; the offset of 32 meets the sums of the activations.
float DotRowQ6_K(const std::byte* row, std::int64_t k, const std::byte* activation) {
  const QuantisedRowLayout layout = LayoutOfQuantisedRow(k);
  const auto* scales16 = reinterpret_cast<const float*>(activation + layout.scales16);
  const auto* sums16 = reinterpret_cast<const float*>(activation + layout.sums16);
  const __m512i quarter = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
  __m512 sum[4] = {}, offsets = _mm512_setzero_ps();
  for (std::int64_t first = 0; first < k; first += 256) {
    PrefetchAhead<sizeof(BlockQ6_K)>(row);
    const __m128i packed =
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + offsetof(BlockQ6_K, scales)));
    const __m512 scales =
        _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(packed)),
                      _mm512_set1_ps(Simd::HalfToFloat(row + offsetof(BlockQ6_K, d))));
    offsets = _mm512_fmadd_ps(scales, _mm512_loadu_ps(sums16 + first / 16), offsets);
    const __m512 factors = _mm512_mul_ps(scales, _mm512_loadu_ps(scales16 + first / 16));
    Unroll<4>([&](int j) __attribute__((always_inline)) {
      const __m512 dot = Dot64(Load64(FormatQ6_K{}, row, j), activation + first + 64 * j);
      const __m512i lanes = _mm512_add_epi32(quarter, _mm512_set1_epi32(4 * j));
      sum[j] = _mm512_fmadd_ps(dot, _mm512_permutexvar_ps(lanes, factors), sum[j]);
    });
    row += sizeof(BlockQ6_K);
  }
  const __m512 total = _mm512_add_ps(_mm512_add_ps(sum[0], sum[1]), _mm512_add_ps(sum[2], sum[3]));
  return _mm512_reduce_add_ps(_mm512_fmadd_ps(offsets, _mm512_set1_ps(32), total));
}

// Scales of kBlocks (4 or 8) neighbouring blocks of 32 and what meets the sums of the activations,
// the scales again or the minima: [scales 0-3, others 0-3, scales 4-7, others 4-7].
template <class Format, int kBlocks>
[[gnu::always_inline]] inline __m512 SmallScales(const std::byte* block) {
  constexpr int kBytes = sizeof(typename Format::Block);
  if constexpr (kHasMinima<Format> || kHasPowerScale<Format>) {
    float lanes[16] = {};
    Unroll<kBlocks>([&](int i) __attribute__((always_inline)) {
      float* scale = lanes + i / 4 * 8 + i % 4;
      Format::template Scales<Simd>(block + i * kBytes, scale, scale + 4);
      if (!kHasMinima<Format>) scale[4] = scale[0];
    });
    return _mm512_loadu_ps(lanes);
  } else {  // one binary16 at the head of the block
    std::uint64_t halves[2] = {};
    Unroll<kBlocks>([&](int i) __attribute__((always_inline)) {
      std::uint16_t d;
      std::memcpy(&d, block + i * kBytes, 2);
      halves[i / 4] |= static_cast<std::uint64_t>(d) << (16 * (i % 4));
    });
    const auto low = static_cast<std::int64_t>(halves[0]);
    const auto high = static_cast<std::int64_t>(halves[1]);
    return _mm512_cvtph_ps(_mm256_set_epi64x(high, high, low, low));
  }
}

struct SmallBlockSums {
  __m512 products[4];
  __m512 offsets;  // minus the sums of the activations, scaled; lanes 4-7 and 12-15
};

// kBlocks (4 or 8) neighbouring blocks of 32; `pairs32` and `values` are the activations they meet.
template <class Format, int kBlocks>
[[gnu::always_inline]] inline void AddSmallBlocks(const std::byte* block, const float* pairs32,
                                                  const std::byte* values, SmallBlockSums& sums) {
  constexpr int kBytes = sizeof(typename Format::Block);
  const __m512 scales = SmallScales<Format, kBlocks>(block);
  const __m512 factors =
      _mm512_mul_ps(scales, _mm512_maskz_loadu_ps(kBlocks == 8 ? 0xffff : 0x00ff, pairs32));
  sums.offsets = _mm512_mask_add_ps(sums.offsets, 0xf0f0, sums.offsets, factors);
  Unroll<kBlocks / 2>([&](int j) __attribute__((always_inline)) {
    const __m512 dot = Dot64(Load64(Format{}, block + 2 * j * kBytes, 0), values + 64 * j);
    const int lane = j < 2 ? 2 * j : 2 * j + 4;
    sums.products[j] = _mm512_fmadd_ps(dot, SpreadTwo(factors, lane, lane + 1), sums.products[j]);
  });
}

// One row of a format with blocks of 32: eight blocks at a time, then four, the rest portably.
template <class Format>
float DotRowSmallBlocks(const std::byte* row, std::int64_t k, const std::byte* activation) {
  constexpr int kBytes = sizeof(typename Format::Block);
  const auto* pairs32 =
      reinterpret_cast<const float*>(activation + LayoutOfQuantisedRow(k).pairs32);
  SmallBlockSums sums = {};
  const std::byte* block = row;
  std::int64_t first = 0;
  for (; first + 256 <= k; first += 256) {
    PrefetchAhead<8 * kBytes>(block);
    AddSmallBlocks<Format, 8>(block, pairs32 + first / 16, activation + first, sums);
    block += 8 * kBytes;
  }
  if (first + 128 <= k) {
    AddSmallBlocks<Format, 4>(block, pairs32 + first / 16, activation + first, sums);
    block += 4 * kBytes;
    first += 128;
  }
  const __m512 total = _mm512_add_ps(_mm512_add_ps(sums.products[0], sums.products[1]),
                                     _mm512_add_ps(sums.products[2], sums.products[3]));
  const __m512 offset =
      _mm512_set1_ps(kHasMinima<Format> ? 1.0f : static_cast<float>(Format::kOffset));
  float sum = _mm512_reduce_add_ps(_mm512_fmadd_ps(sums.offsets, offset, total));
  if (first < k) sum += DotRowPortable<Format>(block, first, k, activation);
  return sum;
}

// A row of larger blocks with any number of groups.
template <class Format>
float DotRowGroups(const std::byte* row, std::int64_t k, const std::byte* activation) {
  constexpr int kGroups = Format::kElements / Format::kGroup;
  constexpr __mmask16 kMask = static_cast<__mmask16>((1u << kGroups) - 1);
  constexpr int kPerLoad = 64 / Format::kGroup;  // groups in 64 values
  const QuantisedRowLayout layout = LayoutOfQuantisedRow(k);
  const auto* pairs32 = reinterpret_cast<const float*>(activation + layout.pairs32);
  const auto* scales16 = reinterpret_cast<const float*>(activation + layout.scales16);
  const auto* sums16 = reinterpret_cast<const float*>(activation + layout.sums16);
  const __m512i spread =
      _mm512_srli_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                        kPerLoad == 4 ? 2 : 3);
  const __m512i from_pairs = _mm512_setr_epi32(0, 1, 2, 3, 8, 9, 10, 11, 0, 0, 0, 0, 0, 0, 0, 0);
  __m512 sum[4] = {}, offsets = _mm512_setzero_ps();
  for (std::int64_t first = 0; first < k; first += Format::kElements) {
    PrefetchAhead<sizeof(typename Format::Block)>(row);
    float s[16] = {}, m[16] = {};
    GroupScales(Format{}, row, s, m);
    const __m512 scales = _mm512_loadu_ps(s);
    __m512 a_scales, a_sums;
    if constexpr (Format::kGroup == 16) {
      a_scales = _mm512_maskz_loadu_ps(kMask, scales16 + first / 16);
      a_sums = _mm512_maskz_loadu_ps(kMask, sums16 + first / 16);
    } else {
      const __m512 pairs = _mm512_loadu_ps(pairs32 + first / 16);
      a_scales = _mm512_permutexvar_ps(from_pairs, pairs);
      a_sums = _mm512_permutexvar_ps(_mm512_add_epi32(from_pairs, _mm512_set1_epi32(4)), pairs);
    }
    // Lanes without a group have scales and minima of zero.
    offsets = _mm512_fmadd_ps(kHasMinima<Format> ? _mm512_loadu_ps(m) : scales, a_sums, offsets);
    const __m512 factors = _mm512_mul_ps(scales, a_scales);
    Unroll<Format::kElements / 64>([&](int j) __attribute__((always_inline)) {
      const __m512 dot = Dot64(Load64(Format{}, row, j), activation + first + 64 * j);
      const __m512i lanes = _mm512_add_epi32(spread, _mm512_set1_epi32(kPerLoad * j));
      sum[j % 4] = _mm512_fmadd_ps(dot, _mm512_permutexvar_ps(lanes, factors), sum[j % 4]);
    });
    row += sizeof(typename Format::Block);
  }
  const __m512 total = _mm512_add_ps(_mm512_add_ps(sum[0], sum[1]), _mm512_add_ps(sum[2], sum[3]));
  const __m512 offset =
      _mm512_set1_ps(kHasMinima<Format> ? 1.0f : static_cast<float>(Format::kOffset));
  return _mm512_reduce_add_ps(_mm512_fmadd_ps(offsets, offset, total));
}

}  // namespace
}  // namespace paluku
