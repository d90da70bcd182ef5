// Quantisation of activations and their packing into blocks, written once over Simd.
#pragma once

#include "engine/backend/cpu/kernels/vector_body.h"

namespace paluku {
namespace {

// 32 values to int8 with scale = largest magnitude / 127. Returns the scale. A NaN or an infinity
// makes the scale NaN, so that it reaches the result.
inline float QuantiseGroup(const float* x, std::int8_t* q) {
  float largest = 0, poison = 0;
  for (int i = 0; i < kActivationGroup; ++i) {
    const float magnitude = __builtin_fabsf(x[i]);
    largest = magnitude > largest ? magnitude : largest;
    poison += x[i] * 0.0f;
  }
  const float inverse = largest > 1e-30f && poison == 0 ? 127.0f / largest : 0.0f;
  for (int i = 0; i < kActivationGroup; i += W) {
    // Whole numbers of magnitude up to 127; the clamp only matters for poisoned groups.
    const I v =
        Simd::ToInt(Simd::Round(inverse > 0 ? Simd::Load(x + i) * Simd::Set(inverse) : F{}));
    std::int32_t lanes[W];
    std::memcpy(lanes, &v, sizeof(lanes));
    for (int j = 0; j < W; ++j) q[i + j] = static_cast<std::int8_t>(lanes[j]);
  }
  return largest / 127.0f + poison;
}

void QuantiseRow(const float* x, std::int64_t k, std::byte* row) {
  const QuantisedRowLayout layout = LayoutOfQuantisedRow(k);
  auto* q = reinterpret_cast<std::int8_t*>(row);
  auto* pairs32 = reinterpret_cast<float*>(row + layout.pairs32);
  auto* scales16 = reinterpret_cast<float*>(row + layout.scales16);
  auto* sums16 = reinterpret_cast<float*>(row + layout.sums16);
  const std::int64_t groups = k / kActivationGroup;
  for (std::int64_t i = 0; i < (k + 127) / 128 * 8; ++i) pairs32[i] = 0;
  for (std::int64_t g = 0; g < groups; ++g) {
    std::int8_t* values = q + g * 32;
    const float scale = QuantiseGroup(x + g * 32, values);
    int sums[2] = {};
    for (int i = 0; i < 32; ++i) sums[i / 16] += values[i];
    for (int half = 0; half < 2; ++half) {
      scales16[2 * g + half] = scale;
      sums16[2 * g + half] = -scale * static_cast<float>(sums[half]);
    }
    pairs32[g / 4 * 8 + g % 4] = scale;
    pairs32[g / 4 * 8 + 4 + g % 4] = -scale * static_cast<float>(sums[0] + sums[1]);
  }
}

void PackColumn(const std::byte* row, int column, std::int64_t k, std::byte* block) {
  const QuantisedRowLayout from = LayoutOfQuantisedRow(k);
  const QuantisedBlockLayout to = LayoutOfQuantisedBlock(k);
  const auto* q = reinterpret_cast<const std::int8_t*>(row);
  const auto* pairs32 = reinterpret_cast<const float*>(row + from.pairs32);
  auto* values = reinterpret_cast<std::int32_t*>(block) + column;
  auto* scales32 = reinterpret_cast<float*>(block + to.scales32) + column;
  auto* sums32 = reinterpret_cast<float*>(block + to.sums32) + column;
  auto* counts32 = reinterpret_cast<std::int32_t*>(block + to.counts32) + column;
  auto* counts16 = reinterpret_cast<std::int32_t*>(block + to.counts16) + column;
  for (std::int64_t g = 0; g < k / 32; ++g) {
    int sums[2] = {};
    for (int i = 0; i < 8; ++i) {
      std::memcpy(values + (g * 8 + i) * kBlockColumns, q + g * 32 + 4 * i, 4);
    }
    for (int i = 0; i < 32; ++i) sums[i / 16] += q[g * 32 + i];
    scales32[g * kBlockColumns] = pairs32[g / 4 * 8 + g % 4];
    sums32[g * kBlockColumns] = pairs32[g / 4 * 8 + 4 + g % 4];
    counts32[g * kBlockColumns] = -(sums[0] + sums[1]);
    counts16[(2 * g) * kBlockColumns] = -sums[0];
    counts16[(2 * g + 1) * kBlockColumns] = -sums[1];
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
