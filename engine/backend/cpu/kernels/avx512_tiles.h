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

// Values of 16 rows, 64 of each, to the tile at `out`: `registers` (16, or 8 for half) of 64 bytes.
template <class Format>
[[gnu::always_inline]] inline void DecodeValues(const RowPointers& rows, std::int64_t offset, int j,
                                                int registers, std::byte* out) {
  __m512i r[16];
  Unroll<16>([&](int i) __attribute__((always_inline)) {
    r[i] = Load64(Format{}, rows.row[i] + offset, j);
  });
  Transpose16(r);
  for (int i = 0; i < registers; ++i) _mm512_storeu_si512(out + 64 * i, r[i]);
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
      DecodeValues<Format>(rows, offset, j, 16, values + j * 1024);
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

template <class Format>
void DecodeTileSmallBlocks(const std::byte* first_row, std::int64_t row_bytes, int count,
                           std::int64_t k, std::byte* tile) {
  constexpr int kBytes = sizeof(typename Format::Block);
  // The last block of an odd number has no neighbour to be read with.
  if (k % 64 != 0) return DecodeTilePortable<Format>(first_row, row_bytes, count, k, tile);
  const RowPointers rows(first_row, row_bytes, count);
  auto* scales = reinterpret_cast<float*>(tile + k * 16);
  for (std::int64_t pair = 0; pair < k / 64; ++pair) {
    DecodeValues<Format>(rows, 2 * pair * kBytes, 0, 16, tile + pair * 1024);
    for (int i = 0; i < 16; ++i) {
      const std::byte* block = rows.row[i] + 2 * pair * kBytes;
      scales[(2 * pair) * 16 + i] = Simd::HalfToFloat(block);
      scales[(2 * pair + 1) * 16 + i] = Simd::HalfToFloat(block + kBytes);
    }
  }
}

}  // namespace
}  // namespace paluku
