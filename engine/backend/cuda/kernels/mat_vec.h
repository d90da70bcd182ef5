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

// out[c, row] = weight[row] . x[c].
struct MatVecPart {
  WeightView weight;
  float* out = nullptr;  // [columns, weight.rows]
};
// One or two products of the same columns, at most kMaxColumns; a part without rows is none.
void LaunchMatVec(const MatVecPart& first, const MatVecPart& second, const Columns& x, int columns,
                  cudaStream_t stream);

}  // namespace paluku::cuda
