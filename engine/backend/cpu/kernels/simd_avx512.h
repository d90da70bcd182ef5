// Vectors of AVX-512 (F, BW, VL, DQ) with VNNI. Included by avx512.cpp only; see README.md for the
// rules of these files.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace paluku {
namespace {

struct Simd {
  static constexpr int kLanes = 16;
  static constexpr int kGemmColumns = 16;
  using F = __m512;
  typedef std::int32_t I __attribute__((vector_size(64)));

  static inline F Set(float x) { return _mm512_set1_ps(x); }
  static inline F Load(const float* p) { return _mm512_loadu_ps(p); }
  static inline void Store(float* p, F v) { _mm512_storeu_ps(p, v); }
  static inline F Fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
  static inline F Max(F a, F b) { return _mm512_max_ps(a, b); }
  static inline float HalfToFloat(const void* p) {
    std::uint16_t half;
    std::memcpy(&half, p, 2);
    return _cvtsh_ss(half);
  }
  static inline F LoadHalf(const std::byte* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static inline F LoadBFloat(const std::byte* p) {
    const __m512i wide =
        _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
  }
  static inline F LoadInt8(const std::byte* p) {
    return _mm512_cvtepi32_ps(
        _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }

  static inline I SetI(std::int32_t x) { return I(_mm512_set1_epi32(x)); }
  static inline I LoadI(const void* p) { return I(_mm512_loadu_si512(p)); }
  // Whole numbers of magnitude up to 127.
  static inline void StoreInt8(std::int8_t* p, I v) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(__m512i(v)));
  }
  static inline F ToFloat(I v) { return _mm512_cvtepi32_ps(__m512i(v)); }
  static inline I ToInt(F v) { return I(_mm512_cvtps_epi32(v)); }
  static inline F Bits(I v) { return _mm512_castsi512_ps(__m512i(v)); }
  static inline F Round(F v) {
    return _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  // acc[lane] += four unsigned bytes of w[lane] times the four signed bytes at `a`.
  static constexpr bool kWideIsSigned = false;
  static inline I DotNarrow(I acc, I w, const std::int8_t* a) { return DotWide(acc, w, a); }
  static inline I DotWide(I acc, I w, const std::int8_t* a) {
    std::int32_t four;
    std::memcpy(&four, a, 4);
    return I(_mm512_dpbusd_epi32(__m512i(acc), __m512i(w), _mm512_set1_epi32(four)));
  }
};

}  // namespace
}  // namespace paluku
