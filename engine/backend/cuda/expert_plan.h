// How routed experts that stay in the host's memory travel through a card in steps of many rows:
// in slices, and from how many rows on that is faster than the processor. Pure functions, in every
// build, so that a plan can be made on a machine without a card.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "engine/tensor/tensor.h"

namespace paluku::cuda {

// Neighbouring experts that travel together, and what they take on the card.
struct ExpertSlice {
  int experts = 0;
  std::int64_t bytes = 0;
};
// Slices of matrices that are used together, [experts, rows, columns] each: at most kMostSliceBytes
// and at most a quarter of the experts, so that one is copied while the card works on another.
inline constexpr std::int64_t kMostSliceBytes = 64 << 20;
ExpertSlice SliceOf(std::initializer_list<Tensor> matrices);

// What a second brings.
struct StreamRates {
  double link = 12.5e9;     // bytes to the card: PCIe 3.0 with 16 lanes or 4.0 with 8
  double repacked = 1.5e9;  // bytes of the card's form, per thread
  double products = 30e9;   // multiply-adds for experts of integers with AVX2, per thread
};

// From how many rows of a step on the routed experts of a layer, `bytes` of the card's form, are on
// the card sooner than `threads` of the processor have computed `products_of_row` multiply-adds for
// each row. The card's own products are much quicker than either and not counted. At least
// kMaxColumns + 1: shorter steps are recorded.
int RowsToStream(std::int64_t bytes, std::int64_t products_of_row, int threads,
                 const StreamRates& rates);

}  // namespace paluku::cuda
