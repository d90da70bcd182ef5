// Kernels for processors with AVX-512 and VNNI; compiled with their flags.
#include "engine/backend/cpu/kernels/simd_avx512.h"
// The instruction set comes first.
#include "engine/backend/cpu/kernels/avx512_tiles.h"
#include "engine/backend/cpu/kernels/table_body.h"

namespace paluku {
namespace {

template <class Format>
WeightKernels SmallBlockWeights() {
  return QuantisedWeights<Format, DotRowSmallBlocks<Format>, DecodeTileSmallBlocks<Format>>();
}

}  // namespace

const Kernels& Avx512Kernels() {
  static const Kernels kernels = [] {
    Kernels k = CommonKernels("avx512");
    WeightsOf(k, DType::kQ4_0) = SmallBlockWeights<FormatQ4_0>();
    WeightsOf(k, DType::kQ5_0) = SmallBlockWeights<FormatQ5_0>();
    WeightsOf(k, DType::kQ8_0) = SmallBlockWeights<FormatQ8_0>();
    WeightsOf(k, DType::kQ4_K) = QuantisedWeights<FormatQ4_K, DotRowWithMinima<FormatQ4_K>,
                                                  DecodeTileSuperBlocks<FormatQ4_K>>();
    WeightsOf(k, DType::kQ5_K) = QuantisedWeights<FormatQ5_K, DotRowWithMinima<FormatQ5_K>,
                                                  DecodeTileSuperBlocks<FormatQ5_K>>();
    WeightsOf(k, DType::kQ6_K) =
        QuantisedWeights<FormatQ6_K, DotRowQ6_K, DecodeTileSuperBlocks<FormatQ6_K>>();
    return k;
  }();
  return kernels;
}

}  // namespace paluku
