// Products of rows of weights with one to eight columns of activations, a warp per row.
//
// The switch over forms is the same for a whole warp, so that one kernel serves every file type
// and the number of compiled kernels stays small.
#pragma once

#include "engine/backend/cuda/kernels/mat_vec.h"
#include "engine/backend/cuda/kernels/warp.cuh"
#include "engine/backend/cuda/kernels/weight_group.cuh"

namespace paluku::cuda {

// sums[c] += what this lane sees of row `row` times column c. Columns from `count` on repeat the
// last one.
template <WeightForm kForm, int kColumns>
__device__ __forceinline__ void DotIntegers(const WeightView& w, std::int64_t row, const Columns& x,
                                            int first, int count, float (&sums)[kColumns]) {
  const int groups = w.columns / kGroup;
  for (int g = threadIdx.x % kWarp; g < groups; g += kWarp) {
    int q[8];
    LoadIntegers<kForm>(w, row, g, q);
    const GroupScales scales = LoadScales(w, row, g);
#pragma unroll
    for (int c = 0; c < kColumns; ++c) {
      const std::int64_t at = static_cast<std::int64_t>(first + min(c, count - 1)) * groups + g;
      sums[c] +=
          DotGroup(q, scales, w.zero, x.quantised.values + at * kGroup, x.quantised.groups[at]);
    }
  }
}

template <int kColumns>
__device__ __forceinline__ void DotFloats(const WeightView& w, std::int64_t row, const Columns& x,
                                          int first, int count, float (&sums)[kColumns]) {
  for (int i = threadIdx.x % kWarp; i < w.columns; i += kWarp) {
    const float weight = FloatWeight(w, row * w.columns + i);
#pragma unroll
    for (int c = 0; c < kColumns; ++c) {
      const std::int64_t column = first + min(c, count - 1);
      sums[c] += weight * x.values[column * w.columns + i];
    }
  }
}

// sums[c] = row `row` of `w` times column first + c of `x`, in every lane.
template <int kColumns>
__device__ __forceinline__ void DotRow(const WeightView& w, std::int64_t row, const Columns& x,
                                       int first, int count, float (&sums)[kColumns]) {
#pragma unroll
  for (int c = 0; c < kColumns; ++c) sums[c] = 0;
  switch (w.form) {
    case WeightForm::kBits4:
      DotIntegers<WeightForm::kBits4>(w, row, x, first, count, sums);
      break;
    case WeightForm::kBits5:
      DotIntegers<WeightForm::kBits5>(w, row, x, first, count, sums);
      break;
    case WeightForm::kBits6:
      DotIntegers<WeightForm::kBits6>(w, row, x, first, count, sums);
      break;
    case WeightForm::kBits8:
      DotIntegers<WeightForm::kBits8>(w, row, x, first, count, sums);
      break;
    default:
      DotFloats(w, row, x, first, count, sums);
  }
#pragma unroll
  for (int c = 0; c < kColumns; ++c) sums[c] = WarpSum(sums[c]);
}

}  // namespace paluku::cuda
