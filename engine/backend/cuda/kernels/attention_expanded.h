// MLA attention, expanded (DeepSeek-V2, section 2.1), for many rows of one sequence: two launches
// per run of its tokens.
//
//   expand   keys and values of every head out of the latents of the run
//   attend   tiles of rows over the tokens of the run, with an online softmax (FlashAttention-2,
//            arXiv 2307.08691); what a row has summed up so far stays in `out` from run to run
//
// Queries, keys, values and weights of the softmax are f16, sums f32.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "engine/backend/cuda/kernels/step_rows.h"
#include "engine/backend/cuda/kernels/weight_view.h"

namespace paluku::cuda {

struct ExpandedArgs {
  const float* q;   // [rows, heads * (nope + rope)], rope part rotated
  WeightView w_uk;  // [heads * nope, latent]; turned: [heads * latent, nope], nope by kGroup
  WeightView w_uv;  // [heads * value, latent]
  bool w_uk_turned;
  CacheView cache;  // its rows are these rows: neighbours in one sequence
  int rows, heads, nope, rope, latent, value;
  float scale;
  float temperature;  // 0: none; see MlaAttentionParams
  int temperature_length;
  int first, tokens;      // the run: first .. first + tokens - 1 of the sequence
  bool last;              // run; results are then divided by their weights
  std::uint16_t* keys;    // scratch f16 [tokens, heads * nope]
  std::uint16_t* values;  // scratch f16 [tokens, heads * value]
  float2* state;          // scratch [rows, heads]: largest score, sum of weights
  float* out;             // [rows, heads * value]
};

// Head sizes query/value 192/128, 256/256, 192/192 and 96/64 over f16 and q8 rows.
bool HasExpandedAttention(const LatentPages& pages, int nope, int value);
void LaunchExpandedAttention(const ExpandedArgs& args, cudaStream_t stream);

// The first of the two.
void LaunchExpand(const ExpandedArgs& args, cudaStream_t stream);

}  // namespace paluku::cuda
