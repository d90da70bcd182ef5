// Matrix times matrix over quantised weights, written once over Simd.
//
// A tile holds W rows of weights: values [k / 4][W][4] u8, then scales f32 [k / kGroup][W], then,
// for formats with minima, minima f32 [k / kGroup][W]. A register of values holds the same four k
// of all W rows and meets four activations of one column, broadcast; sums of a group are whole
// numbers, groups are added up in f32.
#pragma once

#include "engine/backend/cpu/kernels/formats_body.h"

namespace paluku {
namespace {

template <class Format>
constexpr bool kHasMinima = Format::kHasMinima;

template <class Format>
std::int64_t TileBytes(std::int64_t k) {
  return k * W + k / Format::kGroup * W * 4 * (kHasMinima<Format> ? 2 : 1);
}

template <class Format>
void DecodeTilePortable(const std::byte* rows, std::int64_t row_bytes, int count, std::int64_t k,
                        std::byte* tile) {
  constexpr int kGroups = Format::kElements / Format::kGroup;
  auto* scales = reinterpret_cast<float*>(tile + k * W);
  float* minima = scales + k / Format::kGroup * W;
  if (count < W) std::memset(tile, 0, static_cast<std::size_t>(TileBytes<Format>(k)));
  for (int r = 0; r < count; ++r) {
    const std::byte* block = rows + r * row_bytes;
    for (std::int64_t first = 0; first < k; first += Format::kElements) {
      std::int8_t codes[Format::kElements];
      float s[kGroups], m[kGroups];
      Format::Codes(block, codes);
      Format::template Scales<Simd>(block, s, m);
      block += sizeof(typename Format::Block);
      for (int i = 0; i < Format::kElements / 4; ++i) {
        std::uint8_t q[4];
        for (int j = 0; j < 4; ++j) {
          q[j] = static_cast<std::uint8_t>(codes[4 * i + j] + Format::kOffset);
        }
        std::memcpy(tile + ((first / 4 + i) * W + r) * 4, q, 4);
      }
      for (int g = 0; g < kGroups; ++g) {
        scales[(first / Format::kGroup + g) * W + r] = s[g];
        if (kHasMinima<Format>) minima[(first / Format::kGroup + g) * W + r] = m[g];
      }
    }
  }
}

// N columns starting at `column` of the block.
template <class Format, int N>
void MultiplyColumns(const std::byte* tile, const std::byte* block, int column, std::int64_t k,
                     float* out) {
  constexpr int kSteps = Format::kGroup / 4;      // registers per group
  constexpr bool kWide = Format::kOffset == 128;  // values up to 255, not 63
  constexpr bool kCountsOffset = !kHasMinima<Format> && !(kWide && Simd::kWideIsSigned);
  const QuantisedBlockLayout layout = LayoutOfQuantisedBlock(k);
  const auto* a = reinterpret_cast<const std::int8_t*>(block) + 4 * column;
  const auto* a_scales = reinterpret_cast<const float*>(block + layout.scales32) + column;
  const auto* a_sums = reinterpret_cast<const float*>(block + layout.sums32) + column;
  const auto* a_counts = reinterpret_cast<const std::int32_t*>(
                             block + (Format::kGroup == 16 ? layout.counts16 : layout.counts32)) +
                         column;
  const auto* scales = reinterpret_cast<const float*>(tile + k * W);
  const float* minima = scales + k / Format::kGroup * W;
  F sum[N] = {};
  for (std::int64_t g = 0; g < k / Format::kGroup; ++g) {
    I w[kSteps];
    Unroll<kSteps>([&](int i) { w[i] = Simd::LoadI(tile + (g * kSteps + i) * W * 4); });
    const F scale = Simd::Load(scales + g * W);
    const F minimum = kHasMinima<Format> ? Simd::Load(minima + g * W) : F{};
    const std::int64_t ag = g * Format::kGroup / 32;  // group of activations
    Unroll<N>([&](int c) __attribute__((always_inline)) {
      I dot = kCountsOffset ? Simd::SetI(a_counts[g * kBlockColumns + c]) * Format::kOffset : I{};
      Unroll<kSteps>([&](int i) __attribute__((always_inline)) {
        const std::int8_t* four = a + ((g * kSteps + i) * kBlockColumns + c) * 4;
        dot = kWide ? Simd::DotWide(dot, w[i], four) : Simd::DotNarrow(dot, w[i], four);
      });
      const float a_scale = a_scales[ag * kBlockColumns + c];
      sum[c] = Simd::Fma(Simd::ToFloat(dot), scale * Simd::Set(a_scale), sum[c]);
      if constexpr (kHasMinima<Format>) {
        const float minus_sum = Format::kGroup == 32
                                    ? a_sums[ag * kBlockColumns + c]
                                    : a_scale * static_cast<float>(a_counts[g * kBlockColumns + c]);
        sum[c] = Simd::Fma(minimum, Simd::Set(minus_sum), sum[c]);
      }
    });
  }
  Unroll<N>([&](int c) { Simd::Store(out + (column + c) * W, sum[c]); });
}

// Splits `columns` into runs that fit the registers; N columns at a time, the last run a multiple
// of 4.
template <class Format>
void MultiplyTile(const std::byte* tile, const std::byte* block, int columns, std::int64_t k,
                  float* out) {
  int column = 0;
  if constexpr (Simd::kGemmColumns >= 16) {
    if (columns > 12) return MultiplyColumns<Format, 16>(tile, block, 0, k, out);
  }
  if constexpr (Simd::kGemmColumns >= 8) {
    for (; columns - column > 4; column += 8) {
      MultiplyColumns<Format, 8>(tile, block, column, k, out);
    }
  }
  for (; column < columns; column += 4) MultiplyColumns<Format, 4>(tile, block, column, k, out);
}

}  // namespace
}  // namespace paluku
