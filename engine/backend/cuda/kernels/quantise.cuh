// Rounding of 32 activations, one per lane, to int8 with a common scale.
#pragma once

#include "engine/backend/cuda/kernels/warp.cuh"
#include "engine/backend/cuda/kernels/weight_view.h"

namespace paluku::cuda {

// The group's scale is its largest magnitude / 127; a NaN makes the scale NaN and so every result
// of the row. All lanes of the warp take part; lane i writes value i.
__device__ __forceinline__ void QuantiseGroup(float value, std::int8_t* values,
                                              QuantisedGroup* group) {
  const int lane = threadIdx.x % kWarp;
  const float largest = WarpMaxOrNan(fabsf(value));
  // Smaller numbers than this have no inverse; they count as zero.
  const float inverse = largest > 1e-30f ? 127.0f / largest : 0.0f;
  const int q = __float2int_rn(value * inverse);
  int sum = q;
#pragma unroll
  for (int step = kWarp / 4; step > 0; step /= 2) sum += __shfl_xor_sync(kAllLanes, sum, step);
  const int upper = __shfl_sync(kAllLanes, sum, kWarp / 2);
  values[lane] = static_cast<std::int8_t>(q);
  if (lane == 0) {
    *group = {largest / 127.0f, {static_cast<std::int16_t>(sum), static_cast<std::int16_t>(upper)}};
  }
}

}  // namespace paluku::cuda
