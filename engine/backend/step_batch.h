// StepBatch: the rows of one forward pass.
//
// Prefill, decode, speculation and several conversations at once are the same thing: rows, each
// with a token, a position and a sequence. Rows of one sequence are neighbours, in order of
// position.
#pragma once

#include <cstdint>
#include <span>

namespace paluku {

// A run of rows of one sequence. Positions are cached .. cached + rows - 1.
struct StepSequence {
  int first_row = 0;
  int rows = 0;
  std::int32_t cached = 0;                   // tokens in the latent cache before this step
  std::span<const std::int32_t> page_table;  // pages that cover cached + rows tokens
};

struct StepBatch {
  std::span<const std::int32_t> tokens;       // [rows]
  std::span<const std::int32_t> positions;    // [rows]
  std::span<const StepSequence> sequences;    // cover all rows, in order
  std::span<const std::int32_t> output_rows;  // rows whose logits are wanted, ascending

  int rows() const { return static_cast<int>(tokens.size()); }
};

}  // namespace paluku
