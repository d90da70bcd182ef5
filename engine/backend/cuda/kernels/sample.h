// Sample: one token from one row of logits, as engine/sampling/sampler.h defines it.
//
// Weights are 46-bit fixed-point numbers, so that their sums do not depend on the order in which
// threads add them; they differ from the processor's by about 1e-6 of a weight.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace paluku::cuda {

inline constexpr int kMaxPenalised = 4096;      // distinct tokens a penalty can see
inline constexpr int kMaxVocabulary = 1 << 18;  // sums of weights stay within 64 bits

struct PenalisedToken {
  std::int32_t id;     // within the vocabulary; each only once
  std::int32_t count;  // how often it occurs in the penalties' window
};

// In the memory of the step: the values change from token to token while the launch stays.
struct SampleValues {
  double uniform;  // [0, 1), the draw
  float temperature, top_p, min_p;
  double repetition_penalty, presence_penalty, frequency_penalty;
  int top_k;
  int penalised;  // entries of tokens
  PenalisedToken tokens[kMaxPenalised];
};

struct SampleArgs {
  const float* logits;  // [vocabulary]
  const SampleValues* values;
  int vocabulary;
  float* adjusted;              // scratch [vocabulary]: logits after penalties
  unsigned long long* weights;  // scratch [vocabulary]
  std::int32_t* token;          // out; -1 when no logit is a number
};
void LaunchSample(const SampleArgs& args, cudaStream_t stream);

}  // namespace paluku::cuda
