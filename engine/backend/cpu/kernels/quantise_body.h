// Quantisation of activations and their packing into blocks, written once over Simd.
#pragma once

#include "engine/backend/cpu/kernels/vector_body.h"

namespace paluku {
namespace {

// 32 values to int8 with scale = largest magnitude / 127; returns the scale. counts[2] are minus
// the sums of each 16. A NaN or an infinity makes the scale NaN, so that it reaches the result.
inline float QuantiseGroup(const float* x, std::int8_t* q, std::int32_t* counts) {
  F largest = {}, poison = {};
  for (int i = 0; i < kActivationGroup; i += W) {
    const F v = Simd::Load(x + i);
    largest = Simd::Max(Simd::Max(v, -v), largest);
    poison = Simd::Fma(v, F{}, poison);  // NaN from NaN and infinity, else zero
  }
  const float poisoned = SumLanes(poison);
  float peak = 0;
  float lanes[W];
  Simd::Store(lanes, largest);
  for (int i = 0; i < W; ++i) peak = lanes[i] > peak ? lanes[i] : peak;
  // Below 1e-30 the inverse would overflow; such groups count as zero.
  const float inverse = peak > 1e-30f && poisoned == 0 ? 127.0f / peak : 0.0f;
  I sums[2] = {};
  for (int i = 0; i < kActivationGroup; i += W) {
    const F v = inverse > 0 ? Simd::Load(x + i) * Simd::Set(inverse) : F{};
    const I rounded = Simd::ToInt(Simd::Round(v));
    Simd::StoreInt8(q + i, rounded);
    sums[i / 16] -= rounded;
  }
  for (int half = 0; half < 2; ++half) counts[half] = SumLanes(sums[half]);
  return peak / 127.0f + poisoned;
}

void QuantiseRow(const float* x, std::int64_t k, std::byte* row) {
  const QuantisedRowLayout layout = LayoutOfQuantisedRow(k);
  auto* q = reinterpret_cast<std::int8_t*>(row);
  auto* pairs32 = reinterpret_cast<float*>(row + layout.pairs32);
  auto* scales16 = reinterpret_cast<float*>(row + layout.scales16);
  auto* sums16 = reinterpret_cast<float*>(row + layout.sums16);
  auto* counts16 = reinterpret_cast<std::int32_t*>(row + layout.counts16);
  const std::int64_t groups = k / kActivationGroup;
  for (std::int64_t i = groups / 4 * 8; i < (k + 127) / 128 * 8; ++i) pairs32[i] = 0;
  for (std::int64_t g = 0; g < groups; ++g) {
    std::int32_t* counts = counts16 + 2 * g;
    const float scale = QuantiseGroup(x + g * 32, q + g * 32, counts);
    for (int half = 0; half < 2; ++half) {
      scales16[2 * g + half] = scale;
      sums16[2 * g + half] = scale * static_cast<float>(counts[half]);
    }
    pairs32[g / 4 * 8 + g % 4] = scale;
    pairs32[g / 4 * 8 + 4 + g % 4] = scale * static_cast<float>(counts[0] + counts[1]);
  }
}

void PackColumn(const std::byte* row, int column, std::int64_t k, std::byte* block) {
  const QuantisedRowLayout from = LayoutOfQuantisedRow(k);
  const QuantisedBlockLayout to = LayoutOfQuantisedBlock(k);
  const auto* pairs32 = reinterpret_cast<const float*>(row + from.pairs32);
  const auto* counts = reinterpret_cast<const std::int32_t*>(row + from.counts16);
  auto* values = reinterpret_cast<std::int32_t*>(block) + column;
  auto* scales32 = reinterpret_cast<float*>(block + to.scales32) + column;
  auto* sums32 = reinterpret_cast<float*>(block + to.sums32) + column;
  auto* counts32 = reinterpret_cast<std::int32_t*>(block + to.counts32) + column;
  auto* counts16 = reinterpret_cast<std::int32_t*>(block + to.counts16) + column;
  for (std::int64_t i = 0; i < k / 4; ++i) std::memcpy(values + i * kBlockColumns, row + 4 * i, 4);
  for (std::int64_t g = 0; g < k / 32; ++g) {
    scales32[g * kBlockColumns] = pairs32[g / 4 * 8 + g % 4];
    sums32[g * kBlockColumns] = pairs32[g / 4 * 8 + 4 + g % 4];
    counts32[g * kBlockColumns] = counts[2 * g] + counts[2 * g + 1];
    counts16[(2 * g) * kBlockColumns] = counts[2 * g];
    counts16[(2 * g + 1) * kBlockColumns] = counts[2 * g + 1];
  }
}

void PackQuantised(const std::byte* const* rows, int columns, std::int64_t k, std::byte* block) {
  if (columns < kBlockColumns) {
    std::memset(block, 0, static_cast<std::size_t>(LayoutOfQuantisedBlock(k).bytes));
  }
  for (int c = 0; c < columns; ++c) PackColumn(rows[c], c, k, block);
}

void PackFloat(const float* const* rows, int columns, std::int64_t k, float* block) {
  for (std::int64_t i = 0; i < k; ++i) {
    for (int c = 0; c < kBlockColumns; ++c) {
      block[i * kBlockColumns + c] = c < columns ? rows[c][i] : 0.0f;
    }
  }
}

}  // namespace
}  // namespace paluku
