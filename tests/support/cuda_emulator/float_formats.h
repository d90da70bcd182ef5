// f16 and bf16: bits to numbers and back, rounded as the PTX instruction set says.
#pragma once

#include <immintrin.h>

#include <bit>
#include <cmath>
#include <cstdint>

namespace paluku::emulator {

inline float HalfToFloat(std::uint16_t bits) { return _cvtsh_ss(bits); }
inline float Bf16ToFloat(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

inline constexpr std::uint16_t kHalfNan = 0x7FFF;
inline constexpr std::uint32_t kFloatNan = 0x7FFFFFFF;

inline std::uint16_t FloatToHalf(float value) {
  return std::isnan(value)
             ? kHalfNan
             : static_cast<std::uint16_t>(_cvtss_sh(value, _MM_FROUND_TO_NEAREST_INT));
}
inline std::uint16_t FloatToBf16(float value) {
  if (std::isnan(value)) return kHalfNan;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

// The nearest float with the last bit set when the value does not fit: rounding it again to fewer
// bits is right.
inline float RoundToOdd(double value) {
  const auto near = static_cast<float>(value);
  if (static_cast<double>(near) == value || std::isnan(value)) return near;
  const auto bits = std::bit_cast<std::uint32_t>(near);
  if ((bits & 1) != 0) return near;
  return std::bit_cast<float>(std::fabs(static_cast<double>(near)) < std::fabs(value) ? bits + 1
                                                                                      : bits - 1);
}

// a * b + c, where a * b is exact in double; rounded to odd.
inline double FusedToOdd(double product, double c) {
  const double sum = product + c;
  if (!std::isfinite(sum)) return sum;
  const double back = sum - product;
  const double error = (product - (sum - back)) + (c - back);
  const auto bits = std::bit_cast<std::uint64_t>(sum);
  if (error == 0 || (bits & 1) != 0) return sum;
  return std::bit_cast<double>((error > 0) == (sum > 0) ? bits + 1 : bits - 1);
}

// The two formats behind one face.
struct Half {
  static float ToFloat(std::uint16_t bits) { return HalfToFloat(bits); }
  static std::uint16_t FromFloat(float value) { return FloatToHalf(value); }
  static std::uint16_t FromDouble(double value) { return FloatToHalf(RoundToOdd(value)); }
};
struct Bf16 {
  static float ToFloat(std::uint16_t bits) { return Bf16ToFloat(bits); }
  static std::uint16_t FromFloat(float value) { return FloatToBf16(value); }
  static std::uint16_t FromDouble(double value) { return FloatToBf16(RoundToOdd(value)); }
};

// Least and greatest as PTX has them: -0 < +0, and a NaN loses against a number unless it wins
// (kNanWins).
template <bool kNanWins, class T>
T FloatMinimum(T a, T b) {
  if (a != a) return kNanWins ? a : b;
  if (b != b) return kNanWins ? b : a;
  if (a == b) return std::signbit(a) ? a : b;
  return a < b ? a : b;
}
template <bool kNanWins, class T>
T FloatMaximum(T a, T b) {
  if (a != a) return kNanWins ? a : b;
  if (b != b) return kNanWins ? b : a;
  if (a == b) return std::signbit(a) ? b : a;
  return a < b ? b : a;
}

inline float FlushDenormal(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return (bits & 0x7F800000) == 0 ? std::bit_cast<float>(bits & 0x80000000) : value;
}

}  // namespace paluku::emulator
