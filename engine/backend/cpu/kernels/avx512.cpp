// Kernels for processors with AVX-512 and VNNI; compiled with their flags.
#include "engine/backend/cpu/kernels/simd_avx512.h"
// The instruction set comes first.
#include "engine/backend/cpu/kernels/avx512_tiles.h"
#include "engine/backend/cpu/kernels/table_body.h"

namespace paluku {
namespace {

template <class Format>
WeightKernels SmallBlockWeights() {
  return QuantisedWeights<Format, DotRowSmallBlocks<Format>, DecodeTileGroups<Format>>();
}
template <class Format>
WeightKernels GroupWeights() {
  return QuantisedWeights<Format, DotRowGroups<Format>, DecodeTileGroups<Format>>();
}
template <class Format, DotRow kDotRow>
WeightKernels SuperBlockWeights() {
  return QuantisedWeights<Format, kDotRow, DecodeTileSuperBlocks<Format>>();
}

}  // namespace

const Kernels& Avx512Kernels() {
  static const Kernels kernels = [] {
    Kernels k = CommonKernels("avx512");
    WeightsOf(k, DType::kQ4_0) = SmallBlockWeights<FormatQ4_0>();
    WeightsOf(k, DType::kQ4_1) = SmallBlockWeights<FormatQ4_1>();
    WeightsOf(k, DType::kQ5_0) = SmallBlockWeights<FormatQ5_0>();
    WeightsOf(k, DType::kQ5_1) = SmallBlockWeights<FormatQ5_1>();
    WeightsOf(k, DType::kQ8_0) = SmallBlockWeights<FormatQ8_0>();
    WeightsOf(k, DType::kIQ4_NL) = SmallBlockWeights<FormatIQ4_NL>();
    WeightsOf(k, DType::kMXFP4) = SmallBlockWeights<FormatMXFP4>();
    WeightsOf(k, DType::kQ4_K) = SuperBlockWeights<FormatQ4_K, DotRowWithMinima<FormatQ4_K>>();
    WeightsOf(k, DType::kQ5_K) = SuperBlockWeights<FormatQ5_K, DotRowWithMinima<FormatQ5_K>>();
    WeightsOf(k, DType::kQ6_K) = SuperBlockWeights<FormatQ6_K, DotRowQ6_K>();
    WeightsOf(k, DType::kQ2_K) = GroupWeights<FormatQ2_K>();
    WeightsOf(k, DType::kQ3_K) = GroupWeights<FormatQ3_K>();
    WeightsOf(k, DType::kIQ4_XS) = GroupWeights<FormatIQ4_XS>();
    WeightsOf(k, DType::kIQ2_XXS) = GroupWeights<FormatIQ2_XXS>();
    WeightsOf(k, DType::kIQ2_XS) = GroupWeights<FormatIQ2_XS>();
    WeightsOf(k, DType::kIQ2_S) = GroupWeights<FormatIQ2_S>();
    WeightsOf(k, DType::kIQ3_XXS) = GroupWeights<FormatIQ3_XXS>();
    WeightsOf(k, DType::kIQ3_S) = GroupWeights<FormatIQ3_S>();
    WeightsOf(k, DType::kIQ1_S) = GroupWeights<FormatIQ1_S>();
    WeightsOf(k, DType::kIQ1_M) = GroupWeights<FormatIQ1_M>();
    WeightsOf(k, DType::kNVFP4) = GroupWeights<FormatNVFP4>();
    return k;
  }();
  return kernels;
}

}  // namespace paluku
