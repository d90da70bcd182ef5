// Operations that treat rows one by one: Embed, GatherRows, LatentAppend, rotation of queries.
#pragma once

#include <cuda_runtime_api.h>

#include "engine/backend/cuda/kernels/step_rows.h"
#include "engine/backend/cuda/kernels/weight_view.h"

namespace paluku::cuda {

// out[r] = scale * table[token of row r]. out: [rows, table.columns].
void LaunchEmbed(const WeightView& table, float scale, const StepRow* step, int rows, float* out,
                 cudaStream_t stream);

// out[i] = x[output row i]. x: [.., n]; out: [rows, n].
void LaunchGather(const float* x, const StepRow* step, int rows, int n, float* out,
                  cudaStream_t stream);

struct RopeArgs {
  const float* inverse_frequency;  // [rope / 2]
  int rope;
  bool interleaved;
};
// Rotates values first .. first + rope - 1 of each head. q: [rows, heads, width].
struct HeadShape {
  int heads, width, first;
};
void LaunchRopeQuery(float* q, const StepRow* step, int rows, const HeadShape& shape,
                     const RopeArgs& rope, cudaStream_t stream);

struct AppendArgs {
  const float* kv;    // [rows, latent + rope]
  const float* norm;  // [latent]
  float epsilon;
  RopeArgs rope;
  CacheView cache;
  int rows;
  float* q;  // [rows, queries.heads * queries.width] or nullptr: rotated in the same launch
  HeadShape queries;
};
void LaunchLatentAppend(const AppendArgs& args, cudaStream_t stream);

}  // namespace paluku::cuda
