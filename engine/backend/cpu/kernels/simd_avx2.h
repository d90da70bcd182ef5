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
  // Whole numbers of magnitude up to 127.
  static inline void StoreInt8(std::int8_t* p, I v) {
    const __m256i words = _mm256_packs_epi32(__m256i(v), __m256i(v));
    const __m256i bytes = _mm256_packs_epi16(words, words);
    const std::int32_t low = _mm256_extract_epi32(bytes, 0), high = _mm256_extract_epi32(bytes, 4);
    std::memcpy(p, &low, 4);
    std::memcpy(p + 4, &high, 4);
  }
  static inline F ToFloat(I v) { return _mm256_cvtepi32_ps(__m256i(v)); }
  static inline I ToInt(F v) { return I(_mm256_cvtps_epi32(v)); }
  static inline F Bits(I v) { return _mm256_castsi256_ps(__m256i(v)); }
  static inline F Round(F v) {
    return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  static inline __m256i Broadcast4(const std::int8_t* a) {
    std::int32_t four;
    std::memcpy(&four, a, 4);
    return _mm256_set1_epi32(four);
  }
  // Sums of four products as 32-bit numbers. The 16-bit sums of two in between hold for u up to
  // 128.
  static inline __m256i DotBytes(__m256i u, __m256i s) {
    return _mm256_madd_epi16(_mm256_maddubs_epi16(u, s), _mm256_set1_epi16(1));
  }
  // acc[lane] += four unsigned bytes of w[lane], each at most 127, times the four signed bytes at
  // `a`.
  static inline I DotNarrow(I acc, I w, const std::int8_t* a) {
    return acc + I(DotBytes(__m256i(w), Broadcast4(a)));
  }
  // The same for bytes up to 255, taken as w - 128: magnitude of one factor, signs moved to the
  // other.
  static constexpr bool kWideIsSigned = true;
  static inline I DotWide(I acc, I w, const std::int8_t* a) {
    const __m256i x = _mm256_xor_si256(__m256i(w), _mm256_set1_epi8(static_cast<char>(0x80)));
    return acc + I(DotBytes(_mm256_abs_epi8(x), _mm256_sign_epi8(Broadcast4(a), x)));
  }
};

}  // namespace
}  // namespace paluku
