// ModelConfig: what the metadata of a file says of the model, read and validated once.
//
// One description for every family (family.h). Every value is inside a range that the rest of the
// engine may rely on; defaults of old files are applied here and nowhere else. A plain value, const
// after Parse. Symbols: DeepSeek-V2 (arXiv 2405.04434) section 2.1, DeepSeek-V3 (arXiv 2412.19437)
// section 2.1, YaRN (arXiv 2309.00071).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/base/error.h"
#include "engine/loader/model_file.h"
#include "engine/loader/model_note.h"
#include "engine/model/rope.h"

namespace paluku {

struct ModelConfig {
  std::string family;    // for people: "DeepSeek-V3", or the family's name for an unknown member
  std::string proof;     // what it was compared with (family.h); empty for an unknown member
  int layers = 0;        // without layers for multi-token prediction, which are skipped
  int dense_layers = 0;  // the first ones, with one SwiGLU network instead of experts
  int hidden = 0;
  int vocabulary = 0;
  int context_length = 0;
  // The residual stream is kept divided by the scale of its branches (MiniCPM3; elsewhere 1), so
  // that they are added plainly: the embedding and the epsilons of the stream's norms carry it.
  float epsilon = 0;         // of the norms of the residual stream
  float latent_epsilon = 0;  // of the norms of query and key latents
  float embedding_scale = 1;
  float output_scale = 1;  // of the last norm's output

  // Attention.
  int heads = 0;
  int q_lora = 0;  // 0: the query is one projection
  int latent = 0;  // kv_lora_rank
  int nope = 0;    // values of a head without position
  int rope = 0;    // values of a head that are rotated; even
  int value = 0;
  float attention_scale = 0;             // mscale^2 / sqrt(nope + rope)
  YarnParams yarn;                       // of factor 1 without YaRN
  std::vector<float> inverse_frequency;  // [rope / 2], YaRN or LongRoPE included
  bool interleaved_rope = true;          // pairs (2i, 2i+1); otherwise (i, i + rope/2)
  float temperature = 0;                 // see MlaAttentionParams
  int temperature_length = 0;
  // LongRoPE (arXiv 2402.13753): the frequencies of contexts longer than long_rope_above tokens.
  std::vector<float> long_inverse_frequency;  // [rope / 2]; empty: none
  int long_rope_above = 0;

  // The indexer of DeepSeek Sparse Attention; index 0: none.
  int index = 0;  // values of its key
  int index_heads = 0;
  int index_chosen = 0;  // tokens a row attends to
  float index_epsilon = 0;

  // Networks.
  bool squared_relu = false;  // dense ones are down(ReLU(up x)^2), without a gate
  int dense_inner = 0;
  int experts = 0;  // 0: every layer is dense
  int experts_chosen = 0;
  int experts_shared = 0;
  int expert_inner = 0;
  int groups = 1;
  int groups_chosen = 1;
  GateFunction gate = GateFunction::kSoftmax;
  GroupScore group_score = GroupScore::kMax;
  bool normalise_weights = false;
  float expert_scale = 1;  // routed_scaling_factor

  std::vector<ModelNote> notes;  // values assumed for absent keys, layers not used

  RopeParams Rope() const {
    return {.inverse_frequency = inverse_frequency, .interleaved = interleaved_rope};
  }
  // Takes the frequencies of a context of `tokens`; once, before anything is cached.
  void FitContext(int tokens);
  bool HasExperts(int layer) const { return experts > 0 && layer >= dense_layers; }

  // Errors: those of FindFamily, kMissingKey, kBadValue, kMissingTensor.
  static Result<ModelConfig> Parse(const ModelFile& file);
};

// Shape of a tensor, outermost first, also of one whose element type is unknown; empty when absent.
std::vector<std::int64_t> ShapeOf(const ModelFile& file, std::string_view name);

}  // namespace paluku
