#include "engine/loader/safetensors/names.h"

#include <array>
#include <charconv>
#include <initializer_list>

namespace paluku {
namespace {

struct Pair {
  std::string_view hf;
  std::string_view gguf;
};

constexpr std::array<Pair, 3> kModel = {{
    {"embed_tokens.weight", "token_embd.weight"},
    {"norm.weight", "output_norm.weight"},
    {"lm_head.weight", "output.weight"},
}};

constexpr std::array<Pair, 34> kLayer = {{
    {"input_layernorm.weight", "attn_norm.weight"},
    {"self_attn.q_proj.weight", "attn_q.weight"},
    {"self_attn.q_a_proj.weight", "attn_q_a.weight"},
    {"self_attn.q_a_layernorm.weight", "attn_q_a_norm.weight"},
    {"self_attn.q_b_proj.weight", "attn_q_b.weight"},
    {"self_attn.kv_a_proj_with_mqa.weight", "attn_kv_a_mqa.weight"},
    {"self_attn.kv_a_layernorm.weight", "attn_kv_a_norm.weight"},
    {"self_attn.kv_b_proj.weight", "attn_kv_b.weight"},
    {"self_attn.o_proj.weight", "attn_output.weight"},
    {"self_attn.indexer.wq_b.weight", "indexer.attn_q_b.weight"},
    {"self_attn.indexer.wk.weight", "indexer.attn_k.weight"},
    {"self_attn.indexer.k_norm.weight", "indexer.k_norm.weight"},
    {"self_attn.indexer.k_norm.bias", "indexer.k_norm.bias"},
    {"self_attn.indexer.weights_proj.weight", "indexer.proj.weight"},
    {"post_attention_layernorm.weight", "ffn_norm.weight"},
    {"mlp.gate_proj.weight", "ffn_gate.weight"},
    {"mlp.up_proj.weight", "ffn_up.weight"},
    {"mlp.down_proj.weight", "ffn_down.weight"},
    {"mlp.gate.weight", "ffn_gate_inp.weight"},
    {"mlp.gate.e_score_correction_bias", "exp_probs_b.bias"},
    {"mlp.shared_experts.gate_proj.weight", "ffn_gate_shexp.weight"},
    {"mlp.shared_experts.up_proj.weight", "ffn_up_shexp.weight"},
    {"mlp.shared_experts.down_proj.weight", "ffn_down_shexp.weight"},
    {"mlp.experts.gate_up_proj", "ffn_gate_up_exps.weight"},
    {"mlp.experts.down_proj", "ffn_down_exps.weight"},
    {"eh_proj.weight", "nextn.eh_proj.weight"},
    {"enorm.weight", "nextn.enorm.weight"},
    {"hnorm.weight", "nextn.hnorm.weight"},
    {"embed_tokens.weight", "nextn.embed_tokens.weight"},
    {"shared_head.norm.weight", "nextn.shared_head_norm.weight"},
    {"shared_head.head.weight", "nextn.shared_head_head.weight"},
    // One tensor per expert: "mlp.experts.7." stands before these.
    {"gate_proj.weight", "ffn_gate_exps.weight"},
    {"up_proj.weight", "ffn_up_exps.weight"},
    {"down_proj.weight", "ffn_down_exps.weight"},
}};

template <std::size_t kCount>
std::string_view Lookup(const std::array<Pair, kCount>& table, std::string_view hf) {
  for (const Pair& pair : table) {
    if (pair.hf == hf) return pair.gguf;
  }
  return {};
}

// Takes `prefix` off the front of `name`; false when it does not stand there.
bool Skip(std::string_view& name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return false;
  name.remove_prefix(prefix.size());
  return true;
}

// Takes "12." off the front; nothing for other text and for numbers beyond any model.
std::optional<int> SkipIndex(std::string_view& name) {
  constexpr int kMost = 65'535;
  int index = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
  const auto digits = static_cast<std::size_t>(end - name.data());
  if (error != std::errc() || index < 0 || index > kMost || digits >= name.size() ||
      name[digits] != '.') {
    return std::nullopt;
  }
  name.remove_prefix(digits + 1);
  return index;
}

std::optional<TensorName> LayerTensorName(std::string_view rest) {
  TensorName out;
  const std::optional<int> layer = SkipIndex(rest);
  if (!layer) return std::nullopt;
  out.layer = *layer;
  if (std::string_view expert = rest; Skip(expert, "mlp.experts.")) {
    if (const std::optional<int> index = SkipIndex(expert)) {
      out.expert = *index;
      rest = expert;
    }
  }
  const std::string_view name = Lookup(kLayer, rest);
  const bool of_an_expert = name.ends_with("_exps.weight") && !rest.starts_with("mlp.");
  if (name.empty() || of_an_expert != (out.expert >= 0)) return std::nullopt;
  out.name = "blk." + std::to_string(*layer) + "." + std::string(name);
  return out;
}

}  // namespace

std::optional<TensorName> GgufTensorName(std::string_view hf_name) {
  std::string_view rest = hf_name;
  Skip(rest, "language_model.");
  Skip(rest, "model.");
  Skip(rest, "language_model.");
  if (Skip(rest, "layers.")) return LayerTensorName(rest);
  const std::string_view name = Lookup(kModel, rest);
  if (name.empty()) return std::nullopt;
  return TensorName{.name = std::string(name)};
}

bool IsNoLanguageWeight(std::string_view hf_name) {
  if (hf_name.ends_with("rotary_emb.inv_freq")) return true;
  Skip(hf_name, "model.");
  for (const std::string_view room : {"vision_", "visual.", "multi_modal_projector.", "mm_"}) {
    if (hf_name.starts_with(room)) return true;
  }
  return false;
}

}  // namespace paluku
