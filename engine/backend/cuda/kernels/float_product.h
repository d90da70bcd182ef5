// Matrix products of many rows with float weights, in f32 throughout: prefill of models in F16 or
// BF16, and the gate of the router.
#pragma once

#include <cuda_runtime_api.h>

#include "engine/backend/cuda/kernels/weight_view.h"

namespace paluku::cuda {

// out[r, n] = weight[n] . x[r]. x: [rows, weight.columns]; out: [rows, weight.rows].
void LaunchFloatProduct(const WeightView& weight, const float* x, int rows, float* out,
                        cudaStream_t stream);

}  // namespace paluku::cuda
