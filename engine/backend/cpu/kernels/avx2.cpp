// Kernels for processors with AVX2; compiled with its flags.
#include "engine/backend/cpu/kernels/simd_avx2.h"
// The instruction set comes first.
#include "engine/backend/cpu/kernels/table_body.h"

namespace paluku {

const Kernels& Avx2Kernels() {
  static const Kernels kernels = [] {
    Kernels k = CommonKernels("avx2");
    WeightsOf(k, DType::kQ4_0) = PortableWeights<FormatQ4_0>();
    WeightsOf(k, DType::kQ5_0) = PortableWeights<FormatQ5_0>();
    WeightsOf(k, DType::kQ8_0) = PortableWeights<FormatQ8_0>();
    WeightsOf(k, DType::kQ4_K) = PortableWeights<FormatQ4_K>();
    WeightsOf(k, DType::kQ5_K) = PortableWeights<FormatQ5_K>();
    WeightsOf(k, DType::kQ6_K) = PortableWeights<FormatQ6_K>();
    return k;
  }();
  return kernels;
}

}  // namespace paluku
