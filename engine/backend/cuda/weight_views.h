// A prepared weight as kernels see it.
#pragma once

#include "engine/backend/cuda/weight_layout.h"
#include "engine/base/check.h"

namespace paluku::cuda {

// `weight` came out of PrepareWeight, or is a float tensor in memory of the card.
inline WeightView ViewOf(const Tensor& weight) {
  const auto layout = LayoutOf(weight.dtype, weight.rows(), weight.columns());
  PALUKU_CHECK(layout.has_value() && weight.slab_stride == 0);
  return layout->At(weight.data);
}

}  // namespace paluku::cuda
