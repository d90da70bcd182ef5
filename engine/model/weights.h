// Weights: the tensors of a model by what they do. Const after Load, shared by all steps.
//
// Everything stays in the mapping of the file where the backend can use it there (PrepareWeight).
// Exceptions are made once at load: norms, router and biases become f32, and the key and value
// up-projections become W_UK and W_UV of one layout, whichever of the two generations the file is,
// unless the backend takes them as they are.
// A tensor that holds two (gate and up of fused experts, keys and values of older files) is used as
// two views of it.
// Tensor names and shapes: those of GGUF files (llama.cpp).
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/base/error.h"
#include "engine/loader/model_file.h"
#include "engine/model/model_config.h"

namespace paluku {

// Symbols of DeepSeek-V2 (arXiv 2405.04434), section 2.1.
struct AttentionWeights {
  Tensor norm;       // [hidden] f32
  Tensor q_a;        // W_DQ [q_lora, hidden]; empty without a query latent
  Tensor q_a_norm;   // [q_lora] f32; likewise
  Tensor q;          // W_UQ, W_QR [heads * (nope + rope), q_lora or hidden]
  Tensor kv_a;       // W_DKV, W_KR [latent + rope, hidden]
  Tensor kv_a_norm;  // [latent] f32
  // Floats, or the type of the file where Backend::TakesQuantisedUpProjections.
  Tensor w_uk;               // W_UK [heads, nope, latent]; turned: [heads, latent, nope]
  Tensor w_uv;               // W_UV [heads, value, latent]
  bool w_uk_turned = false;  // a quantised W_UK of a current file
  Tensor output;             // W_O [hidden, heads * value]
};

// The indexer of DeepSeek Sparse Attention; empty tensors without one.
struct IndexerWeights {
  Tensor q;          // [index_heads * index, q_lora]
  Tensor key;        // [index, hidden]
  Tensor norm;       // [index] f32
  Tensor norm_bias;  // [index] f32
  Tensor weights;    // [index_heads, hidden]
};

struct MoeWeights {
  Tensor gate;           // [experts, hidden] f32
  Tensor bias;           // [experts] f32; empty without one
  SwiGluWeights routed;  // [experts, expert_inner, hidden], down [experts, hidden, expert_inner]
  bool on_processor = false;  // `routed` stays in the file, and the processor computes it
  SwiGluWeights shared;       // [shared * expert_inner, hidden]; empty without shared experts
};

struct LayerWeights {
  AttentionWeights attention;
  IndexerWeights indexer;
  Tensor ffn_norm;      // [hidden] f32
  SwiGluWeights dense;  // [dense_inner, hidden]; only in dense layers; squared ReLU has no gate
  MoeWeights moe;       // only in the others
};

// What W_UK and W_UV are kept as where they must be floats: the precision of the file, f16 for
// quantised ones.
DType UpProjectionType(DType source);

// More layers than a model can have.
inline constexpr int kAllLayers = 1 << 20;

struct Weights {
  Tensor embedding;    // [vocabulary, hidden]
  Tensor output_norm;  // [hidden] f32, output_scale included
  Tensor output;       // [vocabulary, hidden]; the embedding when the file ties them
  std::vector<LayerWeights> layers;
  int stream_rows = 0;                    // of MemoryPlan, for the experts that are on_processor
  std::vector<Buffer> buffers;            // owners of what is not in the mapping
  std::shared_ptr<const ModelFile> file;  // owner of the rest

  // Bytes made ready so far, of `total`.
  using Progress = std::function<void(std::int64_t done, std::int64_t total)>;
  // The routed experts of the first `expert_layers` layers that have any are prepared for the
  // backend, those of the others stay with the processor. Errors: kMissingTensor,
  // kUnsupportedTensorType, kBadValue (a shape), kOutOfMemory, kCancelled, kFileDamaged.
  static Result<Weights> Load(std::shared_ptr<const ModelFile> file, const ModelConfig& config,
                              Backend& backend, const Progress& progress, std::stop_token stop,
                              int expert_layers = kAllLayers);
};

}  // namespace paluku
