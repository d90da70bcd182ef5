// Activations as two numbers of 16 bits each, high + low, for products on tensor cores with weights
// of the same type (../dense_library.h).
#pragma once

#include <cuda_runtime_api.h>

#include "engine/backend/cuda/kernels/weight_view.h"

namespace paluku::cuda {

struct SplitRows {
  void* high = nullptr;      // [rows, columns] f16 or bf16
  void* low = nullptr;       // [rows, columns]
  float* factors = nullptr;  // [rows] powers of two; f16 only
};

// x[r] = (high[r] + low[r]) * factors[r], to 2^-22 of a value or 2^-24 of the row's largest for
// kF16, to 2^-16 of a value for kBF16. x: [rows, columns].
void LaunchSplit(WeightForm form, const float* x, int rows, int columns, const SplitRows& out,
                 cudaStream_t stream);

// y[r] *= factors[r]. y: [rows, columns]. Rows whose factor is one are not touched.
void LaunchScaleRows(const float* factors, int rows, int columns, float* y, cudaStream_t stream);

}  // namespace paluku::cuda
