// Rotary position embedding: the frequencies of a model. The rotation itself is an operation of
// the backend. Pure functions. Sources: RoPE (arXiv 2104.09864), YaRN (arXiv 2309.00071).
#pragma once

#include <vector>

namespace paluku {

// YaRN stretches the context by `factor`: pairs that turn less than beta_slow times over the
// original context are slowed down fully, those that turn more than beta_fast times not at all.
struct YarnParams {
  double factor = 1;  // 1: no scaling
  double original_context = 0;
  double beta_fast = 32;
  double beta_slow = 1;
};

// Angle per position of each pair: theta^(-2i/rope), stretched. [rope / 2]
std::vector<float> InverseFrequencies(int rope, double theta, const YarnParams& yarn);

// m of DeepSeek-V2's attention scale m^2 / sqrt(nope + rope); 1 without scaling.
// `log_multiplier` is 0.1 * mscale_all_dim.
double YarnMscale(double factor, double log_multiplier);

}  // namespace paluku
