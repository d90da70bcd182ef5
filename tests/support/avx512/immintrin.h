// Stands in for the compiler's <immintrin.h> when the AVX-512 kernels are compiled for a test on a
// processor without AVX-512: the same intrinsics in portable C by SIMDe, and below those that its
// version 0.7.4 lacks, as the Intel Intrinsics Guide defines them.
#pragma once

#define SIMDE_NO_NATIVE
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx2.h>
#include <simde/x86/avx512.h>
#include <simde/x86/f16c.h>
#include <simde/x86/fma.h>

#include <cmath>
#include <cstdint>
#include <cstring>

using __mmask16 = simde__mmask16;
using __mmask64 = simde__mmask64;
#ifndef _MM_FROUND_NO_EXC
#define _MM_FROUND_NO_EXC SIMDE_MM_FROUND_NO_EXC
#endif
#ifndef _MM_FROUND_TO_NEAREST_INT
#define _MM_FROUND_TO_NEAREST_INT SIMDE_MM_FROUND_TO_NEAREST_INT
#endif

namespace avx512_emulated {

template <class To, class From>
inline To Cast(const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

// `Out` vector whose lane i is convert(lane i of `in`).
template <class OutLane, class InLane, class Out, class In, class Convert>
inline Out Lanes(const In& in, Convert convert) {
  constexpr int kCount = sizeof(Out) / sizeof(OutLane);
  InLane from[sizeof(In) / sizeof(InLane)];
  OutLane to[kCount];
  std::memcpy(from, &in, sizeof from);
  for (int i = 0; i < kCount; ++i) to[i] = static_cast<OutLane>(convert(from[i]));
  return Cast<Out>(to);
}
inline constexpr auto kSame = [](auto lane) { return lane; };

}  // namespace avx512_emulated

inline __mmask64 _cvtu64_mask64(std::uint64_t mask) { return mask; }
inline float _cvtsh_ss(std::uint16_t half) {
  return simde_float16_to_float32(avx512_emulated::Cast<simde_float16>(half));
}
inline __m128i _mm512_cvtepi32_epi8(__m512i a) {
  return avx512_emulated::Lanes<std::int8_t, std::int32_t, __m128i>(a, avx512_emulated::kSame);
}
inline __m512 _mm512_cvtepi32_ps(__m512i a) {
  return avx512_emulated::Lanes<float, std::int32_t, __m512>(a, avx512_emulated::kSame);
}
inline __m512i _mm512_cvtepi8_epi32(__m128i a) {
  return avx512_emulated::Lanes<std::int32_t, std::int8_t, __m512i>(a, avx512_emulated::kSame);
}
inline __m512i _mm512_cvtepu8_epi32(__m128i a) {
  return avx512_emulated::Lanes<std::int32_t, std::uint8_t, __m512i>(a, avx512_emulated::kSame);
}
inline __m512i _mm512_cvtepu16_epi32(__m256i a) {
  return avx512_emulated::Lanes<std::int32_t, std::uint16_t, __m512i>(a, avx512_emulated::kSame);
}
inline __m512 _mm512_cvtph_ps(__m256i a) {
  return avx512_emulated::Lanes<float, std::uint16_t, __m512>(a, _cvtsh_ss);
}
// To the nearest, even when halfway, as the processor's default rounding does.
inline __m512i _mm512_cvtps_epi32(__m512 a) {
  return avx512_emulated::Lanes<std::int32_t, float, __m512i>(
      a, [](float lane) { return std::nearbyint(lane); });
}
inline __m512 _mm512_maskz_loadu_ps(__mmask16 mask, const void* from) {
  float lanes[16] = {};
  for (int i = 0; i < 16; ++i) {
    if (mask >> i & 1) std::memcpy(lanes + i, static_cast<const float*>(from) + i, sizeof(float));
  }
  return avx512_emulated::Cast<__m512>(lanes);
}
// In halves, as the compilers' sequence does.
inline float _mm512_reduce_add_ps(__m512 a) {
  float lanes[16];
  std::memcpy(lanes, &a, sizeof lanes);
  for (int half = 8; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}
