#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "engine/backend/cuda/kernels/split.h"
#include "engine/backend/cuda/kernels/warp.cuh"

namespace paluku::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / kWarp;
constexpr int kBias = 127;       // of f32's exponent
constexpr int kScaledTo = 14;    // exponent of a scaled row's largest value: half of what f16 holds
constexpr int kMostShift = 126;  // its inverse must be a normal number

__device__ __forceinline__ float ToFloat(__half value) { return __half2float(value); }
__device__ __forceinline__ float ToFloat(__nv_bfloat16 value) { return __bfloat162float(value); }
__device__ __forceinline__ void Round(float value, __half& to) { to = __float2half_rn(value); }
__device__ __forceinline__ void Round(float value, __nv_bfloat16& to) {
  to = __float2bfloat16_rn(value);
}

// What is left of a number that is not finite, or became so, is nothing: the high part tells it.
template <class Number>
__device__ __forceinline__ void SplitOne(float value, Number& high, Number& low) {
  Round(value, high);
  const float rest = value - ToFloat(high);
  Round(isfinite(rest) ? rest : 0.0f, low);
}

// The largest magnitude of a row, for all threads; NaN counts as nothing.
__device__ __forceinline__ float RowMaximum(const float* x, int columns, float* shared) {
  float largest = 0;
  for (int i = threadIdx.x; i < columns; i += kThreads) largest = fmaxf(largest, fabsf(x[i]));
  largest = WarpMaxOrNan(largest);
  if (threadIdx.x % kWarp == 0) shared[threadIdx.x / kWarp] = largest;
  __syncthreads();
#pragma unroll
  for (int i = 0; i < kWarps; ++i) largest = fmaxf(largest, shared[i]);
  return largest;
}

// The power of two that a row is multiplied by: one where its largest value is between 1 and 2^15,
// as almost always.
__device__ __forceinline__ int ShiftOf(float largest) {
  const int exponent = static_cast<int>(__float_as_uint(largest) >> 23) - kBias;
  const bool fits = exponent >= 0 && exponent <= kScaledTo;
  if (fits || largest == 0 || !isfinite(largest)) return 0;
  return min(kScaledTo - exponent, kMostShift);
}

__device__ __forceinline__ float PowerOfTwo(int exponent) {
  return __uint_as_float(static_cast<unsigned>(exponent + kBias) << 23);
}

// One block per row.
__global__ void __launch_bounds__(kThreads)
    SplitToHalfKernel(const float* x, int columns, __half* high, __half* low, float* factors) {
  __shared__ float shared[kWarps];
  const std::int64_t start = static_cast<std::int64_t>(blockIdx.x) * columns;
  const int shift = ShiftOf(RowMaximum(x + start, columns, shared));
  const float scale = PowerOfTwo(shift);
  for (int i = threadIdx.x; i < columns; i += kThreads) {
    SplitOne(x[start + i] * scale, high[start + i], low[start + i]);
  }
  if (threadIdx.x == 0) factors[blockIdx.x] = PowerOfTwo(-shift);
}

__global__ void __launch_bounds__(kThreads)
    SplitToBfloatKernel(const float* x, int columns, __nv_bfloat16* high, __nv_bfloat16* low) {
  const std::int64_t start = static_cast<std::int64_t>(blockIdx.x) * columns;
  for (int i = threadIdx.x; i < columns; i += kThreads) {
    SplitOne(x[start + i], high[start + i], low[start + i]);
  }
}

// One block per row.
__global__ void __launch_bounds__(kThreads)
    ScaleRowsKernel(const float* factors, int columns, float* y) {
  const float factor = factors[blockIdx.x];
  if (factor == 1.0f) return;
  float* row = y + static_cast<std::int64_t>(blockIdx.x) * columns;
  for (int i = threadIdx.x; i < columns; i += kThreads) row[i] *= factor;
}

}  // namespace

void LaunchSplit(WeightForm form, const float* x, int rows, int columns, const SplitRows& out,
                 cudaStream_t stream) {
  if (form == WeightForm::kF16) {
    SplitToHalfKernel<<<rows, kThreads, 0, stream>>>(x, columns, static_cast<__half*>(out.high),
                                                     static_cast<__half*>(out.low), out.factors);
  } else {
    SplitToBfloatKernel<<<rows, kThreads, 0, stream>>>(
        x, columns, static_cast<__nv_bfloat16*>(out.high), static_cast<__nv_bfloat16*>(out.low));
  }
}

void LaunchScaleRows(const float* factors, int rows, int columns, float* y, cudaStream_t stream) {
  ScaleRowsKernel<<<rows, kThreads, 0, stream>>>(factors, columns, y);
}

}  // namespace paluku::cuda
