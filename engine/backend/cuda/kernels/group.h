// Sorting the (token, choice) slots of a step by expert, and adding their results up again. A slot
// is row * chosen + choice. The order within an expert is that of the slots, so that sums are
// always taken in the same order.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace paluku::cuda {

inline constexpr int kMaxGroupedExperts = 1024;

// A run of places of one expert.
struct ExpertTile {
  std::int32_t expert, first, count;
};

struct ExpertGroups {
  std::int32_t* order = nullptr;  // [slots]: the slot at each place
  ExpertTile* tiles = nullptr;    // [most_tiles]; count 0 beyond the last
  int most_tiles = 0;
  int tile = 0;  // places at most in a tile
};

// most_tiles is at least MostTiles().
void LaunchGroupExperts(const std::int32_t* ids, int slots, int experts, const ExpertGroups& groups,
                        cudaStream_t stream);
constexpr int MostTiles(int slots, int experts, int tile) { return slots / tile + experts; }

// out[r] = sum over k of weights[r, k] * y[r * chosen + k], plus shared[r] where there is one.
struct AddSlotsArgs {
  const float* y;        // [rows * chosen, n]
  const float* weights;  // [rows, chosen]
  const float* shared;   // [rows, n] or nullptr
  int rows, chosen, n;
  float* out;  // [rows, n]
};
void LaunchAddSlots(const AddSlotsArgs& args, cudaStream_t stream);

}  // namespace paluku::cuda
