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

// Everything, quantised weights with portable functions.
Kernels CommonKernels(const char* name) {
  Kernels kernels;
  kernels.name = name;
  kernels.lanes = W;
  WeightsOf(kernels, DType::kF32) = FloatWeights<FloatF32>();
  WeightsOf(kernels, DType::kF16) = FloatWeights<FloatF16>();
  WeightsOf(kernels, DType::kBF16) = FloatWeights<FloatBF16>();
  WeightsOf(kernels, DType::kQ4_0) = PortableWeights<FormatQ4_0>();
  WeightsOf(kernels, DType::kQ4_1) = PortableWeights<FormatQ4_1>();
  WeightsOf(kernels, DType::kQ5_0) = PortableWeights<FormatQ5_0>();
  WeightsOf(kernels, DType::kQ5_1) = PortableWeights<FormatQ5_1>();
  WeightsOf(kernels, DType::kQ8_0) = PortableWeights<FormatQ8_0>();
  WeightsOf(kernels, DType::kQ2_K) = PortableWeights<FormatQ2_K>();
  WeightsOf(kernels, DType::kQ3_K) = PortableWeights<FormatQ3_K>();
  WeightsOf(kernels, DType::kQ4_K) = PortableWeights<FormatQ4_K>();
  WeightsOf(kernels, DType::kQ5_K) = PortableWeights<FormatQ5_K>();
  WeightsOf(kernels, DType::kQ6_K) = PortableWeights<FormatQ6_K>();
  WeightsOf(kernels, DType::kIQ4_NL) = PortableWeights<FormatIQ4_NL>();
  WeightsOf(kernels, DType::kIQ4_XS) = PortableWeights<FormatIQ4_XS>();
  WeightsOf(kernels, DType::kIQ2_XXS) = PortableWeights<FormatIQ2_XXS>();
  WeightsOf(kernels, DType::kIQ2_XS) = PortableWeights<FormatIQ2_XS>();
  WeightsOf(kernels, DType::kIQ2_S) = PortableWeights<FormatIQ2_S>();
  WeightsOf(kernels, DType::kIQ3_XXS) = PortableWeights<FormatIQ3_XXS>();
  WeightsOf(kernels, DType::kIQ3_S) = PortableWeights<FormatIQ3_S>();
  WeightsOf(kernels, DType::kIQ1_S) = PortableWeights<FormatIQ1_S>();
  WeightsOf(kernels, DType::kIQ1_M) = PortableWeights<FormatIQ1_M>();
  WeightsOf(kernels, DType::kMXFP4) = PortableWeights<FormatMXFP4>();
  WeightsOf(kernels, DType::kNVFP4) = PortableWeights<FormatNVFP4>();
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
