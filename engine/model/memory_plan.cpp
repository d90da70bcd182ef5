#include "engine/model/memory_plan.h"

#include <charconv>
#include <map>
#include <string_view>
#include <utility>

#include "engine/backend/cuda/weight_layout.h"
#include "engine/model/activations.h"
#include "engine/model/latent_cache.h"
#include "engine/model/weights.h"

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

using ModelSides = std::map<MemoryPart, Sides>;

ModelSides CountWeights(const ModelFile& file, const ModelConfig& config) {
  ModelSides model;
  for (const auto& [name, tensor] : file.tensors()) {
    if (LayerOf(name) >= config.layers) continue;  // for multi-token prediction, never loaded
    model[PartOf(name)] += SidesOf(name, tensor);
  }
  return model;
}

void Add(MemoryPlan& plan, MemoryPart part, MemoryHome home, std::int64_t bytes) {
  if (bytes > 0) plan.parts.push_back({part, home, bytes});
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

  std::int64_t needed = cache + activations + kRuntimeBytes + kReserveBytes;
  bool card_can = true;
  for (const auto& [part, sides] : model) {
    needed += sides.card;
    card_can = card_can && sides.card_can;
  }

  MemoryPlan plan;
  plan.context_tokens = request.context_tokens;
  plan.uses_card = card_can && needed <= request.card_bytes;
  for (const auto& [part, sides] : model) {
    if (plan.uses_card) {
      Add(plan, part, MemoryHome::kCard, sides.card);
    } else {
      Add(plan, part, MemoryHome::kProcessor, sides.processor);
      Add(plan, part, MemoryHome::kFile, sides.file);
    }
  }
  const MemoryHome home = plan.uses_card ? MemoryHome::kCard : MemoryHome::kProcessor;
  Add(plan, MemoryPart::kLatentCache, home, cache);
  Add(plan, MemoryPart::kActivations, home, activations);
  if (plan.uses_card) {
    Add(plan, MemoryPart::kRuntime, MemoryHome::kCard, kRuntimeBytes);
    Add(plan, MemoryPart::kReserve, MemoryHome::kCard, kReserveBytes);
  }
  const std::int64_t computer =
      plan.BytesAt(MemoryHome::kProcessor) + plan.BytesAt(MemoryHome::kFile);
  plan.fits = request.ram_bytes == 0 || computer <= request.ram_bytes;
  return plan;
}

}  // namespace paluku
