// Transformer: the forward pass of models with latent attention, written once over the backend's
// operations.
//
// Read it beside DeepSeek-V2 (arXiv 2405.04434) section 2 and DeepSeekMoE (arXiv 2401.06066). It
// owns nothing: config, weights and activations outlive it. Used by the engine's thread only.
#pragma once

#include "engine/backend/backend.h"
#include "engine/model/activations.h"
#include "engine/model/model_config.h"
#include "engine/model/weights.h"

namespace paluku {

class Transformer {
 public:
  Transformer(Backend& backend, const ModelConfig& config, const Weights& weights,
              const Activations& activations)
      : backend_(backend), config_(config), weights_(weights), a_(activations) {}

  // Appends the latents of every row to the cache and leaves the logits of `batch.output_rows` in
  // the first rows of activations.logits. Issued inside RunStep; rows and outputs are within the
  // room of the activations.
  void Forward(const StepBatch& batch, AttentionPath path) const;

 private:
  void AppendLatent(int layer, const Tensor& normed) const;
  LatentAppendParams AppendParams(int layer, const Tensor& kv) const;
  void AppendIndexKey(int layer, const Tensor& normed) const;
  void Attend(int layer, const Tensor& normed, const Tensor& attended, AttentionPath path) const;
  RopeParams IndexRope() const;
  Tensor SelectTokens(int layer, const Tensor& normed, const Tensor& q_latent) const;
  void FeedForward(int layer, const Tensor& normed, const Tensor& out) const;

  Backend& backend_;
  const ModelConfig& config_;
  const Weights& weights_;
  const Activations& a_;
};

}  // namespace paluku
