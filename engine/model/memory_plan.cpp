#include "engine/model/memory_plan.h"

#include <charconv>
#include <map>
#include <string_view>
#include <utility>

#include "engine/backend/cuda/weight_layout.h"
#include "engine/backend/cuda/workspace.h"
#include "engine/model/activations.h"
#include "engine/model/latent_cache.h"

namespace paluku {
namespace {

// What a CUDA context, the loaded kernels and cuBLAS take on a card before anything is allocated.
constexpr std::int64_t kRuntimeBytes = 450ll << 20;
// What a desktop on the same card needs to go on drawing.
constexpr std::int64_t kReserveBytes = 512ll << 20;

// One tensor, or several, on each of the two sides.
struct Sides {
  std::int64_t card = 0;
  std::int64_t processor = 0;
  std::int64_t file = 0;
  bool card_can = true;  // the card has a form for every tensor type in it

  Sides& operator+=(const Sides& other) {
    card += other.card;
    processor += other.processor;
    file += other.file;
    card_can = card_can && other.card_can;
    return *this;
  }
};

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// The layer of "blk.7.attn_q.weight", -1 outside of the layers.
int LayerOf(std::string_view name) {
  constexpr std::string_view kPrefix = "blk.";
  int layer = -1;
  if (name.starts_with(kPrefix)) {
    name.remove_prefix(kPrefix.size());
    std::from_chars(name.data(), name.data() + name.size(), layer);
  }
  return layer;
}

MemoryPart PartOf(std::string_view name) {
  if (name.starts_with("token_embd.")) return MemoryPart::kEmbedding;
  if (name.starts_with("output.")) return MemoryPart::kLogits;
  if (Contains(name, "_exps.")) return MemoryPart::kRoutedExperts;
  if (Contains(name, "_shexp.")) return MemoryPart::kSharedExperts;
  if (Contains(name, ".ffn_gate.") || Contains(name, ".ffn_up.") || Contains(name, ".ffn_down.")) {
    return MemoryPart::kDenseNetworks;
  }
  return MemoryPart::kAttention;
}

// Kept as f32 whatever the file has: norms, router and its bias (weights.cpp).
bool BecomesF32(std::string_view name, const Tensor& tensor) {
  return tensor.rank == 1 || Contains(name, ".ffn_gate_inp.");
}

// A tensor that is used as it is.
Sides InPlace(const Tensor& tensor) {
  const auto layout = cuda::LayoutOf(tensor.dtype, tensor.rows(), tensor.columns());
  return {.card = layout ? layout->bytes : 0,
          .processor = 0,
          .file = tensor.bytes(),
          .card_can = layout.has_value()};
}

// A tensor that is converted to `bytes` while loading.
Sides Converted(std::int64_t bytes) { return {.card = bytes, .processor = bytes, .file = 0}; }

Sides SidesOf(std::string_view name, const Tensor& tensor) {
  const bool whole = Contains(name, ".attn_kv_b."), keys = Contains(name, ".attn_k_b.");
  const bool values = Contains(name, ".attn_v_b.");
  if (whole || keys || values) {
    const DType type = UpProjectionType(tensor.dtype);
    if (!keys && type == tensor.dtype) return InPlace(tensor);  // keys are turned
    return Converted(tensor.elements() * Info(type).block_bytes);
  }
  if (BecomesF32(name, tensor) && tensor.dtype != DType::kF32) {
    return Converted(tensor.elements() * 4);
  }
  return InPlace(tensor);
}

struct ModelSides {
  std::map<MemoryPart, Sides> parts;  // without routed experts
  std::map<int, Sides> experts;       // routed, by layer
  bool whole_experts = false;         // of integers: the card multiplies many rows at once
  bool whole_dense = false;
};

bool IsWhole(const Tensor& tensor) {
  const auto layout = cuda::LayoutOf(tensor.dtype, tensor.rows(), tensor.columns());
  return layout && !cuda::IsFloat(layout->form);
}

ModelSides CountWeights(const ModelFile& file, const ModelConfig& config) {
  ModelSides model;
  for (const auto& [name, tensor] : file.tensors()) {
    const int layer = LayerOf(name);
    if (layer >= config.layers) continue;  // for multi-token prediction, never loaded
    const MemoryPart part = PartOf(name);
    const bool routed = part == MemoryPart::kRoutedExperts;
    (routed ? model.experts[layer] : model.parts[part]) += SidesOf(name, tensor);
    if (routed || part == MemoryPart::kSharedExperts) {
      model.whole_experts = model.whole_experts || IsWhole(tensor);
    }
    if (part == MemoryPart::kDenseNetworks) {
      model.whole_dense = model.whole_dense || (IsWhole(tensor) && !config.squared_relu);
    }
  }
  return model;
}

cuda::WorkspaceShape WorkspaceOf(const ModelConfig& config, const ModelSides& model,
                                 const PlanRequest& request) {
  return {.rows = kPrefillChunk,
          .tokens = request.context_tokens,
          .hidden = config.hidden,
          .heads = config.heads,
          .latent = config.latent,
          .nope = config.nope,
          .rope = config.rope,
          .value = config.value,
          .rounded_cache = request.latent_type != LatentType::kF32,
          .q_lora = config.q_lora,
          .index = config.index,
          .experts = config.experts,
          .chosen = config.experts_chosen,
          .expert_inner = config.expert_inner,
          .shared_inner = config.experts_shared * config.expert_inner,
          .dense_inner = config.dense_inner,
          .vocabulary = config.vocabulary,
          .whole_experts = model.whole_experts,
          .whole_dense = model.whole_dense,
          .experts_on_host = false};
}

// Bytes of one part at one home are one entry.
void Add(MemoryPlan& plan, MemoryPart part, MemoryHome home, std::int64_t bytes) {
  if (bytes == 0) return;
  for (PlannedMemory& known : plan.parts) {
    if (known.part != part || known.home != home) continue;
    known.bytes += bytes;
    return;
  }
  plan.parts.push_back({part, home, bytes});
}

void AddWeights(MemoryPlan& plan, MemoryPart part, const Sides& sides, bool on_card) {
  if (on_card) return Add(plan, part, MemoryHome::kCard, sides.card);
  Add(plan, part, MemoryHome::kProcessor, sides.processor);
  Add(plan, part, MemoryHome::kFile, sides.file);
}

struct CardShare {
  bool uses_card = false;
  int expert_layers = 0;
  std::int64_t least_bytes = 0;
};

// What the card takes. `fixed`: what is no weight and no workspace; `alone` and `shared`: the
// workspace when the card has all routed experts, and when the processor has some.
CardShare ShareOfCard(const ModelSides& model, const PlanRequest& request, std::int64_t fixed,
                      std::int64_t alone, std::int64_t shared) {
  CardShare share;
  for (const auto& [part, sides] : model.parts) {
    if (!sides.card_can) return {};
    fixed += sides.card;
  }
  share.least_bytes = fixed + shared;
  share.uses_card = share.least_bytes <= request.card_bytes;
  if (!share.uses_card) return share;
  std::int64_t experts = 0;
  for (const auto& [layer, sides] : model.experts) {
    const bool last = share.expert_layers + 1 == static_cast<int>(model.experts.size());
    const std::int64_t needed = fixed + experts + sides.card + (last ? alone : shared);
    const bool takes = sides.card_can && share.expert_layers < request.most_expert_layers;
    if (!takes || needed > request.card_bytes) break;
    experts += sides.card;
    ++share.expert_layers;
  }
  return share;
}

}  // namespace

std::int64_t MemoryPlan::BytesAt(MemoryHome home) const {
  std::int64_t bytes = 0;
  for (const PlannedMemory& part : parts) {
    if (part.home == home) bytes += part.bytes;
  }
  return bytes;
}

Result<MemoryPlan> PlanMemory(const ModelFile& file, const ModelConfig& config,
                              const PlanRequest& request) {
  const ModelSides model = CountWeights(file, config);
  PALUKU_ASSIGN_OR_RETURN(
      const LatentPages pages,
      LatentCache::Describe(config, request.latent_type, request.context_tokens));
  const std::int64_t cache = pages.page_bytes() * pages.page_count;
  const std::int64_t activations = Activations::Bytes(config, kPrefillChunk, kMaxOutputs);
  cuda::WorkspaceShape shape = WorkspaceOf(config, model, request);
  const std::int64_t alone = cuda::WorkspaceBytes(shape);
  shape.experts_on_host = !model.experts.empty();
  const std::int64_t shared = cuda::WorkspaceBytes(shape);  // with the processor
  const std::int64_t runtime = request.runtime_loaded ? 0 : kRuntimeBytes;

  MemoryPlan plan;
  plan.context_tokens = request.context_tokens;
  plan.expert_layers = static_cast<int>(model.experts.size());
  const CardShare share =
      ShareOfCard(model, request, cache + activations + runtime + kReserveBytes, alone, shared);
  plan.least_card_bytes = share.least_bytes;
  plan.uses_card = share.uses_card;
  plan.expert_layers_on_card = share.expert_layers;
  for (const auto& [part, sides] : model.parts) AddWeights(plan, part, sides, plan.uses_card);
  int layer = 0;
  for (const auto& [number, sides] : model.experts) {
    AddWeights(plan, MemoryPart::kRoutedExperts, sides, layer++ < plan.expert_layers_on_card);
  }
  const MemoryHome home = plan.uses_card ? MemoryHome::kCard : MemoryHome::kProcessor;
  Add(plan, MemoryPart::kLatentCache, home, cache);
  Add(plan, MemoryPart::kActivations, home, activations);
  if (plan.uses_card) {
    const bool whole = plan.expert_layers_on_card == plan.expert_layers;
    Add(plan, MemoryPart::kWorkspace, home, whole ? alone : shared);
    Add(plan, MemoryPart::kRuntime, home, runtime);
    Add(plan, MemoryPart::kReserve, home, kReserveBytes);
  }
  const std::int64_t computer =
      plan.BytesAt(MemoryHome::kProcessor) + plan.BytesAt(MemoryHome::kFile);
  plan.fits = request.ram_bytes == 0 || computer <= request.ram_bytes;
  return plan;
}

}  // namespace paluku
