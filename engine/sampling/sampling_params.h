// SamplingParams: how the next token is chosen from the logits. A plain value.
#pragma once

#include <cstdint>

namespace paluku {

// Every value has a setting that switches it off, given beside it; other values out of range count
// as off too. A top_p of 0 or less keeps the best token alone.
struct SamplingParams {
  float temperature = 0.6F;         // 0: greedy
  int top_k = 0;                    // 0: off
  float top_p = 0.95F;              // 1: off
  float min_p = 0.0F;               // 0: off
  float repetition_penalty = 1.0F;  // 1: off
  float presence_penalty = 0.0F;    // 0: off
  float frequency_penalty = 0.0F;   // 0: off
  int penalty_window = 256;         // the penalties look at that many last tokens of the history
  std::uint64_t seed = 0;
};

}  // namespace paluku
