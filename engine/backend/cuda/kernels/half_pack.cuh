// Two numbers as f16 in one word, the first in its lower half.
#pragma once

#include <cuda_fp16.h>

namespace paluku::cuda {

__device__ __forceinline__ unsigned Pack(__half a, __half b) {
  return static_cast<unsigned>(__half_as_ushort(a)) | static_cast<unsigned>(__half_as_ushort(b))
                                                          << 16;
}

__device__ __forceinline__ unsigned PackHalves(float a, float b) {
  return Pack(__float2half_rn(a), __float2half_rn(b));
}

}  // namespace paluku::cuda
