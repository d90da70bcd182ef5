#include "engine/model/rope.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace paluku {
namespace {

// The (fractional) pair that turns `turns` times over the original context.
double PairOfTurns(double turns, int rope, double theta, double original_context) {
  return rope * std::log(original_context / (turns * 2 * std::numbers::pi)) / (2 * std::log(theta));
}

}  // namespace

std::vector<float> InverseFrequencies(int rope, double theta, const YarnParams& yarn) {
  double low = 0;
  double high = 0;
  if (yarn.factor > 1) {
    low = std::floor(PairOfTurns(yarn.beta_fast, rope, theta, yarn.original_context));
    high = std::ceil(PairOfTurns(yarn.beta_slow, rope, theta, yarn.original_context));
    low = std::max(low, 0.0);
    high = std::min(high, rope - 1.0);
    if (low == high) high += 0.001;  // a step instead of a division by zero
  }
  std::vector<float> frequencies(static_cast<std::size_t>(rope) / 2);
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const double plain = std::pow(theta, -2.0 * static_cast<double>(i) / rope);
    if (yarn.factor <= 1) {
      frequencies[i] = static_cast<float>(plain);
      continue;
    }
    const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    frequencies[i] = static_cast<float>(plain * (1 - ramp) + plain / yarn.factor * ramp);
  }
  return frequencies;
}

double YarnMscale(double factor, double log_multiplier) {
  return factor <= 1 ? 1.0 : 1.0 + log_multiplier * std::log(factor);
}

}  // namespace paluku
