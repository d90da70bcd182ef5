// Q6_K, IQ4_XS and IQ4_NL: value = scale * code, where the scales of a superblock are whole numbers
// times one binary16.
#include <algorithm>
#include <array>
#include <cmath>

#include "engine/tensor/blocks.h"
#include "engine/tensor/codebooks.h"
#include "engine/tensor/quantise.h"
#include "engine/tensor/quantise_search.h"

namespace paluku {
namespace {

// Codes -32 .. 31 of Q6_K.
struct WholeCodes {
  static constexpr float kLow = -32;      // what the largest value is mapped to
  static constexpr float kStep = 0.125f;  // between tried ends of the range, kSteps to each side
  static constexpr int kSteps = 8;
  static constexpr bool kBothEnds = false;
  static F4 Nearest(F4 v) { return NearestWhole(Clamp(v, -32, 31)); }
};

// The values of IQ4_NL and IQ4_XS; lookup of the nearest by half units, at which all the midpoints
// lie.
struct Iq4Codes {
  static constexpr float kLow = -127;
  static constexpr float kStep = 2;
  static constexpr int kSteps = 4;
  static constexpr bool kBothEnds = true;
  // Entry i: the index of the nearest code of every value in [i / 2 - 128, i / 2 - 127.5).
  static constexpr auto kIndices = [] {
    std::array<std::uint8_t, 512> table{};
    for (int i = 0; i < 512; ++i) {
      std::uint8_t code = 0;
      // Twice the midpoint of two codes is a whole number; from it on the upper one is as near.
      while (code < 15 && i - 256 >= kIq4Values[code] + kIq4Values[code + 1]) ++code;
      table[static_cast<std::size_t>(i)] = code;
    }
    return table;
  }();
  static constexpr auto kNearest = [] {
    std::array<float, 512> table{};
    for (std::size_t i = 0; i < 512; ++i) table[i] = kIq4Values[kIndices[i]];
    return table;
  }();
  static F4 HalfUnits(F4 v) { return Clamp(v * 2, -256, 255) + 256; }  // never negative
  static F4 Nearest(F4 v) {
    const F4 at = HalfUnits(v);
    F4 codes;
    for (int i = 0; i < 4; ++i) codes[i] = kNearest[static_cast<unsigned>(static_cast<int>(at[i]))];
    return codes;
  }
  static int Index(float v) {
    return kIndices[static_cast<unsigned>(static_cast<int>(HalfUnits(Splat(v))[0]))];
  }
};

// Squared error of the `n` values (a multiple of 4) with this scale and the nearest codes.
template <class Codes>
float ErrorWithScale(const float* x, int n, float scale) {
  const float inverse = Inverse(scale);
  F4 sum = {};
  for (int i = 0; i < n; i += 4) {
    const F4 value = Load4(x + i), error = value - scale * Codes::Nearest(value * inverse);
    sum += error * error;
  }
  return Total(sum);
}

// The value of largest magnitude.
float Peak(const float* x, int n) {
  float peak = 0;
  for (int i = 0; i < n; ++i) {
    if ((x[i] < 0 ? -x[i] : x[i]) > (peak < 0 ? -peak : peak)) peak = x[i];
  }
  return peak;
}

// The scale with which `n` values (a multiple of 4) are nearest to scale * code.
template <class Codes>
float BestScale(const float* x, int n) {
  const float peak = Peak(x, n);
  if (peak == 0) return 0;
  float best_scale = peak / Codes::kLow, best_gain = -1;
  for (int t = -Codes::kSteps; t <= Codes::kSteps; ++t) {
    const float end = Codes::kLow + Codes::kStep * static_cast<float>(t);
    for (const float mapped : {end, -end}) {
      if (mapped > 0 && !Codes::kBothEnds) continue;
      const float inverse = mapped / peak;
      F4 xq = {}, qq = {};
      for (int i = 0; i < n; i += 4) {
        const F4 value = Load4(x + i), q = Codes::Nearest(value * inverse);
        xq += value * q;
        qq += q * q;
      }
      // The error is sum(x^2) - gain.
      const float product = Total(xq), squares = Total(qq);
      const float gain = squares > 0 ? product * product / squares : 0;
      if (gain > best_gain) {
        best_gain = gain;
        best_scale = product / squares;
      }
    }
  }
  return best_scale;
}

constexpr int kMaxGroups = 16;

// Scales of a superblock: group g has d * scale[g].
struct Scales {
  std::uint16_t d = 0;
  int scale[kMaxGroups] = {};
  float error = 0;  // squared, of the whole block
  float Of(int g) const { return HalfToFloat(d) * static_cast<float>(scale[g]); }
};

// kGroups groups of kSize values with scales of kLowest .. -kLowest - 1 times d.
template <class Codes, int kGroups, int kSize, int kLowest>
class SuperBlock {
 public:
  explicit SuperBlock(const float* x) : x_(x) {}

  Scales Best() const {
    float wanted[kGroups], plain[kGroups];
    for (int g = 0; g < kGroups; ++g) {
      wanted[g] = BestScale<Codes>(x_ + g * kSize, kSize);
      plain[g] = Peak(x_ + g * kSize, kSize) / Codes::kLow;
    }
    Scales best = Round(wanted, HalfScale(Peak(wanted, kGroups) / kLowest), 1);
    // Rounding moved the scales, so the common factor that fits them best may be another one.
    const Scales refitted = Round(wanted, Refit(best), 1);
    if (refitted.error < best.error) best = refitted;
    // Never worse than taking every scale from the largest value alone.
    const Scales naive = Round(plain, HalfScale(Peak(plain, kGroups) / kLowest), 0);
    return naive.error < best.error ? naive : best;
  }

 private:
  // Whole scales near the wanted ones: each the best within `reach` of the nearest.
  Scales Round(const float* wanted, std::uint16_t d, int reach) const {
    Scales scales{.d = d};
    const float unit = HalfToFloat(d), inverse = Inverse(unit);
    for (int g = 0; g < kGroups; ++g) {
      const auto middle =
          static_cast<int>(NearestWhole(Clamp(wanted[g] * inverse, kLowest, -kLowest - 1)));
      float least = INFINITY;
      for (int s = std::max(middle - reach, kLowest); s <= std::min(middle + reach, -kLowest - 1);
           ++s) {
        const float error =
            ErrorWithScale<Codes>(x_ + g * kSize, kSize, unit * static_cast<float>(s));
        if (error < least) {
          least = error;
          scales.scale[g] = s;
        }
      }
      scales.error += least;
    }
    return scales;
  }

  // Least squares for d with codes and whole scales as they are.
  std::uint16_t Refit(const Scales& scales) const {
    float product = 0, squares = 0;
    for (int g = 0; g < kGroups; ++g) {
      const float inverse = Inverse(scales.Of(g));
      F4 xq = {}, qq = {};
      for (int i = 0; i < kSize; i += 4) {
        const F4 value = Load4(x_ + g * kSize + i), q = Codes::Nearest(value * inverse);
        xq += value * q;
        qq += q * q;
      }
      const auto s = static_cast<float>(scales.scale[g]);
      product += s * Total(xq);
      squares += s * s * Total(qq);
    }
    return squares > 0 ? HalfScale(product / squares) : scales.d;
  }

  const float* x_;
};

}  // namespace

void QuantiseQ6_K(const float* values, std::byte* blocks, std::int64_t count) {
  for (std::int64_t b = 0; b < count / kSuperBlock; ++b) {
    const float* x = values + b * kSuperBlock;
    const Scales scales = SuperBlock<WholeCodes, 16, 16, -128>(x).Best();
    BlockQ6_K block{};
    block.d = scales.d;
    for (int g = 0; g < 16; ++g) block.scales[g] = static_cast<std::int8_t>(scales.scale[g]);
    for (int i = 0; i < kSuperBlock; ++i) {
      const float code = WholeCodes::Nearest(Splat(x[i] * Inverse(scales.Of(i / 16))))[0];
      const int q = static_cast<int>(code) + 32;
      const int half = i / 128, run = i % 128 / 32, l = i % 32;
      std::uint8_t& low = block.nibbles[half * 64 + run % 2 * 32 + l];
      std::uint8_t& high = block.high_bits[half * 32 + l];
      low = static_cast<std::uint8_t>(low | (q & 15) << (run < 2 ? 0 : 4));
      high = static_cast<std::uint8_t>(high | q >> 4 << (2 * run));
    }
    StoreBlock(blocks, b, block);
  }
}

namespace {

void PackIq4(const float* x, float scale, std::uint8_t* nibbles) {
  const float inverse = Inverse(scale);
  for (int j = 0; j < 16; ++j) {
    nibbles[j] = static_cast<std::uint8_t>(Iq4Codes::Index(x[j] * inverse) |
                                           Iq4Codes::Index(x[j + 16] * inverse) << 4);
  }
}

}  // namespace

void QuantiseIQ4_XS(const float* values, std::byte* blocks, std::int64_t count) {
  for (std::int64_t b = 0; b < count / kSuperBlock; ++b) {
    const float* x = values + b * kSuperBlock;
    const Scales scales = SuperBlock<Iq4Codes, 8, 32, -32>(x).Best();
    BlockIQ4_XS block{};
    block.d = scales.d;
    for (int g = 0; g < 8; ++g) {
      const int stored = scales.scale[g] + 32;
      block.scales_low[g / 2] =
          static_cast<std::uint8_t>(block.scales_low[g / 2] | (stored & 15) << (g % 2 * 4));
      block.scales_high = static_cast<std::uint16_t>(block.scales_high | stored >> 4 << (2 * g));
      PackIq4(x + 32 * g, scales.Of(g), block.nibbles + 16 * g);
    }
    StoreBlock(blocks, b, block);
  }
}

void QuantiseIQ4_NL(const float* values, std::byte* blocks, std::int64_t count) {
  for (std::int64_t b = 0; b < count / kSmallBlock; ++b) {
    const float* x = values + b * kSmallBlock;
    const std::uint16_t best = HalfScale(BestScale<Iq4Codes>(x, kSmallBlock));
    const std::uint16_t plain = HalfScale(Peak(x, kSmallBlock) / Iq4Codes::kLow);
    const auto error = [&](std::uint16_t d) {
      return ErrorWithScale<Iq4Codes>(x, kSmallBlock, HalfToFloat(d));
    };
    BlockIQ4_NL block{};
    block.d = error(plain) < error(best) ? plain : best;
    PackIq4(x, HalfToFloat(block.d), block.nibbles);
    StoreBlock(blocks, b, block);
  }
}

}  // namespace paluku
