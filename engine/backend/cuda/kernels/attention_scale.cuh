// What the ways to attend share: which tokens a row sees, in which splits, and its scale.
#pragma once

#include "engine/backend/cuda/kernels/attention.h"

namespace paluku::cuda {

template <class Args>
__device__ __forceinline__ float ScaleAt(const Args& args, int position) {
  if (args.temperature == 0) return args.scale;
  const int turns = position / args.temperature_length;
  return args.scale * (1.0f + args.temperature * logf(1.0f + static_cast<float>(turns)));
}

// The list of the tokens that `row` looks at; nullptr: all.
__device__ __forceinline__ const std::int32_t* SelectedOf(const AttentionArgs& args, int row) {
  if (args.selected == nullptr) return nullptr;
  return args.selected + static_cast<std::int64_t>(row) * args.selected_columns;
}

// How many tokens the row at `position` looks at.
__device__ __forceinline__ int VisibleOf(const AttentionArgs& args, int position) {
  return args.selected == nullptr ? position + 1 : min(position + 1, args.selected_columns);
}

// Tokens of a split: equal shares, in whole tiles.
__device__ __forceinline__ int SplitLength(int visible, int splits) {
  constexpr int kTile = 16;
  return ((visible + splits - 1) / splits + kTile - 1) / kTile * kTile;
}

}  // namespace paluku::cuda
