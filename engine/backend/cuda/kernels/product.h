// Matrix products of many rows on int8 tensor cores: prefill, dense and grouped by expert.
//
// Rows of x are places 0 .. of a list. Dense: place p is row p. Grouped: the list is sorted by
// expert (group.h), and a tile of places belongs to one expert.
#pragma once

#include <cuda_runtime_api.h>

#include "engine/backend/cuda/kernels/group.h"
#include "engine/backend/cuda/kernels/weight_view.h"

namespace paluku::cuda {

// Which row of x a place reads and which row of out it writes.
enum class Places : std::uint8_t {
  kSame,     // place p reads row p and writes row p
  kGather,   // reads the token of its slot, writes row p
  kScatter,  // reads row p, writes the row of its slot
};

struct ProductArgs {
  WeightView weight;  // [experts * n, k], integers
  WeightView up;      // likewise; when set, out = SiLU(weight x) * (up x)
  QuantisedRows x;    // [.., k]
  int n = 0;          // outputs of one expert
  int rows = 0;       // places
  Places places = Places::kSame;
  int chosen = 1;       // slots per token, for kGather
  ExpertGroups groups;  // empty: one expert has all places
  // The weights are of `experts` from `first_expert` on; places of others are left alone.
  int first_expert = 0;
  int experts = kMaxGroupedExperts;
  float* out = nullptr;  // [.., n]
};
void LaunchProduct(const ProductArgs& args, cudaStream_t stream);

// Places of a tile of LaunchProduct for `rows` places spread over `experts`.
int PlacesOfTile(int rows, int experts);

}  // namespace paluku::cuda
