// Activations: every intermediate of a forward pass, in one arena sized once from the model.
//
// Nothing is allocated while a model answers. Tensors have room for `max_rows` tokens of a step and
// for logits of `max_outputs` of them; a step uses the first rows. Owned by the session; its memory
// is the backend's.
#pragma once

#include "engine/backend/backend.h"
#include "engine/base/error.h"
#include "engine/model/model_config.h"

namespace paluku {

// Rows of a prefill step: enough for every expert of a large model to see several of them, and few
// enough for the activations to stay small.
inline constexpr int kPrefillChunk = 512;
// Rows of a step whose logits may be wanted.
inline constexpr int kMaxOutputs = 64;

struct Activations {
  Tensor residual;        // [max_rows, hidden]
  Tensor normed;          // [max_rows, hidden]
  Tensor delta;           // [max_rows, hidden], what a sublayer adds to the residual
  Tensor q_latent;        // [max_rows, q_lora]; empty without a query latent
  Tensor q;               // [max_rows, heads * (nope + rope)]
  Tensor kv;              // [max_rows, latent + rope]
  Tensor index_key;       // [max_rows, index]; this and the next three are empty without an indexer
  Tensor index_q;         // [max_rows, index_heads * index]
  Tensor index_weights;   // [max_rows, index_heads]
  Tensor selected;        // [max_rows, index_chosen] i32
  Tensor attended;        // [max_rows, heads * value]
  Tensor expert_ids;      // [max_rows, chosen] i32; empty without experts
  Tensor expert_weights;  // [max_rows, chosen]; empty without experts
  Tensor out_residual;    // [max_outputs, hidden]
  Tensor out_attended;    // [max_outputs, heads * value]
  Tensor logits;          // [max_outputs, vocabulary]
  Tensor token;           // [1] i32, the sampled one
  Buffer arena;

  int max_rows() const { return static_cast<int>(residual.dim(0)); }
  int max_outputs() const { return static_cast<int>(logits.dim(0)); }

  // Bytes of the arena.
  static std::int64_t Bytes(const ModelConfig& config, int max_rows, int max_outputs);
  // Error: kOutOfMemory.
  static Result<Activations> Create(Backend& backend, const ModelConfig& config, int max_rows,
                                    int max_outputs);
};

}  // namespace paluku
