#include "engine/model/transformer.h"

#include <cmath>

#include "engine/base/check.h"

namespace paluku {

void Transformer::Forward(const StepBatch& batch, AttentionPath path) const {
  std::int64_t rows = batch.rows();
  const auto outputs = static_cast<std::int64_t>(batch.output_rows.size());
  PALUKU_CHECK(rows > 0 && rows <= a_.max_rows() && outputs <= a_.max_outputs());
  Tensor x = a_.residual.Rows(0, rows);
  Tensor attended = a_.attended.Rows(0, rows);
  backend_.Embed(weights_.embedding, config_.embedding_scale, x);
  backend_.RmsNorm(x, weights_.layers[0].attention.norm, config_.epsilon, a_.normed.Rows(0, rows));

  for (int i = 0; i < config_.layers; ++i) {
    const LayerWeights& layer = weights_.layers[static_cast<std::size_t>(i)];
    const bool last = i + 1 == config_.layers;
    if (last && outputs == 0) {  // the rest of the last layer serves logits only
      AppendLatent(i, a_.normed.Rows(0, rows));
      return;
    }
    Attend(i, a_.normed.Rows(0, rows), attended, path);
    if (last) {
      backend_.GatherRows(x, a_.out_residual.Rows(0, outputs));
      backend_.GatherRows(attended, a_.out_attended.Rows(0, outputs));
      rows = outputs;
      x = a_.out_residual.Rows(0, rows);
      attended = a_.out_attended.Rows(0, rows);
    }
    const Tensor normed = a_.normed.Rows(0, rows);
    const Tensor delta = a_.delta.Rows(0, rows);
    backend_.MatMul(attended, layer.attention.output, delta);
    backend_.AddRmsNorm(x, delta, layer.ffn_norm, config_.epsilon, normed);
    FeedForward(i, normed, delta);
    const Tensor& next_norm = last
                                  ? weights_.output_norm
                                  : weights_.layers[static_cast<std::size_t>(i) + 1].attention.norm;
    backend_.AddRmsNorm(x, delta, next_norm, config_.epsilon, normed);
  }
  backend_.MatMul(a_.normed.Rows(0, rows), weights_.output, a_.logits.Rows(0, rows));
}

// c_KV and k_R of every row, into the cache. Equations 9 and 14.
void Transformer::AppendLatent(int layer, const Tensor& normed) const {
  const AttentionWeights& w = weights_.layers[static_cast<std::size_t>(layer)].attention;
  const Tensor kv = a_.kv.Rows(0, normed.dim(0));
  backend_.MatMul(normed, w.kv_a, kv);
  backend_.LatentAppend(AppendParams(layer, kv));
  AppendIndexKey(layer, normed);
}

LatentAppendParams Transformer::AppendParams(int layer, const Tensor& kv) const {
  return {.kv = kv,
          .norm = weights_.layers[static_cast<std::size_t>(layer)].attention.kv_a_norm,
          .epsilon = config_.latent_epsilon,
          .rope = config_.Rope(),
          .layer = layer};
}

// The key of sparse attention's indexer, into the cache.
void Transformer::AppendIndexKey(int layer, const Tensor& normed) const {
  if (config_.index == 0) return;
  const IndexerWeights& indexer = weights_.layers[static_cast<std::size_t>(layer)].indexer;
  const Tensor key = a_.index_key.Rows(0, normed.dim(0));
  backend_.MatMul(normed, indexer.key, key);
  backend_.IndexAppend({.key = key,
                        .norm = indexer.norm,
                        .bias = indexer.norm_bias,
                        .epsilon = config_.index_epsilon,
                        .rope = IndexRope(),
                        .layer = layer});
}

// Halves, not neighbours, whatever the attention's own layout.
RopeParams Transformer::IndexRope() const {
  return {.inverse_frequency = config_.inverse_frequency, .interleaved = false};
}

// The tokens that sparse attention looks at, from the query latent; an empty tensor without an
// indexer. DeepSeek-V3.2-Exp, equation 1.
Tensor Transformer::SelectTokens(int layer, const Tensor& normed, const Tensor& q_latent) const {
  if (config_.index == 0) return {};
  const IndexerWeights& w = weights_.layers[static_cast<std::size_t>(layer)].indexer;
  const Tensor q = a_.index_q.Rows(0, normed.dim(0));
  const Tensor weights = a_.index_weights.Rows(0, normed.dim(0));
  const Tensor selected = a_.selected.Rows(0, normed.dim(0));
  backend_.MatMul(q_latent, w.q, q);
  backend_.MatMul(normed, w.weights, weights);
  const double width = static_cast<double>(config_.index_heads) * config_.index;
  backend_.SelectTokens({.q = q,
                         .weights = weights,
                         .heads = config_.index_heads,
                         .scale = static_cast<float>(1 / std::sqrt(width)),
                         .rope = IndexRope(),
                         .layer = layer,
                         .selected = selected});
  return selected;
}

// Multi-head latent attention up to, not including, W_O. Equations 10 to 18.
void Transformer::Attend(int layer, const Tensor& normed, const Tensor& attended,
                         AttentionPath path) const {
  const AttentionWeights& w = weights_.layers[static_cast<std::size_t>(layer)].attention;
  const Tensor q = a_.q.Rows(0, normed.dim(0));
  const Tensor kv = a_.kv.Rows(0, normed.dim(0));
  AppendIndexKey(layer, normed);
  Tensor selected;
  if (config_.q_lora > 0) {
    const Tensor q_latent = a_.q_latent.Rows(0, normed.dim(0));
    backend_.MatMulPair(normed, w.kv_a, kv, w.q_a, q_latent);
    backend_.RmsNorm(q_latent, w.q_a_norm, config_.latent_epsilon, q_latent);
    backend_.MatMul(q_latent, w.q, q);
    selected = SelectTokens(layer, normed, q_latent);
  } else {
    backend_.MatMulPair(normed, w.kv_a, kv, w.q, q);
  }
  LatentAppendParams append = AppendParams(layer, kv);
  append.q = q;
  append.heads = config_.heads;
  append.nope = config_.nope;
  backend_.LatentAppend(append);
  backend_.MlaAttention({.q = q,
                         .w_uk = w.w_uk,
                         .w_uv = w.w_uv,
                         .heads = config_.heads,
                         .nope = config_.nope,
                         .rope = config_.rope,
                         .latent = config_.latent,
                         .value = config_.value,
                         .scale = config_.attention_scale,
                         .temperature = config_.temperature,
                         .temperature_length = config_.temperature_length,
                         .path = path,
                         .w_uk_turned = w.w_uk_turned,
                         .layer = layer,
                         .selected = selected,
                         .out = attended});
}

// One network, or DeepSeekMoE: the chosen experts and the shared ones. Equations 20 to 22.
void Transformer::FeedForward(int layer, const Tensor& normed, const Tensor& out) const {
  const LayerWeights& w = weights_.layers[static_cast<std::size_t>(layer)];
  if (!config_.HasExperts(layer)) {
    if (config_.squared_relu) {
      backend_.ReluSquaredFfn(normed, w.dense.up, w.dense.down, out);
    } else {
      backend_.SwiGluFfn(normed, w.dense, out);
    }
    return;
  }
  const Tensor ids = a_.expert_ids.Rows(0, normed.dim(0));
  const Tensor weights = a_.expert_weights.Rows(0, normed.dim(0));
  backend_.RouteExperts({.x = normed,
                         .gate = w.moe.gate,
                         .bias = w.moe.bias,
                         .function = config_.gate,
                         .experts = config_.experts,
                         .chosen = config_.experts_chosen,
                         .groups = config_.groups,
                         .groups_chosen = config_.groups_chosen,
                         .group_score = config_.group_score,
                         .normalise = config_.normalise_weights,
                         .scale = config_.expert_scale,
                         .ids = ids,
                         .weights = weights});
  backend_.MoeFfn({.x = normed,
                   .ids = ids,
                   .weights = weights,
                   .routed = w.moe.routed,
                   .routed_on_processor = w.moe.on_processor,
                   .stream_rows = weights_.stream_rows,
                   .shared = w.moe.shared,
                   .out = out});
}

}  // namespace paluku
