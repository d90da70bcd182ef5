// Q4_K and Q5_K: value = scale * code - minimum, both of a group of 32 being 6-bit numbers times a
// binary16 of the superblock. The minimum is never negative.
#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/tensor/blocks.h"
#include "engine/tensor/quantise.h"
#include "engine/tensor/quantise_search.h"

namespace paluku {
namespace {

constexpr int kGroups = 8, kSize = 32;
constexpr float kLargest = 63;  // of a scale or a minimum

struct Affine {
  float scale = 0;
  float minimum = 0;
};

template <int kLevels>
F4 Codes(F4 x, const Affine& a, float inverse) {
  return NearestWhole(Clamp((x + a.minimum) * inverse, 0, kLevels));
}

// Squared error of a group with the nearest codes.
template <int kLevels>
float GroupError(const float* x, const Affine& a) {
  const float inverse = Inverse(a.scale);
  F4 sum = {};
  for (int i = 0; i < kSize; i += 4) {
    const F4 value = Load4(x + i);
    const F4 error = value - (a.scale * Codes<kLevels>(value, a, inverse) - a.minimum);
    sum += error * error;
  }
  return Total(sum);
}

struct Moments {
  double q = 0, qq = 0, x = 0, xq = 0;
};

// Least squares for scale and minimum, with `fit.error` the squared error less sum(x^2).
struct Fit {
  Affine affine;
  double error = 0;
};
Fit Solve(const Moments& m) {
  const double determinant = kSize * m.qq - m.q * m.q;
  double scale = determinant > 0 ? (kSize * m.xq - m.x * m.q) / determinant : 0;
  double offset = (m.x - scale * m.q) / kSize;
  if (offset > 0 || scale <= 0) {
    offset = 0;
    scale = m.qq > 0 ? std::max(m.xq / m.qq, 0.0) : 0;
  }
  const double error = scale * scale * m.qq + kSize * offset * offset +
                       2 * (scale * offset * m.q - scale * m.xq - offset * m.x);
  return {{static_cast<float>(scale), static_cast<float>(-offset)}, error};
}

// The range of a group as code 0 .. kLevels has it, zero included.
template <int kLevels>
Affine PlainRange(const float* x) {
  float low = 0, high = 0;
  for (int i = 0; i < kSize; ++i) {
    low = std::min(low, x[i]);
    high = std::max(high, x[i]);
  }
  return {(high - low) / kLevels, -low};
}

template <int kLevels>
Affine BestRange(const float* x) {
  const Affine plain = PlainRange<kLevels>(x);
  if (plain.scale == 0) return plain;
  Fit best{plain, INFINITY};
  constexpr int kTries = 11;
  for (int t = 0; t < kTries; ++t) {
    // The greatest value is mapped to kLevels - 1 .. kLevels + 1.
    const float end = kLevels - 1 + 0.2f * static_cast<float>(t);
    const float inverse = end / (plain.scale * kLevels);
    F4 q_sum = {}, qq = {}, x_sum = {}, xq = {};
    for (int i = 0; i < kSize; i += 4) {
      const F4 value = Load4(x + i), q = Codes<kLevels>(value, plain, inverse);
      q_sum += q;
      qq += q * q;
      x_sum += value;
      xq += value * q;
    }
    const Fit fit = Solve({Total(q_sum), Total(qq), Total(x_sum), Total(xq)});
    if (fit.error < best.error) best = fit;
  }
  return best.affine;
}

struct Scales {
  std::uint16_t d = 0, dmin = 0;
  int scale[kGroups] = {}, minimum[kGroups] = {};
  float error = 0;  // squared, of the whole block
  Affine Of(int g) const {
    return {HalfToFloat(d) * static_cast<float>(scale[g]),
            HalfToFloat(dmin) * static_cast<float>(minimum[g])};
  }
};

// Whole scales and minima near the wanted ones. With `search` of each group the best scale of three
// neighbours, then the best minimum of three.
template <int kLevels>
Scales Round(const float* x, const Affine* wanted, std::uint16_t d, std::uint16_t dmin,
             bool search) {
  Scales scales{.d = d, .dmin = dmin};
  const float unit = HalfToFloat(d), minimum_unit = HalfToFloat(dmin);
  const auto nearest = [](float value, float of) {
    return static_cast<int>(NearestWhole(Clamp(value * Inverse(of), 0, kLargest)));
  };
  for (int g = 0; g < kGroups; ++g) {
    int& scale = scales.scale[g];
    int& minimum = scales.minimum[g];
    scale = nearest(wanted[g].scale, unit);
    minimum = nearest(wanted[g].minimum, minimum_unit);
    float least = GroupError<kLevels>(x + g * kSize, scales.Of(g));
    const auto consider = [&](int& value, int other) {
      if (other < 0 || other > static_cast<int>(kLargest)) return;
      const int before = std::exchange(value, other);
      const float error = GroupError<kLevels>(x + g * kSize, scales.Of(g));
      if (error < least) {
        least = error;
      } else {
        value = before;
      }
    };
    if (search) {
      for (int* value : {&scale, &minimum}) {
        const int middle = *value;
        consider(*value, middle - 1);
        consider(*value, middle + 1);
      }
    }
    scales.error += least;
  }
  return scales;
}

template <int kLevels>
Scales RoundToLargest(const float* x, const Affine* wanted, bool search) {
  Affine largest;
  for (int g = 0; g < kGroups; ++g) {
    largest.scale = std::max(largest.scale, wanted[g].scale);
    largest.minimum = std::max(largest.minimum, wanted[g].minimum);
  }
  return Round<kLevels>(x, wanted, HalfScale(largest.scale / kLargest),
                        HalfScale(largest.minimum / kLargest), search);
}

// Least squares for d and dmin with codes and whole scales as they are; then the scales again.
template <int kLevels>
Scales Refit(const float* x, const Affine* wanted, const Scales& scales) {
  double aa = 0, ab = 0, bb = 0, ax = 0, bx = 0;  // x = d * a - dmin * b
  for (int g = 0; g < kGroups; ++g) {
    const Affine affine = scales.Of(g);
    const float inverse = Inverse(affine.scale);
    F4 q_sum = {}, qq = {}, x_sum = {}, xq = {};
    for (int i = 0; i < kSize; i += 4) {
      const F4 value = Load4(x + g * kSize + i), q = Codes<kLevels>(value, affine, inverse);
      q_sum += q;
      qq += q * q;
      x_sum += value;
      xq += value * q;
    }
    const double s = scales.scale[g], b = scales.minimum[g];
    aa += s * s * Total(qq);
    ab += s * b * Total(q_sum);
    bb += kSize * b * b;
    ax += s * Total(xq);
    bx += b * Total(x_sum);
  }
  const double determinant = aa * bb - ab * ab;
  if (!(determinant > 0)) return scales;
  const double d = (ax * bb - bx * ab) / determinant, dmin = (ax * ab - bx * aa) / determinant;
  if (!(d > 0 && dmin > 0)) return scales;
  return Round<kLevels>(x, wanted, HalfScale(static_cast<float>(d)),
                        HalfScale(static_cast<float>(dmin)), true);
}

template <int kLevels>
Scales Best(const float* x) {
  Affine wanted[kGroups], plain[kGroups];
  for (int g = 0; g < kGroups; ++g) {
    wanted[g] = BestRange<kLevels>(x + g * kSize);
    plain[g] = PlainRange<kLevels>(x + g * kSize);
  }
  Scales best = RoundToLargest<kLevels>(x, wanted, true);
  const Scales refitted = Refit<kLevels>(x, wanted, best);
  if (refitted.error < best.error) best = refitted;
  // Never worse than taking every range from the least and the greatest value alone.
  const Scales naive = RoundToLargest<kLevels>(x, plain, false);
  return naive.error < best.error ? naive : best;
}

// The inverse of FormatQ4_K's unpacking, see ScalesOfKBlock in block_formats.h.
void PackScales(const Scales& scales, std::uint8_t* packed) {
  for (int g = 0; g < 4; ++g) {
    const int scale = scales.scale[g + 4], minimum = scales.minimum[g + 4];
    packed[g] = static_cast<std::uint8_t>(scales.scale[g] | scale >> 4 << 6);
    packed[g + 4] = static_cast<std::uint8_t>(scales.minimum[g] | minimum >> 4 << 6);
    packed[g + 8] = static_cast<std::uint8_t>((scale & 15) | (minimum & 15) << 4);
  }
}

template <class Block, int kLevels>
void Quantise(const float* values, std::byte* blocks, std::int64_t count) {
  for (std::int64_t b = 0; b < count / kSuperBlock; ++b) {
    const float* x = values + b * kSuperBlock;
    const Scales scales = Best<kLevels>(x);
    Block block{};
    block.d = scales.d;
    block.dmin = scales.dmin;
    PackScales(scales, block.scales);
    for (int i = 0; i < kSuperBlock; ++i) {
      const int g = i / kSize, l = i % kSize;
      const Affine affine = scales.Of(g);
      const int q = static_cast<int>(Codes<kLevels>(Splat(x[i]), affine, Inverse(affine.scale))[0]);
      std::uint8_t& low = block.nibbles[g / 2 * 32 + l];
      low = static_cast<std::uint8_t>(low | (q & 15) << (g % 2 * 4));
      if constexpr (kLevels > 15) {
        block.high_bits[l] = static_cast<std::uint8_t>(block.high_bits[l] | q >> 4 << g);
      }
    }
    StoreBlock(blocks, b, block);
  }
}

}  // namespace

void QuantiseQ4_K(const float* values, std::byte* blocks, std::int64_t count) {
  Quantise<BlockQ4_K, 15>(values, blocks, count);
}
void QuantiseQ5_K(const float* values, std::byte* blocks, std::int64_t count) {
  Quantise<BlockQ5_K, 31>(values, blocks, count);
}

}  // namespace paluku
