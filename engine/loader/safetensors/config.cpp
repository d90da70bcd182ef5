#include "engine/loader/safetensors/config.h"

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/utf8.h"

namespace paluku {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kSoftmax = 1, kSigmoid = 2;  // values of expert_gating_func

struct Family {
  std::string_view model_type;    // of config.json
  std::string_view architecture;  // GGUF's
  std::uint64_t gating;           // of the class, where the configuration has no scoring_func
};
constexpr std::array<Family, 9> kFamilies = {{
    {"deepseek_v2", "deepseek2", kSoftmax},
    {"deepseek_v3", "deepseek2", kSigmoid},
    {"kimi_k2", "deepseek2", kSigmoid},
    {"deepseek_v32", "deepseek32", kSigmoid},
    {"glm4_moe_lite", "deepseek2", kSigmoid},
    {"youtu", "deepseek2", kSoftmax},
    {"minicpm3", "minicpm3", kSoftmax},
    {"plm", "plm", kSoftmax},
    {"mistral4", "mistral4", kSoftmax},
}};

const Json& At(const Json& object, std::string_view key) {
  static const Json kNothing;
  const auto found = object.find(key);
  return found == object.end() ? kNothing : *found;
}

// Reads one object of config.json and keeps the first error.
class Reader {
 public:
  Reader(const Json& json, const std::string& path) : json_(json), path_(path) {}

  bool Has(std::string_view key) const { return !At(json_, key).is_null(); }
  const Json& Get(std::string_view key) const { return At(json_, key); }

  std::uint64_t Integer(std::string_view key) {
    if (!Has(key)) return Miss(key), 0;
    return IntegerOr(key, 0);
  }
  std::uint64_t IntegerOr(std::string_view key, std::uint64_t fallback) {
    if (!Has(key)) return fallback;
    if (!Get(key).is_number_unsigned()) return Bad(key), 0;
    return Get(key).get<std::uint64_t>();
  }
  double NumberOr(std::string_view key, double fallback) {
    if (!Has(key)) return fallback;
    if (!Get(key).is_number()) return Bad(key), 0;
    return Get(key).get<double>();
  }
  bool BoolOr(std::string_view key, bool fallback) {
    if (!Has(key)) return fallback;
    if (!Get(key).is_boolean()) return Bad(key), false;
    return Get(key).get<bool>();
  }
  std::string TextOr(std::string_view key, std::string fallback) {
    if (!Has(key)) return fallback;
    if (!Get(key).is_string()) return Bad(key), fallback;
    return Get(key).get<std::string>();
  }
  // A value other than the one Paluku computes with changes the answer.
  void Bad(std::string_view key) { Keep(ErrorCode::kBadValue, key); }
  const Status& status() const { return status_; }
  const std::string& path() const { return path_; }

 private:
  void Miss(std::string_view key) { Keep(ErrorCode::kMissingKey, key); }
  void Keep(ErrorCode code, std::string_view key) {
    if (!status_) return;
    std::string detail(key);
    if (code == ErrorCode::kBadValue) detail += ": " + PlainLine(Get(key).dump(), 80);
    status_ = Fail(code, path_, std::move(detail));
  }

  const Json& json_;
  const std::string& path_;
  Status status_;
};

// Writes entries of one architecture: Set("block_count", 27) makes "deepseek2.block_count".
class Writer {
 public:
  Writer(std::string_view architecture, ModelFile::Contents& out)
      : prefix_(std::string(architecture) + "."), out_(out) {}

  template <class T>
  void Set(std::string_view key, T value) {
    out_.entries.insert_or_assign(prefix_ + std::string(key), MetadataValue(value));
  }
  void SetText(std::string_view key, std::string value) {
    Set(key, std::string_view(out_.owned.emplace_back(std::move(value))));
  }
  // A f32 tensor of one dimension.
  void SetTensor(const std::string& name, const std::vector<float>& values) {
    std::string& bytes = out_.owned.emplace_back(reinterpret_cast<const char*>(values.data()),
                                                 values.size() * sizeof(float));
    out_.tensors[name] = {.dtype = DType::kF32,
                          .rank = 1,
                          .shape = {static_cast<std::int64_t>(values.size())},
                          .data = reinterpret_cast<std::byte*>(bytes.data())};
  }

 private:
  std::string prefix_;
  ModelFile::Contents& out_;
};

void AddShape(Reader& in, Writer& out) {
  out.Set("block_count", in.Integer("num_hidden_layers"));
  out.Set("context_length", in.Integer("max_position_embeddings"));
  out.Set("embedding_length", in.Integer("hidden_size"));
  out.Set("feed_forward_length", in.Integer("intermediate_size"));
  out.Set("vocab_size", in.Integer("vocab_size"));
  out.Set("attention.layer_norm_rms_epsilon", in.NumberOr("rms_norm_eps", 1e-6));
  if (in.BoolOr("attention_bias", false)) in.Bad("attention_bias");
  if (in.BoolOr("mlp_bias", false)) in.Bad("mlp_bias");
}

// Widths of a head as the older generation of files has them, whose attn_kv_b is that of Hugging
// Face.
void AddAttention(Reader& in, Writer& out) {
  const std::uint64_t heads = in.Integer("num_attention_heads");
  const std::uint64_t nope = in.Integer("qk_nope_head_dim");
  const std::uint64_t rope = in.Integer("qk_rope_head_dim");
  const std::uint64_t plain = heads == 0 ? 0 : in.Integer("hidden_size") / heads;
  out.Set("attention.head_count", heads);
  out.Set("attention.head_count_kv", heads);
  out.Set("attention.kv_lora_rank", in.Integer("kv_lora_rank"));
  if (in.Has("q_lora_rank")) out.Set("attention.q_lora_rank", in.Integer("q_lora_rank"));
  out.Set("attention.key_length", nope + rope);
  out.Set("attention.value_length", in.IntegerOr("v_head_dim", plain));
  out.Set("rope.dimension_count", rope);
  if (!in.Has("index_topk")) return;
  out.Set("attention.indexer.head_count", in.Integer("index_n_heads"));
  out.Set("attention.indexer.key_length", in.Integer("index_head_dim"));
  out.Set("attention.indexer.top_k", in.Integer("index_topk"));
}

// Dense layers stand before those with experts, in two ways of saying so.
std::uint64_t DenseLayers(Reader& in) {
  const Json& kinds = in.Get("mlp_layer_types");
  if (!kinds.is_array()) return in.IntegerOr("first_k_dense_replace", 0);
  std::uint64_t dense = 0;
  for (const Json& kind : kinds) dense += kind == "dense" ? 1 : 0;
  for (std::uint64_t i = 0; i < dense; ++i) {
    if (kinds[i] != "dense") in.Bad("mlp_layer_types");
  }
  return dense;
}

void AddExperts(Reader& in, std::uint64_t gating, Writer& out) {
  if (!in.Has("n_routed_experts")) {
    out.Set("leading_dense_block_count", in.Integer("num_hidden_layers"));
    return;
  }
  if (in.IntegerOr("moe_layer_freq", 1) != 1) in.Bad("moe_layer_freq");
  out.Set("leading_dense_block_count", DenseLayers(in));
  out.Set("expert_count", in.Integer("n_routed_experts"));
  out.Set("expert_used_count", in.Integer("num_experts_per_tok"));
  out.Set("expert_shared_count", in.IntegerOr("n_shared_experts", 0));
  out.Set("expert_feed_forward_length", in.Integer("moe_intermediate_size"));
  out.Set("expert_weights_scale", in.NumberOr("routed_scaling_factor", 1.0));
  out.Set("expert_weights_norm", in.BoolOr("norm_topk_prob", false));
  const std::string scoring = in.TextOr("scoring_func", "");
  if (scoring == "softmax") gating = kSoftmax;
  if (scoring == "sigmoid") gating = kSigmoid;
  if (!scoring.empty() && scoring != "softmax" && scoring != "sigmoid") in.Bad("scoring_func");
  out.Set("expert_gating_func", gating);
  // "greedy" looks at no groups, whatever their number.
  const bool grouped = in.TextOr("topk_method", "") != "greedy";
  const std::uint64_t groups = grouped ? in.IntegerOr("n_group", 1) : 1;
  out.Set("expert_group_count", groups);
  out.Set("expert_group_used_count", groups == 1 ? 1 : in.IntegerOr("topk_group", 1));
}

void AddYarn(Reader& rope, Reader& in, Writer& out) {
  const double mscale = rope.NumberOr("mscale", 1);
  const double all = rope.NumberOr("mscale_all_dim", 0);
  // Their quotient scales cosine and sine, for which GGUF has no key.
  if (rope.Has("mscale_all_dim") && mscale != all) rope.Bad("mscale");
  out.SetText("rope.scaling.type", "yarn");
  out.Set("rope.scaling.factor", rope.NumberOr("factor", 1));
  const std::uint64_t original =
      rope.IntegerOr("original_max_position_embeddings", in.Integer("max_position_embeddings"));
  out.Set("rope.scaling.original_context_length", original);
  out.Set("rope.scaling.yarn_beta_fast", rope.NumberOr("beta_fast", 32));
  out.Set("rope.scaling.yarn_beta_slow", rope.NumberOr("beta_slow", 1));
  out.Set("rope.scaling.yarn_log_multiplier", 0.1 * all);  // a tenth, as in every file
  const double temperature = rope.NumberOr("llama_4_scaling_beta", 0);
  if (temperature == 0) return;
  out.Set("attention.temperature_scale", temperature);
  out.Set("attention.temperature_length", original);
}

std::vector<float> Floats(Reader& in, std::string_view key) {
  std::vector<float> values;
  for (const Json& value : in.Get(key)) {
    if (!value.is_number()) return in.Bad(key), values;
    values.push_back(value.get<float>());
  }
  if (values.empty() || values.size() > 4096) in.Bad(key);
  return values;
}

void AddRope(Reader& in, Writer& out) {
  if (!in.BoolOr("rope_interleave", true)) in.Bad("rope_interleave");
  // transformers 5 has one object for all; before, the base stood outside.
  const std::string_view key = in.Has("rope_parameters") ? "rope_parameters" : "rope_scaling";
  static const Json kNone = Json::object();
  if (in.Has(key) && !in.Get(key).is_object()) in.Bad(key);
  Reader rope(in.Get(key).is_object() ? in.Get(key) : kNone, in.path());
  out.Set("rope.freq_base", rope.NumberOr("rope_theta", in.NumberOr("rope_theta", 10'000.0)));
  const std::string type = rope.TextOr("rope_type", rope.TextOr("type", "default"));
  if (type == "yarn") {
    AddYarn(rope, in, out);
  } else if (type == "longrope") {
    out.SetText("rope.scaling.type", "longrope");
    out.Set(
        "rope.scaling.original_context_length",
        rope.IntegerOr("original_max_position_embeddings", in.Integer("max_position_embeddings")));
    out.SetTensor("rope_factors_long.weight", Floats(rope, "long_factor"));
    out.SetTensor("rope_factors_short.weight", Floats(rope, "short_factor"));
  } else if (type != "default") {
    rope.Bad(rope.Has("rope_type") ? "rope_type" : "type");
  }
  if (!rope.status()) in.Bad(key);
}

// The scales of MiniCPM3 have no keys in GGUF; readers know them from the family.
void CheckMiniCpmScales(Reader& in) {
  if (in.NumberOr("scale_emb", 12) != 12) in.Bad("scale_emb");
  if (in.NumberOr("scale_depth", 1.4) != 1.4) in.Bad("scale_depth");
  if (in.NumberOr("dim_model_base", 256) != 256) in.Bad("dim_model_base");
}

const Family* FindFamily(const Json& config) {
  const Json& type = At(config, "model_type");
  if (!type.is_string()) return nullptr;
  const auto& name = type.get_ref<const std::string&>();
  for (const Family& family : kFamilies) {
    if (family.model_type == name) return &family;
  }
  return nullptr;
}

// The class of the checkpoint, for refusing it by name.
std::string ClassName(const Json& config) {
  const Json& classes = At(config, "architectures");
  if (classes.is_array() && !classes.empty() && classes[0].is_string()) {
    return classes[0].get<std::string>().substr(0, 64);
  }
  const Json& type = At(config, "model_type");
  return type.is_string() ? type.get<std::string>() : "unknown";
}

}  // namespace

Status AddConfigEntries(const Json& config, const std::string& path, ModelFile::Contents& out) {
  const Json& text = At(config, "text_config");  // of models that see as well
  const Json& model = FindFamily(config) == nullptr && text.is_object() ? text : config;
  const Family* family = FindFamily(model);
  Writer general("general", out);
  if (family == nullptr) {
    general.SetText("architecture", ClassName(config));
    return {};
  }
  general.SetText("architecture", std::string(family->architecture));
  Reader in(model, path);
  Writer writer(family->architecture, out);
  const std::string_view activation = family->architecture == "plm" ? "relu2" : "silu";
  if (in.TextOr("hidden_act", std::string(activation)) != activation) in.Bad("hidden_act");
  AddShape(in, writer);
  AddAttention(in, writer);
  AddExperts(in, family->gating, writer);
  AddRope(in, writer);
  if (family->architecture == "minicpm3") CheckMiniCpmScales(in);
  return in.status();
}

}  // namespace paluku
