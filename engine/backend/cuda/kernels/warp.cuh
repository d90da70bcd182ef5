// Sums and maxima over the 32 lanes of a warp; every lane gets the result, in a fixed order.
#pragma once

namespace paluku::cuda {

inline constexpr int kWarp = 32;
inline constexpr unsigned kAllLanes = 0xffffffffu;

__device__ __forceinline__ float WarpSum(float value) {
#pragma unroll
  for (int step = kWarp / 2; step > 0; step /= 2) value += __shfl_xor_sync(kAllLanes, value, step);
  return value;
}

__device__ __forceinline__ int WarpSum(int value) {
#pragma unroll
  for (int step = kWarp / 2; step > 0; step /= 2) value += __shfl_xor_sync(kAllLanes, value, step);
  return value;
}

// The largest value; NaN when any lane has one, so that a damaged row stays damaged.
__device__ __forceinline__ float WarpMaxOrNan(float value) {
#pragma unroll
  for (int step = kWarp / 2; step > 0; step /= 2) {
    const float other = __shfl_xor_sync(kAllLanes, value, step);
    value = value >= other || value != value ? value : other;
  }
  return value;
}

// Sum over a block of up to 1024 threads; `shared` has room for 32 floats and may be used again
// after the next barrier of the caller.
__device__ __forceinline__ float BlockSum(float value, float* shared) {
  value = WarpSum(value);
  const int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  if (lane == 0) shared[warp] = value;
  __syncthreads();
  const int warps = (blockDim.x + kWarp - 1) / kWarp;
  return WarpSum(lane < warps ? shared[lane] : 0.0f);
}

}  // namespace paluku::cuda
