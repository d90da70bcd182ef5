// Matrix times a few columns: what decoding and short chunks are made of.
#pragma once

#include <cuda_runtime_api.h>

#include "engine/backend/cuda/kernels/weight_view.h"

namespace paluku::cuda {

inline constexpr int kMaxColumns = 8;

// Activations [columns, k]: f32 for float weights, rounded for the others.
struct Columns {
  const float* values = nullptr;
  QuantisedRows quantised;
};

// out[c, row] = weight[row] . x[c]. out: [columns, weight.rows]; columns: at most kMaxColumns.
void LaunchMatVec(const WeightView& weight, const Columns& x, int columns, float* out,
                  cudaStream_t stream);

}  // namespace paluku::cuda
