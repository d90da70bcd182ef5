// Feed-forward networks of a few rows: routed experts, whose ids are read where the router left
// them, the shared expert and dense networks.
//
// The first launch computes SiLU(gate x) * up x of all networks and rounds it where the down
// projection wants integers; the second multiplies by down and adds up what belongs to a row,
// always in the same order.
#pragma once

#include <cuda_runtime_api.h>

#include "engine/backend/cuda/kernels/mat_vec.h"
#include "engine/backend/cuda/kernels/weight_view.h"

namespace paluku::cuda {

inline constexpr int kInnerTile = 32;  // inner values that one block computes

// A network or a bank of them; expert e's rows begin at e * rows of one.
struct Network {
  WeightView gate, up;  // [experts * inner, hidden]; no gate.low: ReLU(up x)^2 without a gate
  WeightView down;      // [experts * hidden, inner]
  int inner = 0;        // 0: there is none
};

// What goes into down. Integers where down wants them, else f32.
struct InnerRows {
  float* values = nullptr;  // [rows, inner]
  QuantisedRows quantised;
};

struct ExpertArgs {
  Columns x;  // [rows, hidden]
  int rows = 0, hidden = 0, chosen = 0;
  const std::int32_t* ids = nullptr;  // [rows, chosen]
  const float* weights = nullptr;     // [rows, chosen]
  Network routed, shared;             // shared: on every row, with weight 1
  InnerRows routed_inner;             // [rows * chosen, routed.inner]
  InnerRows shared_inner;             // [rows, shared.inner]
  float* out = nullptr;               // [rows, hidden]
};
// At most kMaxColumns rows.
void LaunchExperts(const ExpertArgs& args, cudaStream_t stream);

}  // namespace paluku::cuda
