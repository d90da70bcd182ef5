// What the quantisers share: rounding, storing and sums in a fixed order.
//
// The searches (after the "k-quants" of the ggml project, in the unweighted form): try a dozen
// scales around the one that maps the largest value to the end of the range, round to the nearest
// codes, solve the scale from the codes by least squares, keep the best. quantise_symmetric.cpp
// does so for scales alone, quantise_affine.cpp for scales with minima.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/tensor/half.h"

namespace paluku {

template <class Block>
inline void StoreBlock(std::byte* blocks, std::int64_t index, const Block& block) {
  std::memcpy(blocks + index * static_cast<std::int64_t>(sizeof(Block)), &block, sizeof(Block));
}

// Four values at a time, in the compiler's own vectors: the same on every machine.
typedef float F4 __attribute__((vector_size(16)));

inline F4 Load4(const float* p) {
  F4 v;
  std::memcpy(&v, p, sizeof(v));
  return v;
}
inline F4 Splat(float x) { return F4{x, x, x, x}; }
inline float Total(F4 v) { return (v[0] + v[2]) + (v[1] + v[3]); }

// A NaN becomes `low`.
inline float Clamp(float v, float low, float high) {
  return v >= low ? (v <= high ? v : high) : low;
}
inline F4 Clamp(F4 v, float low, float high) {
  v = v > Splat(low) ? v : Splat(low);
  return v < Splat(high) ? v : Splat(high);
}

// The nearest whole number, ties to even, for |v| < 2^22.
template <class T>
inline T NearestWhole(T v) {
  constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23
  return (v + kMagic) - kMagic;
}

// binary16 of a scale, at most the largest finite one.
inline std::uint16_t HalfScale(float scale) {
  return FloatToHalf(Clamp(scale, -65504.0f, 65504.0f));
}

inline float Inverse(float scale) { return scale != 0 ? 1 / scale : 0; }

}  // namespace paluku
