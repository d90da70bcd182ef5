// The choice of experts: scores of a row's gate logits, groups, the best, their weights.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace paluku::cuda {

inline constexpr int kMaxExperts = 1024;
inline constexpr int kMaxGroups = 32;

struct RouteArgs {
  const float* logits;  // [rows, experts]
  const float* bias;    // [experts] or nullptr; for the choice only
  bool sigmoid;         // else softmax
  int experts, chosen, groups, groups_chosen;
  bool top_two;  // a group's score is the sum of its two best, else its best
  bool normalise;
  float scale;
  int rows;
  std::int32_t* ids;  // [rows, chosen]
  float* weights;     // [rows, chosen]
};
void LaunchRoute(const RouteArgs& args, cudaStream_t stream);

}  // namespace paluku::cuda
