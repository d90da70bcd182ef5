// Vectors of AVX2 with FMA and F16C. Included by avx2.cpp only; see README.md for the rules of
// these files.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace paluku {
namespace {

struct Simd {
  static constexpr int kLanes = 8;
  static constexpr int kGemmColumns = 4;
  using F = __m256;
  typedef std::int32_t I __attribute__((vector_size(32)));

  static inline F Set(float x) { return _mm256_set1_ps(x); }
  static inline F Load(const float* p) { return _mm256_loadu_ps(p); }
  static inline void Store(float* p, F v) { _mm256_storeu_ps(p, v); }
  static inline F Fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
  // The second operand wins when one is NaN, so the first is the new value.
  static inline F Max(F a, F b) { return _mm256_max_ps(a, b); }
  static inline float HalfToFloat(const void* p) {
    std::uint16_t half;
    std::memcpy(&half, p, 2);
    return _cvtsh_ss(half);
  }
  static inline F LoadHalf(const std::byte* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static inline F LoadBFloat(const std::byte* p) {
    const __m256i wide =
        _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
  }
  static inline F LoadInt8(const std::byte* p) {
    return _mm256_cvtepi32_ps(
        _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
  }

  static inline I SetI(std::int32_t x) { return I(_mm256_set1_epi32(x)); }
  static inline I LoadI(const void* p) {
    return I(_mm256_loadu_si256(static_cast<const __m256i*>(p)));
  }
  static inline F ToFloat(I v) { return _mm256_cvtepi32_ps(__m256i(v)); }
  static inline I ToInt(F v) { return I(_mm256_cvtps_epi32(v)); }
  static inline F Bits(I v) { return _mm256_castsi256_ps(__m256i(v)); }
  static inline F Round(F v) {
    return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  // acc[lane] += four unsigned bytes of w[lane] times the four signed bytes at `a`. The bytes are
  // widened to 16 bits, because the eight-bit product instruction saturates for bytes above 127.
  static inline I DotU8S8(I acc, I w, const std::int8_t* a) {
    std::int32_t four;
    std::memcpy(&four, a, 4);
    const __m256i x = _mm256_set1_epi32(four);
    const __m256i even = _mm256_madd_epi16(_mm256_and_si256(__m256i(w), _mm256_set1_epi16(255)),
                                           _mm256_srai_epi16(_mm256_slli_epi16(x, 8), 8));
    const __m256i odd =
        _mm256_madd_epi16(_mm256_srli_epi16(__m256i(w), 8), _mm256_srai_epi16(x, 8));
    return acc + I(even) + I(odd);
  }
};

}  // namespace
}  // namespace paluku
