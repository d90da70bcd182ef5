// Kernels for every x86-64 processor (and, with another compiler target, any other).
#include "engine/backend/cpu/kernels/simd_scalar.h"
// The instruction set comes first.
#include "engine/backend/cpu/kernels/table_body.h"

namespace paluku {

const Kernels& ScalarKernels() {
  static const Kernels kernels = CommonKernels("scalar");
  return kernels;
}

}  // namespace paluku
