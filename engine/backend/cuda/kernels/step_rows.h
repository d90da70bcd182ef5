// The rows of a step as the device sees them: addresses in one block of memory that is filled once
// per step, so that a recorded launch finds the new values at the old place.
#pragma once

#include <cstdint>

#include "engine/backend/latent_pages.h"

namespace paluku::cuda {

struct StepRow {
  std::int32_t token;
  std::int32_t position;     // the row sees positions 0 .. position
  std::int32_t table_start;  // where its sequence begins in the page table
  std::int32_t output_row;   // entry i: the i-th row whose logits are wanted
};

struct StepRows {
  const StepRow* rows;
  const std::int32_t* page_table;  // of all sequences, one after the other
};

// One layer of the latent cache in this step.
struct CacheView {
  LatentPages pages;
  int layer;
  StepRows rows;
};

}  // namespace paluku::cuda
