// Quantised weight formats (tensor/block_formats.h) times an activation row, portably: every type
// of weights works on every instruction set, which then brings faster functions of the same shape.
//
// The integer kernels see unsigned values q = code + kOffset, so that
// value = scale * (q - kOffset) - minimum.
#pragma once

#include "engine/backend/cpu/kernels/vector_body.h"
#include "engine/tensor/block_formats.h"
#include "engine/tensor/block_formats_iq.h"

namespace paluku {
namespace {

// Values `first` .. k - 1 of one row, `block` the one that holds `first`, times a quantised
// activation row.
template <class Format>
float DotRowPortable(const std::byte* block, std::int64_t first, std::int64_t k,
                     const std::byte* activation) {
  constexpr int kGroups = Format::kElements / Format::kGroup;
  const QuantisedRowLayout layout = LayoutOfQuantisedRow(k);
  const auto* a = reinterpret_cast<const std::int8_t*>(activation);
  const auto* scales16 = reinterpret_cast<const float*>(activation + layout.scales16);
  const auto* sums16 = reinterpret_cast<const float*>(activation + layout.sums16);
  float total = 0;
  for (; first < k; first += Format::kElements) {
    std::int8_t codes[Format::kElements];
    float scales[kGroups], minima[kGroups] = {};
    Format::Codes(block, codes);
    Format::template Scales<Simd>(block, scales, minima);
    block += sizeof(typename Format::Block);
    for (int g = 0; g < kGroups; ++g) {
      const std::int64_t at = first + g * Format::kGroup;
      std::int32_t sum = 0;
      for (int i = 0; i < Format::kGroup; ++i) sum += codes[g * Format::kGroup + i] * a[at + i];
      total += scales[g] * scales16[at / 16] * static_cast<float>(sum);
      if constexpr (Format::kHasMinima) {
        float minus_sum = sums16[at / 16];
        if (Format::kGroup == 32) minus_sum += sums16[at / 16 + 1];
        total += minima[g] * minus_sum;
      }
    }
  }
  return total;
}

template <class Format>
void DotPortable(const std::byte* rows, std::int64_t row_bytes, int count, std::int64_t k,
                 const ActivationRow& activation, float* out) {
  for (int r = 0; r < count; ++r) {
    out[r] = DotRowPortable<Format>(rows + r * row_bytes, 0, k, activation.quantised);
  }
}

}  // namespace
}  // namespace paluku
