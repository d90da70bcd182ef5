// MLA attention, absorbed (DeepSeek-V2, section 2.1): three launches.
//
//   absorb   the query's nope part times W_UK: a query against the latent itself
//   attend   splits of the context; each keeps a weighted mean of latents, the largest score
//            and the sum of weights (online softmax)
//   combine  the splits of a head by their log-sum-exp, times W_UV
#pragma once

#include <cuda_runtime_api.h>

#include "engine/backend/cuda/kernels/step_rows.h"
#include "engine/backend/cuda/kernels/weight_view.h"

namespace paluku::cuda {

inline constexpr int kMaxLatent = 512;
inline constexpr int kMaxRope = 64;
inline constexpr int kMaxSplits = 128;
inline constexpr int kHeadsPerBlock = 4;         // of the attend step in f32
inline constexpr int kHeadsPerTensorBlock = 16;  // on tensor cores

struct AttentionArgs {
  const float* q;   // [rows, heads * (nope + rope)], rope part rotated
  WeightView w_uk;  // [heads * nope, latent]; turned: [heads * latent, nope]
  WeightView w_uv;  // [heads * value, latent]
  bool w_uk_turned;
  CacheView cache;
  int rows, heads, nope, rope, latent, value;
  float scale;
  float temperature;  // 0: none; see MlaAttentionParams
  int temperature_length;
  const std::int32_t* selected;  // [rows, selected_columns] or nullptr: the tokens a row looks at
  int selected_columns;
  int splits;
  float* query;     // scratch [rows, heads, latent + rope]
  void* means;      // scratch [rows, heads, splits, latent] f32, of the tensor step f16: the latent
                    // that a split sees on average, by its weights
  float2* weights;  // scratch [rows, heads, splits]: largest score, sum of weights
  float* out;       // [rows, heads * value]
  QuantisedRows rounded;  // out as int8, or empty; value is then a multiple of 32
};
void LaunchAbsorbedAttention(const AttentionArgs& args, cudaStream_t stream);

// The absorb step alone: q to `query`.
void LaunchAbsorb(const AttentionArgs& args, cudaStream_t stream);

// The attend step on tensor cores: f16 and q8 rows of the usual widths.
bool HasTensorAttention(const LatentPages& pages);
void LaunchTensorAttend(const AttentionArgs& args, cudaStream_t stream);

}  // namespace paluku::cuda
