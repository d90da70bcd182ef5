// Kernels for every x86-64 processor (and, with another compiler target, any other).
#include "engine/backend/cpu/kernels/simd_scalar.h"
// The instruction set comes first.
#include "engine/backend/cpu/kernels/table_body.h"

namespace paluku {

const Kernels& ScalarKernels() {
  static const Kernels kernels = [] {
    Kernels k = CommonKernels("scalar");
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
