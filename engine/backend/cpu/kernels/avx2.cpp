// Kernels for processors with AVX2, FMA and F16C; compiled with their flags.
#include "engine/backend/cpu/kernels/simd_avx2.h"
// The instruction set comes first.
#include "engine/backend/cpu/kernels/avx2_formats.h"
#include "engine/backend/cpu/kernels/table_body.h"

namespace paluku {

const Kernels& Avx2Kernels() {
  static const Kernels kernels = [] {
    Kernels k = CommonKernels("avx2");
    WeightsOf(k, DType::kQ4_0) =
        QuantisedWeights<FormatQ4_0, DotRowSmallBlocks<FormatQ4_0>, DecodeTile<FormatQ4_0>>();
    WeightsOf(k, DType::kQ5_0) =
        QuantisedWeights<FormatQ5_0, DotRowSmallBlocks<FormatQ5_0>, DecodeTile<FormatQ5_0>>();
    WeightsOf(k, DType::kQ8_0) =
        QuantisedWeights<FormatQ8_0, DotRowSmallBlocks<FormatQ8_0>, DecodeTile<FormatQ8_0>>();
    WeightsOf(k, DType::kQ4_K) =
        QuantisedWeights<FormatQ4_K, DotRowWithMinima<FormatQ4_K>, DecodeTile<FormatQ4_K>>();
    WeightsOf(k, DType::kQ5_K) =
        QuantisedWeights<FormatQ5_K, DotRowWithMinima<FormatQ5_K>, DecodeTile<FormatQ5_K>>();
    WeightsOf(k, DType::kQ6_K) = QuantisedWeights<FormatQ6_K, DotRowQ6_K, DecodeTile<FormatQ6_K>>();
    return k;
  }();
  return kernels;
}

}  // namespace paluku
