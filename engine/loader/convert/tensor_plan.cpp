#include "engine/loader/convert/tensor_plan.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

namespace paluku {
namespace {

constexpr std::string_view kUpProjection = "attn_kv_b.weight";

// "blk.12.name" -> 12; names outside the layers -> -1.
int LayerOf(std::string_view name) {
  int layer = -1;
  if (name.starts_with("blk.")) std::from_chars(name.data() + 4, name.data() + name.size(), layer);
  return layer;
}

class Planner {
 public:
  Planner(const ModelFile& file, const ModelConfig& config, const Recipe& recipe)
      : file_(file), config_(config), recipe_(recipe) {}

  Result<std::vector<PlannedTensor>> Plan() {
    PALUKU_ASSIGN_OR_RETURN(const std::string_view architecture,
                            file_.String("general.architecture"));
    split_ = SplitsUpProjections(architecture);
    if (!file_.foreign_tensors().empty()) {
      const auto& [name, tensor] = *file_.foreign_tensors().begin();
      return Fail(ErrorCode::kUnsupportedTensorType, file_.path(), name + ": " + tensor.type);
    }
    for (const auto& [name, tensor] : file_.tensors()) {
      if (LayerOf(name) < config_.layers) PALUKU_TRY(Add(name, tensor));
    }
    std::stable_sort(planned_.begin(), planned_.end(),
                     [](const PlannedTensor& a, const PlannedTensor& b) {
                       return LayerOf(a.out.name) < LayerOf(b.out.name);
                     });
    return std::move(planned_);
  }

 private:
  Status Add(const std::string& name, const Tensor& tensor) {
    const bool up = split_ && name.ends_with(kUpProjection);
    if (up) return AddUpProjections(name, tensor);
    // Some files carry both forms; the undivided one is the source of both.
    const std::string prefix = name.substr(0, name.rfind("attn_"));
    const bool half = name.ends_with("attn_k_b.weight") || name.ends_with("attn_v_b.weight");
    if (split_ && half && file_.FindTensor(prefix + std::string(kUpProjection)) != nullptr)
      return {};
    const DType kept = tensor.dtype == DType::kI32 ? DType::kI32 : Choose(name, Shape(tensor));
    planned_.push_back({{name, kept, Shape(tensor)}, name, TensorSource::kWhole});
    return {};
  }

  Status AddUpProjections(const std::string& name, const Tensor& tensor) {
    const std::int64_t heads = config_.heads, latent = config_.latent;
    const std::vector<std::int64_t> wanted = {heads * (config_.nope + config_.value), latent};
    if (Shape(tensor) != wanted) return Fail(ErrorCode::kBadValue, file_.path(), name + ": shape");
    const std::string prefix = name.substr(0, name.size() - kUpProjection.size());
    const std::string key = prefix + "attn_k_b.weight", value = prefix + "attn_v_b.weight";
    const std::vector<std::int64_t> key_shape = {heads, latent, config_.nope};
    const std::vector<std::int64_t> value_shape = {heads, config_.value, latent};
    planned_.push_back({{key, Choose(key, key_shape), key_shape}, name, TensorSource::kKeyUp});
    planned_.push_back(
        {{value, Choose(value, value_shape), value_shape}, name, TensorSource::kValueUp});
    return {};
  }

  DType Choose(const std::string& name, std::vector<std::int64_t> shape) const {
    const bool tied = file_.FindTensor("output.weight") == nullptr;
    return ChooseType(recipe_, {name, std::move(shape), config_.layers, tied});
  }

  static std::vector<std::int64_t> Shape(const Tensor& tensor) {
    return {tensor.shape.begin(), tensor.shape.begin() + tensor.rank};
  }

  const ModelFile& file_;
  const ModelConfig& config_;
  const Recipe& recipe_;
  bool split_ = false;
  std::vector<PlannedTensor> planned_;
};

}  // namespace

bool SplitsUpProjections(std::string_view architecture) {
  return architecture != "minicpm3" && architecture != "plm";
}

Result<std::vector<PlannedTensor>> PlanTensors(const ModelFile& file, const ModelConfig& config,
                                               const Recipe& recipe) {
  return Planner(file, config, recipe).Plan();
}

}  // namespace paluku
