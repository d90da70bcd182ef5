#include "engine/model/tensor_names.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <string>
#include <string_view>

namespace paluku {
namespace {

using Names = std::span<const std::string_view>;

constexpr std::string_view kModel[] = {"token_embd.weight", "output_norm.weight", "output.weight"};
constexpr std::string_view kLongRope[] = {"rope_factors_short.weight", "rope_factors_long.weight"};
// Files have kv_b, its two halves, or both.
constexpr std::string_view kLayer[] = {
    "attn_norm.weight", "attn_kv_a_mqa.weight", "attn_kv_a_norm.weight", "attn_kv_b.weight",
    "attn_k_b.weight",  "attn_v_b.weight",      "attn_output.weight",    "ffn_norm.weight"};
constexpr std::string_view kQuery[] = {"attn_q.weight"};
constexpr std::string_view kLatentQuery[] = {"attn_q_a.weight", "attn_q_a_norm.weight",
                                             "attn_q_b.weight"};
constexpr std::string_view kIndexer[] = {"indexer.attn_q_b.weight", "indexer.attn_k.weight",
                                         "indexer.k_norm.weight", "indexer.k_norm.bias",
                                         "indexer.proj.weight"};
constexpr std::string_view kDense[] = {"ffn_up.weight", "ffn_down.weight"};
constexpr std::string_view kGate[] = {"ffn_gate.weight"};
constexpr std::string_view kExperts[] = {"ffn_gate_inp.weight",  "exp_probs_b.bias",
                                         "ffn_gate_exps.weight", "ffn_up_exps.weight",
                                         "ffn_down_exps.weight", "ffn_gate_up_exps.weight"};
constexpr std::string_view kShared[] = {"ffn_gate_shexp.weight", "ffn_up_shexp.weight",
                                        "ffn_down_shexp.weight"};

bool In(Names names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Takes "blk.7." off the front of `name`; -1 when it does not stand there.
int SkipLayer(std::string_view& name) {
  constexpr std::string_view kStart = "blk.";
  if (!name.starts_with(kStart)) return -1;
  int layer = -1;
  const char* end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data() + kStart.size(), end, layer);
  if (error != std::errc() || rest == end || *rest != '.') return -1;
  name.remove_prefix(static_cast<std::size_t>(rest + 1 - name.data()));
  return layer;
}

bool IsOfLayer(std::string_view name, const ModelConfig& config, int layer) {
  if (In(kLayer, name) || In(config.q_lora == 0 ? Names(kQuery) : Names(kLatentQuery), name))
    return true;
  if (config.index > 0 && In(kIndexer, name)) return true;
  if (!config.HasExperts(layer)) {
    return In(kDense, name) || (!config.squared_relu && In(kGate, name));
  }
  return In(kExperts, name) || (config.experts_shared > 0 && In(kShared, name));
}

bool IsOfModel(std::string_view name, const ModelConfig& config, int blocks) {
  if (In(kModel, name)) return true;
  if (!config.long_inverse_frequency.empty() && In(kLongRope, name)) return true;
  const int layer = SkipLayer(name);
  if (layer >= config.layers) return layer < blocks;
  return layer >= 0 && IsOfLayer(name, config, layer);
}

}  // namespace

Status RefuseStrayTensors(const ModelFile& file, const ModelConfig& config, int blocks) {
  const auto refuse = [&](const std::string& name) {
    return Fail(ErrorCode::kModelNotRunnable, file.path(),
                "the model has no use for the tensor " + name);
  };
  for (const auto& [name, tensor] : file.tensors()) {
    if (!IsOfModel(name, config, blocks)) return refuse(name);
  }
  for (const auto& [name, tensor] : file.foreign_tensors()) {
    if (!IsOfModel(name, config, blocks)) return refuse(name);
  }
  return {};
}

}  // namespace paluku
