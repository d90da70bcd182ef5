// Element-wise kernels, written once over Simd. Included by each instruction set's file after its
// simd header.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/backend/cpu/kernels/kernel_table.h"

namespace paluku {
namespace {

using F = Simd::F;
using I = Simd::I;
constexpr int W = Simd::kLanes;

// Runs body(std::integral_constant) for 0 .. N-1 without a loop, so that arrays of vectors live in
// registers.
template <int N, class Body>
[[gnu::always_inline]] inline void Unroll(const Body& body) {
  if constexpr (N > 0) {
    Unroll<N - 1>(body);
    body(N - 1);
  }
}

// exp(x) with about 2 units in the last place; 0 below -87, NaN stays NaN.
[[gnu::always_inline]] inline F Exp(F x) {
  const F low = Simd::Set(-87.0f), high = Simd::Set(88.0f);
  const F inside = x < low ? low : (x > high ? high : x);
  const F n = Simd::Round(inside * Simd::Set(1.44269504f));
  F r = Simd::Fma(n, Simd::Set(-0.693359375f), inside);  // ln 2 in two parts
  r = Simd::Fma(n, Simd::Set(2.12194440e-4f), r);
  F p = Simd::Set(1.9875691500e-4f);  // minimax polynomial of degree 5 (Cephes, expf)
  p = Simd::Fma(p, r, Simd::Set(1.3981999507e-3f));
  p = Simd::Fma(p, r, Simd::Set(8.3334519073e-3f));
  p = Simd::Fma(p, r, Simd::Set(4.1665795894e-2f));
  p = Simd::Fma(p, r, Simd::Set(1.6666665459e-1f));
  p = Simd::Fma(p, r, Simd::Set(5.0000001201e-1f));
  p = Simd::Fma(p * r, r, r + Simd::Set(1.0f));
  const F power = Simd::Bits((Simd::ToInt(n) + Simd::SetI(127)) << 23);
  return x < low ? F{} : p * power;
}

// Sum of all lanes, halves onto halves.
template <class Element, class Vector>
[[gnu::always_inline]] inline Element SumLanesAs(Vector v) {
  Element lanes[W];
  std::memcpy(lanes, &v, sizeof(lanes));
  for (int step = W / 2; step > 0; step /= 2) {
    for (int i = 0; i < step; ++i) lanes[i] += lanes[i + step];
  }
  return lanes[0];
}
inline float SumLanes(F v) { return SumLanesAs<float>(v); }
inline std::int32_t SumLanes(I v) { return SumLanesAs<std::int32_t>(v); }

// Sum of squares in W running sums of doubles would need another vector type; blocks of 64 values
// keep the error of f32 partial sums small, and their total is a double.
void RmsNorm(const float* x, const float* weight, float epsilon, std::int64_t n, float* out) {
  double total = 0;
  std::int64_t i = 0;
  for (; i + 64 <= n; i += 64) {
    F sum = {};
    for (int j = 0; j < 64; j += W) {
      const F v = Simd::Load(x + i + j);
      sum = Simd::Fma(v, v, sum);
    }
    total += static_cast<double>(SumLanes(sum));
  }
  for (; i < n; ++i) total += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  const double mean = total / static_cast<double>(n);
  const float factor =
      static_cast<float>(1.0 / __builtin_sqrt(mean + static_cast<double>(epsilon)));
  for (i = 0; i + W <= n; i += W) {
    Simd::Store(out + i, Simd::Load(x + i) * Simd::Set(factor) * Simd::Load(weight + i));
  }
  for (; i < n; ++i) out[i] = x[i] * factor * weight[i];
}

void Add(float* x, const float* delta, std::int64_t n) {
  std::int64_t i = 0;
  for (; i + W <= n; i += W) Simd::Store(x + i, Simd::Load(x + i) + Simd::Load(delta + i));
  for (; i < n; ++i) x[i] += delta[i];
}

void ScaleAdd(float* x, float w, const float* y, std::int64_t n) {
  std::int64_t i = 0;
  for (; i + W <= n; i += W) {
    Simd::Store(x + i, Simd::Fma(Simd::Set(w), Simd::Load(y + i), Simd::Load(x + i)));
  }
  for (; i < n; ++i) x[i] += w * y[i];
}

[[gnu::always_inline]] inline F SiluMultiplied(F gate, F up) {
  return gate / (Simd::Set(1.0f) + Exp(-gate)) * up;
}

void SiluMultiply(const float* gate, const float* up, std::int64_t n, float* out) {
  std::int64_t i = 0;
  for (; i + W <= n; i += W) {
    Simd::Store(out + i, SiluMultiplied(Simd::Load(gate + i), Simd::Load(up + i)));
  }
  if (i == n) return;
  float g[W] = {}, u[W] = {}, o[W];
  for (std::int64_t j = i; j < n; ++j) {
    g[j - i] = gate[j];
    u[j - i] = up[j];
  }
  Simd::Store(o, SiluMultiplied(Simd::Load(g), Simd::Load(u)));
  for (std::int64_t j = i; j < n; ++j) out[j] = o[j - i];
}

void LoadF16(const std::byte* from, std::int64_t count, float* out) {
  std::int64_t i = 0;
  for (; i + W <= count; i += W) Simd::Store(out + i, Simd::LoadHalf(from + 2 * i));
  for (; i < count; ++i) out[i] = Simd::HalfToFloat(from + 2 * i);
}

void LoadQ8(const std::byte* values, const std::byte* scales, std::int64_t count, float* out) {
  for (std::int64_t g = 0; g < count / 32; ++g) {
    const F scale = Simd::Set(Simd::HalfToFloat(scales + 2 * g));
    for (int j = 0; j < 32; j += W) {
      Simd::Store(out + g * 32 + j, Simd::LoadInt8(values + g * 32 + j) * scale);
    }
  }
}

}  // namespace
}  // namespace paluku
