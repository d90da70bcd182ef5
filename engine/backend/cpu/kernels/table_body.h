// Fills a Kernels table from the functions written over Simd. Included last.
#pragma once

#include "engine/backend/cpu/kernels/attention_body.h"
#include "engine/backend/cpu/kernels/float_body.h"
#include "engine/backend/cpu/kernels/gemm_body.h"
#include "engine/backend/cpu/kernels/quantise_body.h"

namespace paluku {
namespace {

template <class Format>
WeightKernels FloatWeights() {
  return {.quantised = false,
          .tile_bytes = FloatTileBytes,
          .dot = DotFloat<Format>,
          .decode_tile = DecodeFloatTile<Format>,
          .multiply_tile = MultiplyFloatTile};
}

template <class Format>
WeightKernels PortableWeights() {
  return {.quantised = true,
          .tile_bytes = TileBytes<Format>,
          .dot = DotPortable<Format>,
          .decode_tile = DecodeTilePortable<Format>,
          .multiply_tile = MultiplyTile<Format>};
}

// Quantised weights with an instruction set's own rows and tiles.
using DotRow = float (*)(const std::byte* row, std::int64_t k, const std::byte* activation);

template <DotRow kDotRow>
void DotRows(const std::byte* rows, std::int64_t row_bytes, int count, std::int64_t k,
             const ActivationRow& activation, float* out) {
  for (int r = 0; r < count; ++r) out[r] = kDotRow(rows + r * row_bytes, k, activation.quantised);
}

template <class Format, DotRow kDotRow, auto kDecode>
WeightKernels QuantisedWeights() {
  WeightKernels weights = PortableWeights<Format>();
  weights.dot = DotRows<kDotRow>;
  weights.decode_tile = kDecode;
  return weights;
}

WeightKernels& WeightsOf(Kernels& kernels, DType dtype) {
  return kernels.weights[static_cast<int>(dtype)];
}

// Everything but the quantised weights.
Kernels CommonKernels(const char* name) {
  Kernels kernels;
  kernels.name = name;
  kernels.lanes = W;
  WeightsOf(kernels, DType::kF32) = FloatWeights<FloatF32>();
  WeightsOf(kernels, DType::kF16) = FloatWeights<FloatF16>();
  WeightsOf(kernels, DType::kBF16) = FloatWeights<FloatBF16>();
  kernels.quantise_row = QuantiseRow;
  kernels.pack_quantised = PackQuantised;
  kernels.pack_float = PackFloat;
  kernels.rms_norm = RmsNorm;
  kernels.add = Add;
  kernels.scale_add = ScaleAdd;
  kernels.silu_multiply = SiluMultiply;
  kernels.load_f16 = LoadF16;
  kernels.load_q8 = LoadQ8;
  kernels.attention_tile = AttendTile;
  kernels.times_matrix = TimesMatrix;
  return kernels;
}

}  // namespace
}  // namespace paluku
