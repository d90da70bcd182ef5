// RmsNorm and AddRmsNorm, and the rounding of their output to int8 in the same launch.
#pragma once

#include <cuda_runtime_api.h>

#include "engine/backend/cuda/kernels/weight_view.h"

namespace paluku::cuda {

struct NormArgs {
  float* x;             // [rows, n]; changed only when there is a delta
  const float* delta;   // [rows, n] or nullptr: first x += delta
  const float* weight;  // [n]
  float epsilon;
  int rows, n;
  float* out;               // [rows, n], may be x
  QuantisedRows quantised;  // [rows, n] or empty; n is then a multiple of 32
};
void LaunchNorm(const NormArgs& args, cudaStream_t stream);

// out = x rounded to int8 in groups of 32. x: [rows, n], n a multiple of 32.
void LaunchQuantise(const float* x, int rows, int n, QuantisedRows out, cudaStream_t stream);

}  // namespace paluku::cuda
