// The indexer of DeepSeek Sparse Attention (DeepSeek-V3.2-Exp report, section 2.1).
#pragma once

#include <cuda_runtime_api.h>

#include "engine/backend/cuda/kernels/rows.h"
#include "engine/backend/cuda/kernels/step_rows.h"

namespace paluku::cuda {

struct IndexAppendArgs {
  const float* key;   // [rows, index]
  const float* norm;  // [index]
  const float* bias;  // [index]
  float epsilon;
  RopeArgs rope;  // of the first rope.rope values
  CacheView cache;
  int rows;
};
void LaunchIndexAppend(const IndexAppendArgs& args, cudaStream_t stream);

struct SelectArgs {
  const float* q;              // [rows, heads, index], rotated
  const float* weights;        // [rows, heads]
  int heads, rows, first_row;  // rows first_row .. first_row + rows - 1 of the step
  float scale;
  CacheView cache;
  int tokens;              // at least what any of the rows sees
  float* scores;           // scratch [rows, tokens]
  int columns;             // of selected
  std::int32_t* selected;  // [.., columns]: the best positions ascending, then -1
};
void LaunchSelectTokens(const SelectArgs& args, cudaStream_t stream);

}  // namespace paluku::cuda
