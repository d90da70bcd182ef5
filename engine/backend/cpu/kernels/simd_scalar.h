// Vectors of the baseline instruction set (SSE2 on x86-64), through the compiler's vector types.
// Included by scalar.cpp only; see README.md for the rules of these files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/tensor/half.h"

namespace paluku {
namespace {

struct Simd {
  static constexpr int kLanes = 4;
  static constexpr int kGemmColumns = 4;  // accumulators that stay in registers
  typedef float F __attribute__((vector_size(16)));
  typedef std::int32_t I __attribute__((vector_size(16)));

  static inline F Set(float x) { return F{x, x, x, x}; }
  static inline F Load(const float* p) {
    F v;
    std::memcpy(&v, p, sizeof(v));
    return v;
  }
  static inline void Store(float* p, F v) { std::memcpy(p, &v, sizeof(v)); }
  static inline F Fma(F a, F b, F c) { return a * b + c; }
  static inline F Max(F a, F b) { return a > b ? a : b; }
  static inline float HalfToFloat(const void* p) {
    std::uint16_t half;
    std::memcpy(&half, p, 2);
    return paluku::HalfToFloat(half);
  }
  static inline F LoadHalf(const std::byte* p) {
    return F{HalfToFloat(p), HalfToFloat(p + 2), HalfToFloat(p + 4), HalfToFloat(p + 6)};
  }
  static inline F LoadBFloat(const std::byte* p) {
    std::uint16_t v[4];
    std::memcpy(v, p, sizeof(v));
    return F{BFloatToFloat(v[0]), BFloatToFloat(v[1]), BFloatToFloat(v[2]), BFloatToFloat(v[3])};
  }
  static inline F LoadInt8(const std::byte* p) {
    std::int8_t v[4];
    std::memcpy(v, p, sizeof(v));
    return F{static_cast<float>(v[0]), static_cast<float>(v[1]), static_cast<float>(v[2]),
             static_cast<float>(v[3])};
  }

  static inline I SetI(std::int32_t x) { return I{x, x, x, x}; }
  static inline I LoadI(const void* p) {
    I v;
    std::memcpy(&v, p, sizeof(v));
    return v;
  }
  // Whole numbers of magnitude up to 127.
  static inline void StoreInt8(std::int8_t* p, I v) {
    for (int i = 0; i < 4; ++i) p[i] = static_cast<std::int8_t>(v[i]);
  }
  static inline F ToFloat(I v) { return __builtin_convertvector(v, F); }
  static inline I ToInt(F v) { return __builtin_convertvector(v, I); }  // of whole numbers
  static inline F Bits(I v) { return reinterpret_cast<F>(v); }
  // To the nearest whole number, for |v| < 2^22.
  static inline F Round(F v) {
    const F magic = Set(12582912.0f);  // 1.5 * 2^23
    return (v + magic) - magic;
  }
  // acc[lane] += four unsigned bytes of w[lane] times the four signed bytes at `a`.
  static constexpr bool kWideIsSigned = false;
  static inline I DotNarrow(I acc, I w, const std::int8_t* a) { return DotWide(acc, w, a); }
  static inline I DotWide(I acc, I w, const std::int8_t* a) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&w);
    I sum = {};
    for (int lane = 0; lane < 4; ++lane) {
      const std::uint8_t* b = bytes + 4 * lane;
      sum[lane] = b[0] * a[0] + b[1] * a[1] + b[2] * a[2] + b[3] * a[3];
    }
    return acc + sum;
  }
};

}  // namespace
}  // namespace paluku
