// Decoding of tiles of quantised weights with AVX-512: 16 rows of 64 values become registers of
// four neighbouring values of all 16 rows. Included by avx512.cpp only.
#pragma once

#include "engine/backend/cpu/kernels/avx512_formats.h"

namespace paluku {
namespace {

// Transposes a 16 x 16 matrix of 32-bit elements held in 16 registers.
[[gnu::always_inline]] inline void Transpose16(__m512i (&r)[16]) {
  __m512i t[16];
  Unroll<8>([&](int i) __attribute__((always_inline)) {
    t[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
  });
  Unroll<4>([&](int i) __attribute__((always_inline)) {
    r[4 * i] = _mm512_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
    r[4 * i + 1] = _mm512_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
    r[4 * i + 2] = _mm512_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
    r[4 * i + 3] = _mm512_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
  });
  // Now register 4 i + j holds, per 128-bit lane l, column 4 l + j of rows 4 i .. 4 i + 3.
  Unroll<4>([&](int j) __attribute__((always_inline)) {
    t[j] = _mm512_shuffle_i32x4(r[j], r[4 + j], 0x88);           // lanes 0 and 2 of rows 0-7
    t[4 + j] = _mm512_shuffle_i32x4(r[j], r[4 + j], 0xdd);       // lanes 1 and 3
    t[8 + j] = _mm512_shuffle_i32x4(r[8 + j], r[12 + j], 0x88);  // of rows 8-15
    t[12 + j] = _mm512_shuffle_i32x4(r[8 + j], r[12 + j], 0xdd);
  });
  Unroll<4>([&](int j) __attribute__((always_inline)) {
    r[j] = _mm512_shuffle_i32x4(t[j], t[8 + j], 0x88);
    r[8 + j] = _mm512_shuffle_i32x4(t[j], t[8 + j], 0xdd);
    r[4 + j] = _mm512_shuffle_i32x4(t[4 + j], t[12 + j], 0x88);
    r[12 + j] = _mm512_shuffle_i32x4(t[4 + j], t[12 + j], 0xdd);
  });
}

// Addresses of 16 rows; beyond `count` the last one again.
struct RowPointers {
  const std::byte* row[16];
  RowPointers(const std::byte* rows, std::int64_t row_bytes, int count) {
    for (int r = 0; r < 16; ++r) row[r] = rows + (r < count ? r : count - 1) * row_bytes;
  }
};

// Values of 16 rows, 64 of each, to the tile at `out`.
template <class Format>
[[gnu::always_inline]] inline void DecodeValues(const RowPointers& rows, std::int64_t offset, int j,
                                                std::byte* out) {
  __m512i r[16];
  // A plain loop: unrolled by force, the formats with codebooks would take minutes to compile.
  for (int i = 0; i < 16; ++i) r[i] = Load64(Format{}, rows.row[i] + offset, j);
  Transpose16(r);
  for (int i = 0; i < 16; ++i) _mm512_storeu_si512(out + 64 * i, r[i]);
}

void StoreTransposed(__m512i (&r)[16], float* const* out) {
  Transpose16(r);
  for (int i = 0; i < 16; ++i) _mm512_storeu_si512(out[i], r[i]);
}

template <class Format>
void DecodeTileSuperBlocks(const std::byte* first_row, std::int64_t row_bytes, int count,
                           std::int64_t k, std::byte* tile) {
  const RowPointers rows(first_row, row_bytes, count);
  auto* scales = reinterpret_cast<float*>(tile + k * 16);
  float* minima = scales + k / Format::kGroup * 16;
  for (std::int64_t b = 0; b < k / 256; ++b) {
    const std::int64_t offset = b * static_cast<std::int64_t>(sizeof(typename Format::Block));
    std::byte* values = tile + b * 256 * 16;
    Unroll<4>([&](int j) __attribute__((always_inline)) {
      DecodeValues<Format>(rows, offset, j, values + j * 1024);
    });
    __m512i r[16];
    float* out[16];
    for (int i = 0; i < 16; ++i) {
      const std::byte* block = rows.row[i] + offset;
      if constexpr (kHasMinima<Format>) {
        r[i] = _mm512_castps_si512(ScalesAndMinima(block));
        const std::int64_t group = b * 8 + i / 8 * 4 + i % 4;
        out[i] = (i % 8 < 4 ? scales : minima) + group * 16;
      } else {
        const __m128i packed =
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + offsetof(BlockQ6_K, scales)));
        r[i] = _mm512_castps_si512(
            _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(packed)),
                          _mm512_set1_ps(Simd::HalfToFloat(block + offsetof(BlockQ6_K, d)))));
        out[i] = scales + (b * 16 + i) * 16;
      }
    }
    StoreTransposed(r, out);
  }
}

// Scales of `kBlocks` neighbouring blocks of one row to its lane of the tile.
template <class Format, int kBlocks>
[[gnu::always_inline]] inline void StoreScales(const std::byte* block, float* scales,
                                               float* minima) {
  constexpr int kGroups = Format::kElements / Format::kGroup;
  for (int b = 0; b < kBlocks; ++b) {
    float s[kGroups], m[kGroups];
    GroupScales(Format{}, block + b * static_cast<int>(sizeof(typename Format::Block)), s, m);
    for (int g = 0; g < kGroups; ++g) {
      scales[(b * kGroups + g) * 16] = s[g];
      if constexpr (kHasMinima<Format>) minima[(b * kGroups + g) * 16] = m[g];
    }
  }
}

// Blocks of 64 or 256, and blocks of 32 in pairs.
template <class Format>
void DecodeTileGroups(const std::byte* first_row, std::int64_t row_bytes, int count, std::int64_t k,
                      std::byte* tile) {
  constexpr int kBlocks = Format::kElements == 32 ? 2 : 1, kSpan = kBlocks * Format::kElements;
  constexpr int kGroups = kSpan / Format::kGroup;
  // The last block of an odd number has no neighbour to be read with.
  if (k % kSpan != 0) return DecodeTilePortable<Format>(first_row, row_bytes, count, k, tile);
  const RowPointers rows(first_row, row_bytes, count);
  auto* scales = reinterpret_cast<float*>(tile + k * 16);
  float* minima = scales + k / Format::kGroup * 16;
  for (std::int64_t b = 0; b < k / kSpan; ++b) {
    const std::int64_t offset =
        b * kBlocks * static_cast<std::int64_t>(sizeof(typename Format::Block));
    for (int j = 0; j < kSpan / 64; ++j) {
      DecodeValues<Format>(rows, offset, j, tile + b * kSpan * 16 + j * 1024);
    }
    for (int r = 0; r < 16; ++r) {
      StoreScales<Format, kBlocks>(rows.row[r] + offset, scales + b * kGroups * 16 + r,
                                   minima + b * kGroups * 16 + r);
    }
  }
}

}  // namespace
}  // namespace paluku
