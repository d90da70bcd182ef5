// How much memory the operations of a model work in on a card: the largest of what attention.cpp,
// networks.cpp and operations.cpp ask for, from shapes alone. Pure functions, in every build, so
// that a plan can be made on a machine without a card.
//
// Whoever changes what an operation asks for changes it here as well: card_memory_test compares the
// sum with what is really allocated.
#pragma once

#include <cstdint>

namespace paluku::cuda {

struct WorkspaceShape {
  int rows = 0;    // of the longest step
  int tokens = 0;  // of the context
  int hidden = 0;
  int heads = 0, latent = 0, nope = 0, rope = 0, value = 0;
  bool rounded_cache = true;  // f16 or q8
  int q_lora = 0;
  int index = 0;                           // of the indexer's keys; 0: no indexer
  int experts = 0, chosen = 0;             // routed; 0: none
  int expert_inner = 0, shared_inner = 0;  // of one routed expert; of the shared ones together
  int dense_inner = 0;
  int vocabulary = 0;
  // Weights of integers: networks of many rows are computed at once, with room for all of them.
  bool whole_experts = false, whole_dense = false;
  int rows_on_host = 0;  // at most, whose routed experts the processor computes in some layers
  // The longest rows of float weights that cuBLAS multiplies by, and of those in 16 bits; 0: none.
  std::int64_t dense_columns = 0, split_columns = 0;
};

// Whether cuBLAS pays for `rows` rows by float weights: more than one tile of our own kernel, and
// long enough that walking through them takes our kernel longer than starting four does.
constexpr bool PaysForDenseLibrary(int rows, std::int64_t columns) {
  return rows > 64 && columns >= 256;
}
// What cuBLAS works in; NVIDIA recommends 4 MiB before Hopper and 32 MiB for it.
inline constexpr std::int64_t kDenseWorkspaceBytes = 12 << 20;

// Bytes on the card.
std::int64_t WorkspaceBytes(const WorkspaceShape& shape);

}  // namespace paluku::cuda
