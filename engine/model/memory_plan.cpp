#include "engine/model/memory_plan.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>
#include <utility>

#include "engine/backend/cuda/expert_plan.h"
#include "engine/backend/cuda/weight_layout.h"
#include "engine/backend/cuda/workspace.h"
#include "engine/model/activations.h"
#include "engine/model/latent_cache.h"

namespace paluku {
namespace {

// What a CUDA context, the loaded kernels and cuBLAS take on a card before anything is allocated.
constexpr std::int64_t kRuntimeBytes = 450ll << 20;
// Of these, what cuBLAS takes of its own when it is opened later: a pool of 8 MiB (32 on cards for
// servers), and the code of the few kernels that are used. An estimate, not measured on a card.
constexpr std::int64_t kDenseLibraryBytes = 64ll << 20;
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

bool IsRouterGate(std::string_view name) { return Contains(name, ".ffn_gate_inp."); }

// Kept as f32 whatever the file has: norms, router and its bias (weights.cpp).
bool BecomesF32(std::string_view name, const Tensor& tensor) {
  return tensor.rank == 1 || IsRouterGate(name);
}

bool IsUpProjection(std::string_view name) {
  return Contains(name, ".attn_kv_b.") || Contains(name, ".attn_k_b.") ||
         Contains(name, ".attn_v_b.");
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
  if (IsUpProjection(name)) {
    const bool keys = Contains(name, ".attn_k_b.");
    const DType type = UpProjectionType(tensor.dtype);
    if (!keys && type == tensor.dtype) return InPlace(tensor);  // keys are turned
    Sides sides = Converted(tensor.elements() * Info(type).block_bytes);
    if (type != tensor.dtype) {  // a card takes quantised ones as they are
      const Sides in_place = InPlace(tensor);
      sides.card = in_place.card;
      sides.card_can = in_place.card_can;
    }
    return sides;
  }
  if (BecomesF32(name, tensor) && tensor.dtype != DType::kF32) {
    return Converted(tensor.elements() * 4);
  }
  return InPlace(tensor);
}

// The routed experts of a layer.
struct ExpertLayer {
  Sides sides;
  std::int64_t slice = 0;  // bytes of the largest slice that passes through a card
  bool whole = true;       // of integers: they can pass
};

struct ModelSides {
  std::map<MemoryPart, Sides> parts;   // without routed experts
  std::map<int, ExpertLayer> experts;  // by layer
  bool whole_experts = false;          // of integers: the card multiplies many rows at once
  bool whole_dense = false;
  // The longest rows of float weights that cuBLAS multiplies by, and of those in 16 bits.
  std::int64_t dense_columns = 0, split_columns = 0;
};

// Weights of products with every row of a step, when they are floats; the gate stays with the
// card's own kernels.
void CountDense(std::string_view name, const Tensor& tensor, ModelSides& model) {
  const bool floats = Info(tensor.dtype).block_elements == 1;
  if (!floats || tensor.rank < 2 || IsUpProjection(name) || IsRouterGate(name) ||
      !cuda::PaysForDenseLibrary(kPrefillChunk, tensor.columns())) {
    return;
  }
  model.dense_columns = std::max(model.dense_columns, tensor.columns());
  if (tensor.dtype != DType::kF32) {
    model.split_columns = std::max(model.split_columns, tensor.columns());
  }
}

bool IsWhole(const Tensor& tensor) {
  const auto layout = cuda::LayoutOf(tensor.dtype, tensor.rows(), tensor.columns());
  return layout && !cuda::IsFloat(layout->form);
}

// Gate and up travel together: in a file that has them apart, a slice is of twice the bytes.
void AddExperts(std::string_view name, const Tensor& tensor, ExpertLayer& layer) {
  layer.sides += SidesOf(name, tensor);
  layer.whole = layer.whole && IsWhole(tensor) && tensor.rank == 3;
  if (!layer.whole) return;
  const bool apart = Contains(name, ".ffn_gate_exps.") || Contains(name, ".ffn_up_exps.");
  const cuda::ExpertSlice slice = apart ? cuda::SliceOf({tensor, tensor}) : cuda::SliceOf({tensor});
  layer.slice = std::max(layer.slice, slice.bytes);
}

ModelSides CountWeights(const ModelFile& file, const ModelConfig& config) {
  ModelSides model;
  for (const auto& [name, tensor] : file.tensors()) {
    const int layer = LayerOf(name);
    if (layer >= config.layers) continue;  // for multi-token prediction, never loaded
    const MemoryPart part = PartOf(name);
    const bool routed = part == MemoryPart::kRoutedExperts;
    if (routed) {
      AddExperts(name, tensor, model.experts[layer]);
    } else {
      model.parts[part] += SidesOf(name, tensor);
    }
    if (routed || part == MemoryPart::kSharedExperts) {
      model.whole_experts = model.whole_experts || IsWhole(tensor);
    }
    if (part == MemoryPart::kAttention) CountDense(name, tensor, model);
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
          .rows_on_host = 0,
          .dense_columns = model.dense_columns,
          .split_columns = model.split_columns};
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
  int stream_rows = 0;
  std::int64_t passing = 0;    // bytes for experts that pass through
  std::int64_t workspace = 0;  // bytes
  std::int64_t least_bytes = 0;
};

// How many rows a step needs for experts to be brought to the card; 0: they never are.
int RowsToStream(const ModelSides& model, const ModelConfig& config, const PlanRequest& request) {
  constexpr int kLeast = 9;  // as many as a recorded step has, and one
  const auto passes = [](const auto& layer) { return layer.second.whole; };
  if (request.streaming == ExpertStreaming::kNever || model.experts.empty() ||
      !std::all_of(model.experts.begin(), model.experts.end(), passes)) {
    return 0;
  }
  if (request.streaming == ExpertStreaming::kAlways) return kLeast;
  std::int64_t bytes = 0;
  for (const auto& [layer, experts] : model.experts) bytes += experts.sides.card;
  cuda::StreamRates rates;
  if (request.link_speed > 0) rates.link = request.link_speed;
  const int rows = cuda::RowsToStream(
      bytes / static_cast<std::int64_t>(model.experts.size()),
      std::int64_t{3} * config.hidden * config.expert_inner * config.experts_chosen,
      request.threads, rates);
  return rows <= kPrefillChunk ? rows : 0;
}

// The routed experts of how many layers fit beside `taken`. `alone` and `shared`: the workspace
// when the card has all of them, and when the processor has some.
int LayersThatFit(const ModelSides& model, const PlanRequest& request, std::int64_t taken,
                  std::int64_t alone, std::int64_t shared) {
  int layers = 0;
  for (const auto& [number, experts] : model.experts) {
    const bool last = layers + 1 == static_cast<int>(model.experts.size());
    taken += experts.sides.card;
    const bool takes = experts.sides.card_can && layers < request.most_expert_layers;
    if (!takes || taken + (last ? alone : shared) > request.card_bytes) break;
    ++layers;
  }
  return layers;
}

// What the card takes. `fixed`: what is no weight and no workspace.
CardShare ShareOfCard(const ModelSides& model, const ModelConfig& config,
                      const PlanRequest& request, std::int64_t fixed) {
  CardShare share;
  for (const auto& [part, sides] : model.parts) {
    if (!sides.card_can) return {};
    fixed += sides.card;
  }
  cuda::WorkspaceShape shape = WorkspaceOf(config, model, request);
  const std::int64_t alone = cuda::WorkspaceBytes(shape);
  shape.rows_on_host = model.experts.empty() ? 0 : kPrefillChunk;
  share.workspace = cuda::WorkspaceBytes(shape);
  share.least_bytes = fixed + share.workspace;
  share.uses_card = share.least_bytes <= request.card_bytes;
  if (!share.uses_card) return share;
  const int layers = static_cast<int>(model.experts.size());
  share.expert_layers = LayersThatFit(model, request, fixed, alone, share.workspace);
  if (share.expert_layers == layers) {
    share.workspace = alone;
    return share;
  }
  const int rows = RowsToStream(model, config, request);
  std::int64_t passing = 0;
  for (const auto& [number, experts] : model.experts) {
    passing = std::max(passing, 2 * experts.slice);
  }
  shape.rows_on_host = rows - 1;
  if (rows == 0 || share.least_bytes + passing > request.card_bytes) return share;
  share.workspace = cuda::WorkspaceBytes(shape);
  share.stream_rows = rows;
  share.passing = passing;
  share.expert_layers = LayersThatFit(model, request, fixed + passing, alone, share.workspace);
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
  const std::int64_t opened_later = model.dense_columns > 0 ? kDenseLibraryBytes : 0;
  const std::int64_t runtime = request.runtime_loaded ? opened_later : kRuntimeBytes;

  MemoryPlan plan;
  plan.context_tokens = request.context_tokens;
  plan.expert_layers = static_cast<int>(model.experts.size());
  const CardShare share =
      ShareOfCard(model, config, request, cache + activations + runtime + kReserveBytes);
  plan.least_card_bytes = share.least_bytes;
  plan.uses_card = share.uses_card;
  plan.expert_layers_on_card = share.expert_layers;
  plan.stream_rows = share.stream_rows;
  for (const auto& [part, sides] : model.parts) AddWeights(plan, part, sides, plan.uses_card);
  int layer = 0;
  for (const auto& [number, experts] : model.experts) {
    const bool on_card = layer++ < plan.expert_layers_on_card;
    AddWeights(plan, MemoryPart::kRoutedExperts, experts.sides, on_card);
  }
  const MemoryHome home = plan.uses_card ? MemoryHome::kCard : MemoryHome::kProcessor;
  Add(plan, MemoryPart::kLatentCache, home, cache);
  Add(plan, MemoryPart::kActivations, home, activations);
  if (plan.uses_card) {
    Add(plan, MemoryPart::kPassingExperts, home, share.passing);
    Add(plan, MemoryPart::kWorkspace, home, share.workspace);
    Add(plan, MemoryPart::kRuntime, home, runtime);
    Add(plan, MemoryPart::kReserve, home, kReserveBytes);
  }
  const std::int64_t computer =
      plan.BytesAt(MemoryHome::kProcessor) + plan.BytesAt(MemoryHome::kFile);
  plan.fits = request.ram_bytes == 0 || computer <= request.ram_bytes;
  return plan;
}

}  // namespace paluku
