// Quantised formats with AVX2: 32 weights of a row at a time, in their natural order, rows times an
// activation and tiles. Included by avx2.cpp only.
#pragma once

#include "engine/backend/cpu/kernels/x86_formats.h"

namespace paluku {
namespace {

// Values 32 g .. 32 g + 31 of a superblock, unsigned; g = 0 .. 7.
[[gnu::always_inline]] inline __m256i KNibbles(const std::byte* nibbles, int g) {
  const __m256i bytes = Load32Bytes(nibbles + 32 * (g / 2));
  return _mm256_and_si256(g % 2 == 0 ? bytes : _mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
}
[[gnu::always_inline]] inline __m256i Load32(FormatQ4_K, const std::byte* block, int g) {
  return KNibbles(block + offsetof(BlockQ4_K, nibbles), g);
}
[[gnu::always_inline]] inline __m256i Load32(FormatQ5_K, const std::byte* block, int g) {
  const __m256i high = MovedBit(Load32Bytes(block + offsetof(BlockQ5_K, high_bits)), g, 4);
  return _mm256_or_si256(KNibbles(block + offsetof(BlockQ5_K, nibbles), g), high);
}
[[gnu::always_inline]] inline __m256i Load32(FormatQ6_K, const std::byte* block, int g) {
  const int half = g / 4, run = g % 4;
  const __m256i bytes = Load32Bytes(block + 64 * half + 32 * (run % 2));
  const __m256i low =
      _mm256_and_si256(run < 2 ? bytes : _mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
  const __m256i bits = Load32Bytes(block + offsetof(BlockQ6_K, high_bits) + 32 * half);
  const __m256i moved =
      run < 2 ? _mm256_slli_epi16(bits, 4 - 2 * run) : _mm256_srli_epi16(bits, 2 * run - 4);
  return _mm256_or_si256(low, _mm256_and_si256(moved, _mm256_set1_epi8(0x30)));
}

[[gnu::always_inline]] inline __m256i Load32(FormatQ4_0, const std::byte* block, int) {
  return BlockNibbles(block + offsetof(BlockQ4_0, nibbles));
}
[[gnu::always_inline]] inline __m256i Load32(FormatQ5_0, const std::byte* block, int) {
  const __m256i high = SpreadBits(LoadU32(block + offsetof(BlockQ5_0, high_bits)));
  return _mm256_or_si256(BlockNibbles(block + offsetof(BlockQ5_0, nibbles)),
                         _mm256_and_si256(high, _mm256_set1_epi8(16)));
}
[[gnu::always_inline]] inline __m256i Load32(FormatQ8_0, const std::byte* block, int) {
  return _mm256_xor_si256(Load32Bytes(block + offsetof(BlockQ8_0, q)),
                          _mm256_set1_epi8(static_cast<char>(0x80)));
}

// Scales of a superblock as integers in f32, eight groups.
struct KScales {
  __m256 scales;
  __m256 minima;
};
[[gnu::always_inline]] inline KScales UnpackKScales(const std::byte* block) {
  const std::byte* packed = block + offsetof(BlockQ4_K, scales);
  std::uint64_t low;
  std::uint32_t mixed;
  std::memcpy(&low, packed, 8);
  std::memcpy(&mixed, packed + 8, 4);
  const std::uint64_t top = low >> 2 & 0x3030303030303030u;
  low &= 0x3f3f3f3f3f3f3f3fu;
  const std::uint64_t scales = (low & 0xffffffffu) | ((mixed & 0x0f0f0f0fu) | (top & 0xffffffffu))
                                                         << 32;
  const std::uint64_t minima =
      low >> 32 |
      ((static_cast<std::uint64_t>(mixed >> 4 & 0x0f0f0f0fu) << 32) | (top >> 32) << 32);
  const auto widen = [](std::uint64_t bytes) {
    return _mm256_cvtepi32_ps(
        _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<long long>(bytes))));
  };
  return {_mm256_mul_ps(widen(scales), _mm256_set1_ps(Simd::HalfToFloat(block))),
          _mm256_mul_ps(widen(minima), _mm256_set1_ps(Simd::HalfToFloat(block + 2)))};
}

// Eight scales (part 0) or eight negative sums (part 1) of the activations, from the pairs of
// QuantisedRowLayout.
[[gnu::always_inline]] inline __m256 ActivationPairs(const float* pairs32, int part) {
  return _mm256_set_m128(_mm_loadu_ps(pairs32 + 8 + 4 * part), _mm_loadu_ps(pairs32 + 4 * part));
}

[[gnu::always_inline]] inline __m256 Broadcast(const float* p) { return _mm256_broadcast_ss(p); }

template <class Format>
float DotRowWithMinima(const std::byte* row, std::int64_t k, const std::byte* activation) {
  const auto* pairs32 =
      reinterpret_cast<const float*>(activation + LayoutOfQuantisedRow(k).pairs32);
  __m256 sum[4] = {}, minima = _mm256_setzero_ps();
  for (std::int64_t first = 0; first < k; first += 256) {
    const KScales packed = UnpackKScales(row);
    const float* pairs = pairs32 + first / 16;
    minima = _mm256_fmadd_ps(packed.minima, ActivationPairs(pairs, 1), minima);
    float factors[8];
    _mm256_storeu_ps(factors, _mm256_mul_ps(packed.scales, ActivationPairs(pairs, 0)));
    Unroll<8>([&](int g) __attribute__((always_inline)) {
      const __m256i dot =
          Simd::DotBytes(Load32(Format{}, row, g), Load32Bytes(activation + first + 32 * g));
      sum[g % 4] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), Broadcast(factors + g), sum[g % 4]);
    });
    row += sizeof(typename Format::Block);
  }
  return SumLanes(((sum[0] + sum[1]) + (sum[2] + sum[3])) + minima);
}

float DotRowQ6_K(const std::byte* row, std::int64_t k, const std::byte* activation) {
  const QuantisedRowLayout layout = LayoutOfQuantisedRow(k);
  const auto* scales16 = reinterpret_cast<const float*>(activation + layout.scales16);
  const auto* sums16 = reinterpret_cast<const float*>(activation + layout.sums16);
  __m256 sum[4] = {}, offsets[2] = {};
  for (std::int64_t first = 0; first < k; first += 256) {
    const __m256 d = _mm256_set1_ps(Simd::HalfToFloat(row + offsetof(BlockQ6_K, d)));
    const std::byte* packed = row + offsetof(BlockQ6_K, scales);
    float factors[16];
    Unroll<2>([&](int half) __attribute__((always_inline)) {
      const __m256 scales = _mm256_mul_ps(Simd::LoadInt8(packed + 8 * half), d);
      const std::int64_t at = first / 16 + 8 * half;
      offsets[half] = _mm256_fmadd_ps(scales, _mm256_loadu_ps(sums16 + at), offsets[half]);
      _mm256_storeu_ps(factors + 8 * half, _mm256_mul_ps(scales, _mm256_loadu_ps(scales16 + at)));
    });
    Unroll<8>([&](int g) __attribute__((always_inline)) {
      const __m256i dot =
          Simd::DotBytes(Load32(FormatQ6_K{}, row, g), Load32Bytes(activation + first + 32 * g));
      const __m256 factor =
          _mm256_set_m128(_mm_broadcast_ss(factors + 2 * g + 1), _mm_broadcast_ss(factors + 2 * g));
      sum[g % 4] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), factor, sum[g % 4]);
    });
    row += sizeof(BlockQ6_K);
  }
  const __m256 offset = (offsets[0] + offsets[1]) * _mm256_set1_ps(32);
  return SumLanes(((sum[0] + sum[1]) + (sum[2] + sum[3])) + offset);
}

// Sums of four products of `weights` of a format with activations.
template <class Format>
[[gnu::always_inline]] inline __m256i DotValues(__m256i weights, __m256i activations) {
  if constexpr (Format::kOffset != 128) return Simd::DotBytes(weights, activations);
  // The magnitude of one factor, its sign moved to the other.
  const __m256i x = _mm256_xor_si256(weights, _mm256_set1_epi8(static_cast<char>(0x80)));
  return Simd::DotBytes(_mm256_abs_epi8(x), _mm256_sign_epi8(activations, x));
}
// What DotValues leaves to be subtracted, per unit of scale (a minimum counts as it is).
template <class Format>
constexpr float kLeftOffset = Format::kHasMinima       ? 1
                              : Format::kOffset == 128 ? 0
                                                       : Format::kOffset;

// Scales of four neighbouring blocks of 32, and what meets the sums of the activations: the scales
// again, or the minima.
struct FourScales {
  __m128 scales;
  __m128 per_sum;
};
template <class Format>
[[gnu::always_inline]] inline FourScales LoadFourScales(const std::byte* block) {
  constexpr int kBytes = sizeof(typename Format::Block);
  if constexpr (kHasPowerScale<Format>) {
    const auto at = [&](int i) __attribute__((always_inline)) {
      return kE8M0Halves.entry[static_cast<int>(block[i * kBytes])];
    };
    const __m128 scales = _mm_setr_ps(at(0), at(1), at(2), at(3));
    return {scales, scales};
  } else if constexpr (kHasMinima<Format>) {  // d and m, binary16, at the head of the block
    const auto at = [&](int i) __attribute__((always_inline)) {
      return static_cast<int>(LoadU32(block + i * kBytes));
    };
    const __m256 pairs = _mm256_cvtph_ps(_mm_setr_epi32(at(0), at(1), at(2), at(3)));
    const __m128 low = _mm256_castps256_ps128(pairs), high = _mm256_extractf128_ps(pairs, 1);
    return {_mm_shuffle_ps(low, high, 0x88), -_mm_shuffle_ps(low, high, 0xdd)};
  } else {  // d
    std::uint64_t halves = 0;
    Unroll<4>([&](int i) __attribute__((always_inline)) {
      std::uint16_t d;
      std::memcpy(&d, block + i * kBytes, 2);
      halves |= static_cast<std::uint64_t>(d) << (16 * i);
    });
    const __m128 scales = _mm_cvtph_ps(_mm_cvtsi64_si128(static_cast<long long>(halves)));
    return {scales, scales};
  }
}

// A row of blocks of 32, four at a time, the rest portably.
template <class Format>
float DotRowSmallBlocks(const std::byte* row, std::int64_t k, const std::byte* activation) {
  constexpr int kBytes = sizeof(typename Format::Block);
  const auto* pairs32 =
      reinterpret_cast<const float*>(activation + LayoutOfQuantisedRow(k).pairs32);
  __m256 sum[4] = {};
  __m128 offsets = _mm_setzero_ps();
  std::int64_t first = 0;
  for (; first + 128 <= k; first += 128) {
    const float* pairs = pairs32 + first / 16;
    const FourScales four = LoadFourScales<Format>(row);
    float factors[4];
    _mm_storeu_ps(factors, _mm_mul_ps(four.scales, _mm_loadu_ps(pairs)));
    if constexpr (kLeftOffset<Format> != 0) {
      offsets = _mm_fmadd_ps(four.per_sum, _mm_loadu_ps(pairs + 4), offsets);
    }
    Unroll<4>([&](int i) __attribute__((always_inline)) {
      const __m256i dot = DotValues<Format>(Load32(Format{}, row + i * kBytes, 0),
                                            Load32Bytes(activation + first + 32 * i));
      sum[i] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), Broadcast(factors + i), sum[i]);
    });
    row += 4 * kBytes;
  }
  const __m256 offset = _mm256_zextps128_ps256(offsets * _mm_set1_ps(kLeftOffset<Format>));
  const float total = SumLanes(((sum[0] + sum[1]) + (sum[2] + sum[3])) + offset);
  return first < k ? total + DotRowPortable<Format>(row, first, k, activation) : total;
}

// Eight floats, or four and zeros.
template <int kCount>
[[gnu::always_inline]] inline __m256 LoadFloats(const float* p) {
  if constexpr (kCount >= 8) return _mm256_loadu_ps(p);
  return _mm256_zextps128_ps256(_mm_loadu_ps(p));
}

// A row of larger blocks with any number of groups.
template <class Format>
float DotRowGroups(const std::byte* row, std::int64_t k, const std::byte* activation) {
  constexpr int kGroups = Format::kElements / Format::kGroup;
  constexpr int kVectors = (kGroups + 7) / 8;
  const QuantisedRowLayout layout = LayoutOfQuantisedRow(k);
  const auto* pairs32 = reinterpret_cast<const float*>(activation + layout.pairs32);
  const auto* scales16 = reinterpret_cast<const float*>(activation + layout.scales16);
  const auto* sums16 = reinterpret_cast<const float*>(activation + layout.sums16);
  __m256 sum[4] = {}, offsets[kVectors] = {};
  for (std::int64_t first = 0; first < k; first += Format::kElements) {
    float scales[8 * kVectors], minima[8 * kVectors], factors[8 * kVectors];
    GroupScales(Format{}, row, scales, minima);
    Unroll<kVectors>([&](int v) __attribute__((always_inline)) {
      const std::int64_t at = first / 16 + 8 * v;
      const __m256 scale = LoadFloats<kGroups>(scales + 8 * v);
      const __m256 a_scale = Format::kGroup == 16 ? LoadFloats<kGroups>(scales16 + at)
                                                  : ActivationPairs(pairs32 + first / 16, 0);
      _mm256_storeu_ps(factors + 8 * v, _mm256_mul_ps(scale, a_scale));
      if constexpr (kLeftOffset<Format> != 0) {
        const __m256 a_sum = Format::kGroup == 16 ? LoadFloats<kGroups>(sums16 + at)
                                                  : ActivationPairs(pairs32 + first / 16, 1);
        const __m256 per_sum = Format::kHasMinima ? LoadFloats<kGroups>(minima + 8 * v) : scale;
        offsets[v] = _mm256_fmadd_ps(per_sum, a_sum, offsets[v]);
      }
    });
    Unroll<Format::kElements / 32>([&](int g) __attribute__((always_inline)) {
      const __m256i dot =
          DotValues<Format>(Load32(Format{}, row, g), Load32Bytes(activation + first + 32 * g));
      const __m256 factor = Format::kGroup == 32
                                ? Broadcast(factors + g)
                                : _mm256_set_m128(_mm_broadcast_ss(factors + 2 * g + 1),
                                                  _mm_broadcast_ss(factors + 2 * g));
      sum[g % 4] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), factor, sum[g % 4]);
    });
    row += sizeof(typename Format::Block);
  }
  __m256 total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  for (const __m256 offset : offsets) total += offset * _mm256_set1_ps(kLeftOffset<Format>);
  return SumLanes(total);
}

// Transposes an 8 x 8 matrix of 32-bit elements held in 8 registers.
[[gnu::always_inline]] inline void Transpose8(__m256i (&r)[8]) {
  __m256i t[8];
  Unroll<4>([&](int i) __attribute__((always_inline)) {
    t[2 * i] = _mm256_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm256_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
  });
  Unroll<2>([&](int i) __attribute__((always_inline)) {
    r[4 * i] = _mm256_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
    r[4 * i + 1] = _mm256_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
    r[4 * i + 2] = _mm256_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
    r[4 * i + 3] = _mm256_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
  });
  Unroll<4>([&](int i) __attribute__((always_inline)) {
    t[i] = _mm256_permute2x128_si256(r[i], r[4 + i], 0x20);
    t[4 + i] = _mm256_permute2x128_si256(r[i], r[4 + i], 0x31);
  });
  Unroll<8>([&](int i) __attribute__((always_inline)) { r[i] = t[i]; });
}

// Scales of a block to the columns of one row in a tile.
template <class Format>
[[gnu::always_inline]] inline void StoreScales(const std::byte* block, float* scales,
                                               float* minima) {
  constexpr int kGroups = Format::kElements / Format::kGroup;
  float s[kGroups], m[kGroups];
  GroupScales(Format{}, block, s, m);
  for (int g = 0; g < kGroups; ++g) {
    scales[g * 8] = s[g];
    if constexpr (kHasMinima<Format>) minima[g * 8] = m[g];
  }
}

template <class Format>
void DecodeTile(const std::byte* rows, std::int64_t row_bytes, int count, std::int64_t k,
                std::byte* tile) {
  constexpr int kElements = Format::kElements;
  auto* scales = reinterpret_cast<float*>(tile + k * 8);
  float* minima = scales + k / Format::kGroup * 8;
  for (std::int64_t b = 0; b < k / kElements; ++b) {
    const std::byte* block[8];
    for (int r = 0; r < 8; ++r) {
      block[r] = rows + (r < count ? r : count - 1) * row_bytes +
                 b * static_cast<std::int64_t>(sizeof(typename Format::Block));
      StoreScales<Format>(block[r], scales + b * (kElements / Format::kGroup) * 8 + r,
                          minima + b * (kElements / Format::kGroup) * 8 + r);
    }
    Unroll<kElements / 32>([&](int g) __attribute__((always_inline)) {
      __m256i r[8];
      Unroll<8>([&](int i)
                    __attribute__((always_inline)) { r[i] = Load32(Format{}, block[i], g); });
      Transpose8(r);
      auto* out = reinterpret_cast<__m256i*>(tile + (b * kElements + 32 * g) * 8);
      for (int i = 0; i < 8; ++i) _mm256_storeu_si256(out + i, r[i]);
    });
  }
}

}  // namespace
}  // namespace paluku
