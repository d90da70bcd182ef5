#include "engine/model/model_config.h"

#include <cmath>
#include <string>

#include "engine/model/rope.h"

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
constexpr std::uint64_t kMaxVocabulary = 1u << 22;
constexpr std::uint64_t kAnyCount = 65'535;
// Values of expert_gating_func.
constexpr std::uint64_t kGatingSoftmax = 1;
constexpr std::uint64_t kGatingSigmoid = 2;

// Reads keys of the family "deepseek2." and keeps the first error.
class Reader {
 public:
  explicit Reader(const ModelFile& file) : file_(file) {}

  static std::string Key(std::string_view name) { return "deepseek2." + std::string(name); }
  bool Has(std::string_view name) const { return file_.Has(Key(name)); }

  int Integer(std::string_view name, std::uint64_t min, std::uint64_t max) {
    return static_cast<int>(Keep(file_.Integer(Key(name), min, max)));
  }
  int IntegerOr(std::string_view name, std::uint64_t fallback, std::uint64_t min,
                std::uint64_t max) {
    return static_cast<int>(Keep(file_.IntegerOr(Key(name), fallback, min, max)));
  }
  double NumberOr(std::string_view name, double fallback, double min, double max) {
    const double value = Keep(file_.NumberOr(Key(name), fallback));
    if (value < min || value > max) Bad(name, std::to_string(value));
    return value;
  }
  bool BoolOr(std::string_view name, bool fallback) {
    return Keep(file_.BoolOr(Key(name), fallback));
  }
  std::string StringOr(std::string_view name, std::string_view fallback) {
    return std::string(Keep(file_.StringOr(Key(name), fallback)));
  }
  void Bad(std::string_view name, const std::string& why) {
    if (status_) status_ = Fail(ErrorCode::kBadValue, file_.path(), Key(name) + ": " + why);
  }
  const Status& status() const { return status_; }

 private:
  template <class T>
  T Keep(Result<T> result) {
    if (result) return *result;
    if (status_) status_ = tl::unexpected(std::move(result).error());
    return T{};
  }

  const ModelFile& file_;
  Status status_;
};

bool HasTensor(const ModelFile& file, std::string_view name) {
  return !ShapeOf(file, name).empty();
}

std::string LayerTensor(int layer, std::string_view name) {
  return "blk." + std::to_string(layer) + "." + std::string(name);
}

// Blocks for multi-token prediction stand behind the trunk and are recognised by their own tensor.
int TrunkLayers(const ModelFile& file, int blocks) {
  for (int i = 0; i < blocks; ++i) {
    if (HasTensor(file, LayerTensor(i, "nextn.eh_proj.weight"))) return i;
  }
  return blocks;
}

// The file of DeepSeek-V2/V3 kinds made before these keys existed say nothing of groups, although
// the models were trained with them (mla.md 0.10).
void ReadGroups(Reader& in, ModelConfig& config) {
  int groups = 1;
  int chosen = 1;
  if (config.experts == 256 && config.layers == 61) {
    groups = 8;
    chosen = 4;
  } else if (config.experts == 160) {
    groups = 8;
    chosen = 3;
  }
  if (in.Has("expert_group_count")) {
    groups = in.IntegerOr("expert_group_count", 1, 0, kMaxExperts);
    chosen = in.IntegerOr("expert_group_used_count", 1, 0, kMaxExperts);
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

void ReadExperts(Reader& in, const ModelFile& file, ModelConfig& config) {
  config.experts = in.IntegerOr("expert_count", 0, 0, kMaxExperts);
  if (config.experts == 0) {
    config.dense_layers = config.layers;
    return;
  }
  config.dense_layers = in.IntegerOr("leading_dense_block_count", 0, 0, kMaxLayers);
  if (config.dense_layers >= config.layers) {  // dense throughout, whatever the count of experts
    config.dense_layers = config.layers;
    config.experts = 0;
    return;
  }
  config.experts_chosen = in.Integer("expert_used_count", 1, kMaxChosen);
  if (config.experts_chosen > config.experts) {
    in.Bad("expert_used_count", std::to_string(config.experts_chosen));
    return;
  }
  config.experts_shared = in.IntegerOr("expert_shared_count", 0, 0, kMaxChosen);
  config.expert_inner = in.Integer("expert_feed_forward_length", 1, kMaxWidth);
  config.normalise_weights = in.BoolOr("expert_weights_norm", false);
  const double scale = in.NumberOr("expert_weights_scale", 1.0, 0.0, 1000.0);
  config.expert_scale = scale == 0 ? 1.0f : static_cast<float>(scale);  // 0: never meant

  // A selection bias exists only beside sigmoid scores; files without the key rely on that.
  const bool biased = HasTensor(file, LayerTensor(config.dense_layers, "exp_probs_b.bias"));
  const int gating = in.IntegerOr("expert_gating_func", biased ? kGatingSigmoid : kGatingSoftmax, 0,
                                  kGatingSigmoid);
  const bool sigmoid = gating == 0 ? biased : gating == static_cast<int>(kGatingSigmoid);
  config.gate = sigmoid ? GateFunction::kSigmoid : GateFunction::kSoftmax;
  config.group_score = sigmoid ? GroupScore::kTopTwoSum : GroupScore::kMax;
  ReadGroups(in, config);
}

void ReadRope(Reader& in, ModelConfig& config) {
  const double theta = in.NumberOr("rope.freq_base", 10'000.0, 1.000001, 1e12);
  const std::string type = in.StringOr("rope.scaling.type", "none");
  YarnParams yarn;
  double mscale = 1;
  if (type == "yarn") {
    // Kimi K2 was trained with 1/1, which its older files do not say (mla.md 3.2).
    const double fast = config.experts == 384 ? 1 : 32;
    yarn.factor = in.NumberOr("rope.scaling.factor", 1, 1, 1e5);
    yarn.original_context = in.Integer("rope.scaling.original_context_length", 1, kMaxContext);
    yarn.beta_fast = in.NumberOr("rope.scaling.yarn_beta_fast", fast, 1e-6, 1e6);
    yarn.beta_slow = in.NumberOr("rope.scaling.yarn_beta_slow", 1, 1e-6, 1e6);
    in.NumberOr("rope.scaling.yarn_ext_factor", 1, 1, 1);   // other values change the ramp and
    in.NumberOr("rope.scaling.yarn_attn_factor", 1, 1, 1);  // the rotation: no model uses them
    mscale = YarnMscale(yarn.factor, in.NumberOr("rope.scaling.yarn_log_multiplier", 0, 0, 10));
  } else if (type != "none") {
    in.Bad("rope.scaling.type", type);
  }
  if (in.NumberOr("attention.temperature_scale", 0, -1e9, 1e9) != 0) {
    in.Bad("attention.temperature_scale", "queries with a temperature are not known");
  }
  if (!in.status()) return;
  config.inverse_frequency = InverseFrequencies(config.rope, theta, yarn);
  config.attention_scale =
      static_cast<float>(mscale * mscale / std::sqrt(double(config.nope + config.rope)));
}

void ReadAttention(Reader& in, const ModelFile& file, ModelConfig& config) {
  config.heads = in.Integer("attention.head_count", 1, kMaxHeads);
  config.latent = in.Integer("attention.kv_lora_rank", 1, kMaxLatent);
  config.rope = in.Integer("rope.dimension_count", 2, kMaxHeadWidth);
  // Two generations of files: the newer one keeps the widths of a head under *_mla.
  const bool current = in.Has("attention.key_length_mla");
  const int key = in.Integer(current ? "attention.key_length_mla" : "attention.key_length", 1,
                             2 * kMaxHeadWidth);
  config.value = in.Integer(in.Has("attention.value_length_mla") ? "attention.value_length_mla"
                                                                 : "attention.value_length",
                            1, kMaxHeadWidth);
  config.nope = key - config.rope;
  if (in.status() && (config.nope < 1 || config.rope % 2 != 0)) {
    in.Bad("rope.dimension_count", std::to_string(config.rope));
  }
  if (!HasTensor(file, LayerTensor(0, "attn_q.weight"))) {
    config.q_lora = in.Integer("attention.q_lora_rank", 1, kMaxWidth);
  }
  ReadRope(in, config);
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
  PALUKU_ASSIGN_OR_RETURN(const std::uint64_t parts,
                          file.IntegerOr("split.count", 1, 0, kAnyCount));
  if (parts > 1) {
    return Fail(ErrorCode::kInvalidArgument, file.path(),
                "the model is spread over " + std::to_string(parts) +
                    " files, which Paluku cannot join; use a single file");
  }
  PALUKU_ASSIGN_OR_RETURN(const std::string_view family, file.String("general.architecture"));
  if (family != "deepseek2") {
    return Fail(ErrorCode::kUnsupportedArchitecture, file.path(), std::string(family));
  }
  const std::vector<std::int64_t> embedding = ShapeOf(file, "token_embd.weight");
  if (embedding.empty()) {
    return Fail(ErrorCode::kMissingTensor, file.path(), "token_embd.weight");
  }
  ModelConfig config;
  Reader in(file);
  config.layers = TrunkLayers(file, in.Integer("block_count", 1, kMaxLayers));
  config.hidden = in.Integer("embedding_length", 1, kMaxWidth);
  config.context_length = in.Integer("context_length", 1, kMaxContext);
  config.epsilon =
      static_cast<float>(in.NumberOr("attention.layer_norm_rms_epsilon", 1e-6, 1e-12, 1.0));
  config.vocabulary = static_cast<int>(embedding[0]);
  if (embedding[0] > static_cast<std::int64_t>(kMaxVocabulary)) {
    in.Bad("vocab_size", std::to_string(embedding[0]));
  }
  if (in.status() && config.layers < 1) in.Bad("block_count", "no layers");
  PALUKU_TRY(in.status());
  ReadExperts(in, file, config);
  PALUKU_TRY(in.status());
  if (config.dense_layers > 0) config.dense_inner = in.Integer("feed_forward_length", 1, kMaxWidth);
  ReadAttention(in, file, config);
  PALUKU_TRY(in.status());
  return config;
}

}  // namespace paluku
