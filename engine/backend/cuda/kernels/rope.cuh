// Rotation of a pair. The angle is taken in double: at position 150,000 an f32 angle is off by
// 0.01.
#pragma once

#include "engine/backend/cuda/kernels/rows.h"

namespace paluku::cuda {

struct Rotated {
  float first, second;
};

__device__ __forceinline__ Rotated Rotate(float first, float second, int position,
                                          float inverse_frequency) {
  constexpr double kTurnsPerRadian = 0.15915494309189535;
  const double turns = static_cast<double>(position) * inverse_frequency * kTurnsPerRadian;
  // Within half a turn f32 is precise enough, and sincospi needs no table for it.
  const auto fraction = static_cast<float>(2.0 * (turns - rint(turns)));
  float sine, cosine;
  sincospif(fraction, &sine, &cosine);
  return {first * cosine - second * sine, first * sine + second * cosine};
}

// Places of pair `i` among the `rope` values.
__device__ __forceinline__ int FirstOfPair(const RopeArgs& rope, int i) {
  return rope.interleaved ? 2 * i : i;
}
__device__ __forceinline__ int SecondOfPair(const RopeArgs& rope, int i) {
  return rope.interleaved ? 2 * i + 1 : i + rope.rope / 2;
}

}  // namespace paluku::cuda
