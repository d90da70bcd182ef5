#include "engine/model/model_config.h"

#include <cmath>
#include <cstring>
#include <string>

#include "engine/base/utf8.h"
#include "engine/model/config_reader.h"
#include "engine/model/family.h"
#include "engine/model/rope.h"
#include "engine/model/tensor_names.h"

namespace paluku {
namespace {

// Ranges of reference/security.md 2.2 ("every hparam has min/max"); far beyond any real model.
constexpr std::uint64_t kMaxLayers = 512;
constexpr std::uint64_t kMaxWidth = 1u << 18;
constexpr std::uint64_t kMaxHeads = 1024;
constexpr std::uint64_t kMaxHeadWidth = 4096;
constexpr std::uint64_t kMaxLatent = 16'384;
constexpr std::uint64_t kMaxExperts = 4096;
constexpr std::uint64_t kMaxChosen = 64;
constexpr std::uint64_t kMaxContext = 1u << 24;
constexpr std::uint64_t kMaxIndexed = 1u << 16;
constexpr std::uint64_t kMaxVocabulary = 1u << 22;
// Value of expert_gating_func; 1 is softmax, 0 unknown.
constexpr std::uint64_t kGatingSigmoid = 2;
// LongRoPE's factors.
constexpr std::string_view kShortFactors = "rope_factors_short.weight";
constexpr std::string_view kLongFactors = "rope_factors_long.weight";

bool HasTensor(const ModelFile& file, std::string_view name) {
  return !ShapeOf(file, name).empty();
}

std::string LayerTensor(int layer, std::string_view name) {
  return "blk." + std::to_string(layer) + "." + std::string(name);
}

// Blocks for multi-token prediction stand behind the trunk. They are recognised by their own
// tensor; a file that counts such blocks may also lack them.
int TrunkLayers(ConfigReader& in, int blocks, ModelConfig& config) {
  int trunk = blocks;
  for (int i = blocks; i > 0; --i) {
    if (HasTensor(in.file(), LayerTensor(i - 1, "nextn.eh_proj.weight"))) trunk = i - 1;
  }
  if (trunk < blocks) {
    config.notes.push_back(
        {ModelNoteCode::kPredictionSkipped, std::to_string(blocks - trunk), std::string()});
    return trunk;
  }
  const int counted = in.IntegerOr("nextn_predict_layers", 0, 0, kMaxLayers);
  const bool absent = counted > 0 && counted < blocks &&
                      !HasTensor(in.file(), LayerTensor(blocks - counted, "attn_norm.weight"));
  return absent ? blocks - counted : blocks;
}

// Files made before these keys existed say nothing of groups, although some models were trained
// with them (mla.md 0.10).
void ReadGroups(ConfigReader& in, const KnownModel* known, ModelConfig& config) {
  int groups = 1;
  int chosen = 1;
  if (in.Has("expert_group_count")) {
    groups = in.IntegerOr("expert_group_count", 1, 0, kMaxExperts);
    chosen = in.IntegerOr("expert_group_used_count", 1, 0, kMaxExperts);
  } else if (known != nullptr && known->groups > 1) {
    groups = known->groups;
    chosen = known->groups_chosen;
    in.Assume("expert_group_count", std::to_string(groups), known->name);
    in.Assume("expert_group_used_count", std::to_string(chosen), known->name);
  }
  if (groups <= 1) return;
  config.groups = groups;
  config.groups_chosen = chosen;
  if (config.experts % groups != 0) in.Bad("expert_group_count", std::to_string(groups));
  const int reachable = chosen * (config.experts / groups);
  if (chosen < 1 || chosen > groups || reachable < config.experts_chosen) {
    in.Bad("expert_group_used_count", std::to_string(chosen));
  }
}

// A selection bias exists only beside sigmoid scores; files without the key rely on that.
void ReadGate(ConfigReader& in, ModelConfig& config) {
  const bool biased = HasTensor(in.file(), LayerTensor(config.dense_layers, "exp_probs_b.bias"));
  const int gating = in.IntegerOr("expert_gating_func", 0, 0, kGatingSigmoid);
  const bool sigmoid = gating == 0 ? biased : gating == static_cast<int>(kGatingSigmoid);
  if (gating == 0) in.Assume("expert_gating_func", sigmoid ? "sigmoid" : "softmax");
  config.gate = sigmoid ? GateFunction::kSigmoid : GateFunction::kSoftmax;
  config.group_score = sigmoid ? GroupScore::kTopTwoSum : GroupScore::kMax;
}

// How many layers have experts, and of how many.
void ReadExpertCount(ConfigReader& in, ModelConfig& config) {
  config.experts = in.IntegerOr("expert_count", 0, 0, kMaxExperts);
  config.dense_layers = in.IntegerOr("leading_dense_block_count", 0, 0, kMaxLayers);
  if (config.experts == 0 || config.dense_layers >= config.layers) {
    config.dense_layers = config.layers;  // dense throughout, whatever the count of experts
    config.experts = 0;
  }
}

void ReadExperts(ConfigReader& in, const KnownModel* known, ModelConfig& config) {
  if (config.experts == 0) return;
  config.experts_chosen = in.Integer("expert_used_count", 1, kMaxChosen);
  if (config.experts_chosen > config.experts) {
    in.Bad("expert_used_count", std::to_string(config.experts_chosen));
    return;
  }
  config.experts_shared = in.IntegerOr("expert_shared_count", 0, 0, kMaxChosen);
  config.expert_inner = in.Integer("expert_feed_forward_length", 1, kMaxWidth);
  config.normalise_weights = in.BoolAssumed("expert_weights_norm", false);
  const double scale = in.NumberAssumed("expert_weights_scale", 1.0, 0.0, 1000.0);
  config.expert_scale = scale == 0 ? 1.0f : static_cast<float>(scale);  // 0: never meant
  ReadGate(in, config);
  ReadGroups(in, known, config);
}

YarnParams ReadYarn(ConfigReader& in, const KnownModel* known) {
  YarnParams yarn;
  yarn.factor = in.NumberAssumed("rope.scaling.factor", 1, 1, 1e5);
  yarn.original_context = in.Integer("rope.scaling.original_context_length", 1, kMaxContext);
  // Kimi K2 was trained with 1/1, which its older files do not say (mla.md 3.2).
  const double fast = known == nullptr ? 32 : known->yarn_beta_fast;
  yarn.beta_fast = in.NumberAssumed("rope.scaling.yarn_beta_fast", fast, 1e-6, 1e6,
                                    fast == 32 ? std::string_view() : known->name);
  yarn.beta_slow = in.NumberAssumed("rope.scaling.yarn_beta_slow", 1, 1e-6, 1e6);
  in.NumberOr("rope.scaling.yarn_ext_factor", 1, 1, 1);   // other values change the ramp and
  in.NumberOr("rope.scaling.yarn_attn_factor", 1, 1, 1);  // the rotation: no model uses them
  return yarn;
}

// Llama 4's temperature of queries. Files leave its length to the context before YaRN.
void ReadTemperature(ConfigReader& in, const Family& family, double original_context,
                     ModelConfig& config) {
  const double beta = in.NumberOr("attention.temperature_scale", 0, -1e3, 1e3);
  if (beta == 0) return;
  if (!family.temperature) {
    in.Bad("attention.temperature_scale", "queries with a temperature are not known");
    return;
  }
  config.temperature = static_cast<float>(beta);
  config.temperature_length = in.IntegerOr(
      "attention.temperature_length", static_cast<std::uint64_t>(original_context), 0, kMaxContext);
  if (config.temperature_length < 1) in.Bad("attention.temperature_length", "0");
}

// The factors of `name`, by which frequencies are divided; empty when the file has none.
std::vector<float> LongRopeFactors(ConfigReader& in, std::string_view name, int rope) {
  const Tensor* tensor = in.file().FindTensor(name);
  if (tensor == nullptr) return {};
  if (tensor->dtype != DType::kF32 || tensor->elements() != rope / 2) {
    in.Bad("rope.dimension_count", std::to_string(rope));
    return {};
  }
  std::vector<float> factors(static_cast<std::size_t>(rope / 2));
  std::memcpy(factors.data(), tensor->data, factors.size() * sizeof(float));
  for (const float factor : factors) {
    if (!(factor > 1e-6f && factor < 1e6f)) in.Bad("rope.scaling.factor", std::string(name));
  }
  return factors;
}

void ReadLongRope(ConfigReader& in, double theta, ModelConfig& config) {
  in.NumberOr("rope.scaling.attn_factor", 1, 1, 1);  // others scale the rotation; none is used
  const auto short_factors = LongRopeFactors(in, kShortFactors, config.rope);
  const auto long_factors = LongRopeFactors(in, kLongFactors, config.rope);
  if (short_factors.empty() != long_factors.empty()) {
    in.MissingTensor(short_factors.empty() ? kShortFactors : kLongFactors);
  }
  if (!in.status() || short_factors.empty()) return;
  config.long_inverse_frequency = config.inverse_frequency =
      InverseFrequencies(config.rope, theta, {});
  for (std::size_t i = 0; i < short_factors.size(); ++i) {
    config.inverse_frequency[i] /= short_factors[i];
    config.long_inverse_frequency[i] /= long_factors[i];
  }
  config.long_rope_above =
      in.IntegerOr("rope.scaling.original_context_length",
                   static_cast<std::uint64_t>(config.context_length), 1, kMaxContext);
}

void ReadRope(ConfigReader& in, const Family& family, const KnownModel* known,
              ModelConfig& config) {
  const double theta = in.NumberAssumed("rope.freq_base", 10'000.0, 1.000001, 1e12);
  const std::string type = in.StringOr("rope.scaling.type", "none");
  YarnParams yarn;
  double mscale = 1;
  if (type == "yarn") {
    yarn = ReadYarn(in, known);
    mscale =
        YarnMscale(yarn.factor, in.NumberAssumed("rope.scaling.yarn_log_multiplier", 0, 0, 10));
  } else if (type != "none" && !(type == "longrope" && family.long_rope)) {
    in.Bad("rope.scaling.type", PlainLine(type, 64));
  }
  ReadTemperature(in, family, yarn.original_context, config);
  if (!in.status()) return;
  config.interleaved_rope = family.interleaved_rope;
  config.yarn = yarn;
  config.inverse_frequency = InverseFrequencies(config.rope, theta, yarn);
  config.attention_scale =
      static_cast<float>(mscale * mscale / std::sqrt(double(config.nope + config.rope)));
  if (family.long_rope) ReadLongRope(in, theta, config);
}

// DeepSeek Sparse Attention. Its queries come from the query latent.
void ReadIndexer(ConfigReader& in, ModelConfig& config) {
  config.index = in.Integer("attention.indexer.key_length", 1, kMaxHeadWidth);
  config.index_heads = in.Integer("attention.indexer.head_count", 1, kMaxHeads);
  config.index_chosen = in.Integer("attention.indexer.top_k", 1, kMaxIndexed);
  config.index_epsilon =
      static_cast<float>(in.NumberOr("attention.layer_norm_epsilon", 1e-6, 1e-12, 1.0));
  if (!in.status()) return;
  if (config.index < config.rope) {
    in.Bad("attention.indexer.key_length", std::to_string(config.index));
  }
  if (config.q_lora == 0) in.Bad("attention.q_lora_rank", "0");
}

void ReadAttention(ConfigReader& in, const Family& family, const KnownModel* known,
                   ModelConfig& config) {
  config.latent = in.Integer("attention.kv_lora_rank", 1, kMaxLatent);
  config.rope = in.Integer("rope.dimension_count", 2, kMaxHeadWidth);
  // Two generations of files: the newer one keeps the widths of a head under *_mla.
  const bool current = in.Has("attention.key_length_mla");
  const int key = in.Integer(current ? "attention.key_length_mla" : "attention.key_length", 1,
                             2 * kMaxHeadWidth);
  if (in.Has("attention.value_length_mla")) {
    config.value = in.Integer("attention.value_length_mla", 1, kMaxHeadWidth);
  } else if (family.value_from_hidden && !in.Has("attention.value_length") &&
             config.hidden % config.heads == 0) {
    config.value = config.hidden / config.heads;
    in.Assume("attention.value_length", std::to_string(config.value));
  } else {
    config.value = in.Integer("attention.value_length", 1, kMaxHeadWidth);
  }
  config.nope = key - config.rope;
  if (in.status() && (config.nope < 1 || config.rope % 2 != 0)) {
    in.Bad("rope.dimension_count", std::to_string(config.rope));
  }
  // Backends compute with whole groups of four.
  if (config.latent % 4 != 0) in.Bad("attention.kv_lora_rank", std::to_string(config.latent));
  if (config.value % 4 != 0) in.Bad("attention.value_length", std::to_string(config.value));
  if (!HasTensor(in.file(), LayerTensor(0, "attn_q.weight"))) {
    config.q_lora = in.Integer("attention.q_lora_rank", 1, kMaxWidth);
  }
  ReadRope(in, family, known, config);
  if (family.indexer) ReadIndexer(in, config);
}

// What MiniCPM3 multiplies embedding, branches and logits with; its files leave it to the program.
void ReadScales(ConfigReader& in, const Family& family, ModelConfig& config) {
  if (family.embedding_scale == 0) return;
  const double embedding =
      in.NumberAssumed("embedding_scale", family.embedding_scale, 1e-6, 1e6, family.name);
  const double branch = in.NumberAssumed(
      "residual_scale", family.residual_depth / std::sqrt(config.layers), 1e-6, 1e6, family.name);
  const double logits = in.NumberAssumed("logit_scale", config.hidden / family.logit_base, 1e-6,
                                         1e6, family.name);  // logits are divided by it
  config.embedding_scale = static_cast<float>(embedding / branch);
  config.output_scale = static_cast<float>(1 / logits);
  config.epsilon = static_cast<float>(static_cast<double>(config.latent_epsilon) / branch / branch);
}

// The values that every family has, and that tell its members apart.
Status ReadShape(ConfigReader& in, ModelConfig& config) {
  const std::vector<std::int64_t> embedding = ShapeOf(in.file(), "token_embd.weight");
  if (embedding.empty()) {
    return Fail(ErrorCode::kMissingTensor, in.file().path(), "token_embd.weight");
  }
  config.layers = TrunkLayers(in, in.Integer("block_count", 1, kMaxLayers), config);
  config.hidden = in.Integer("embedding_length", 1, kMaxWidth);
  config.heads = in.Integer("attention.head_count", 1, kMaxHeads);
  config.context_length = in.Integer("context_length", 1, kMaxContext);
  config.epsilon = config.latent_epsilon =
      static_cast<float>(in.NumberAssumed("attention.layer_norm_rms_epsilon", 1e-6, 1e-12, 1.0));
  config.vocabulary = static_cast<int>(embedding[0]);
  if (embedding[0] > static_cast<std::int64_t>(kMaxVocabulary)) {
    in.Bad("vocab_size", std::to_string(embedding[0]));
  }
  if (in.status() && config.layers < 1) in.Bad("block_count", "no layers");
  PALUKU_TRY(in.status());
  ReadExpertCount(in, config);
  return in.status();
}

}  // namespace

std::vector<std::int64_t> ShapeOf(const ModelFile& file, std::string_view name) {
  if (const Tensor* tensor = file.FindTensor(name)) {
    return {tensor->shape.begin(), tensor->shape.begin() + tensor->rank};
  }
  const auto it = file.foreign_tensors().find(name);
  return it == file.foreign_tensors().end() ? std::vector<std::int64_t>{} : it->second.shape;
}

Result<ModelConfig> ModelConfig::Parse(const ModelFile& file) {
  PALUKU_ASSIGN_OR_RETURN(const std::string_view architecture, file.String("general.architecture"));
  PALUKU_ASSIGN_OR_RETURN(const Family* family, FindFamily(architecture, file.path()));
  ModelConfig config;
  ConfigReader in(file, architecture, config.notes);
  PALUKU_TRY(ReadShape(in, config));
  const KnownModel* known = FindKnownModel(
      architecture, {config.layers, config.heads, config.experts, config.vocabulary});
  config.family = known == nullptr ? family->name : known->name;
  if (known != nullptr) config.proof = Sentence(known->proof);
  ReadExperts(in, known, config);
  config.squared_relu = family->squared_relu;
  if (config.dense_layers > 0) config.dense_inner = in.Integer("feed_forward_length", 1, kMaxWidth);
  PALUKU_TRY(in.status());
  ReadAttention(in, *family, known, config);
  ReadScales(in, *family, config);
  PALUKU_TRY(in.status());
  PALUKU_TRY(RefuseStrayTensors(file, config, in.Integer("block_count", 1, kMaxLayers)));
  return config;
}

void ModelConfig::FitContext(int tokens) {
  if (!long_inverse_frequency.empty() && tokens > long_rope_above) {
    inverse_frequency = long_inverse_frequency;
  }
}

}  // namespace paluku
