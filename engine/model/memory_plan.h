// MemoryPlan: how much memory a model takes, part by part, and where each part goes.
//
// Decided from the header of the file alone, before anything is allocated. A card takes everything
// but the routed experts first, then the routed experts of as many layers as fit; the processor
// computes those of the others, or, where even the first part does not fit, everything. It uses
// most weights in place in the mapped file. Steps of many rows may bring the experts of the others
// to the card, slice by slice, where an estimate says that this is faster; the memory for it is in
// the plan. The context is what was asked for: a plan never makes it shorter. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/backend/latent_pages.h"
#include "engine/base/error.h"
#include "engine/loader/model_file.h"
#include "engine/model/model_config.h"
#include "engine/model/weights.h"

namespace paluku {

enum class MemoryPart : std::uint8_t {
  kEmbedding,
  kAttention,  // with norms, routers and the indexer: what is in every layer
  kDenseNetworks,
  kSharedExperts,
  kRoutedExperts,
  kLogits,  // the output matrix
  kLatentCache,
  kActivations,     // intermediates of a step
  kPassingExperts,  // slices of those that are brought to a card for one step
  kWorkspace,       // of single operations, on a card; the processor's is small and not in the sum
  kRuntime,         // the driver's own: context and libraries
  kReserve,         // left free for the display and other programs
};

enum class MemoryHome : std::uint8_t {
  kCard,
  kProcessor,  // memory of its own
  kFile,       // used in place in the mapped file: the system can drop and read it again
};

struct PlannedMemory {
  MemoryPart part;
  MemoryHome home;
  std::int64_t bytes;
};

// Whether steps of many rows bring experts to the card.
enum class ExpertStreaming : std::uint8_t { kWhenFaster, kAlways, kNever };

struct PlanRequest {
  std::int64_t card_bytes = 0;  // free memory of the card; 0: there is none
  std::int64_t ram_bytes = 0;   // of the computer; 0: not known, everything fits
  double link_speed = 0;        // bytes a second to the card; 0: not known, a usual one
  int threads = 8;              // of the processor
  ExpertStreaming streaming = ExpertStreaming::kWhenFaster;
  int context_tokens = 0;
  LatentType latent_type = LatentType::kF16;
  int most_expert_layers = kAllLayers;  // on the card
  bool runtime_loaded = false;          // card_bytes are without what the driver takes
};

struct MemoryPlan {
  int context_tokens = 0;
  std::vector<PlannedMemory> parts;  // bytes > 0
  bool uses_card = false;            // false: the processor computes everything
  int expert_layers = 0;             // layers with routed experts,
  int expert_layers_on_card = 0;     // those of them, from the first, whose experts the card has
  // A step of at least so many rows brings the experts of the others to the card; 0: none does.
  int stream_rows = 0;
  // What a card must have free to take part; 0: it has no form for some type of weights.
  std::int64_t least_card_bytes = 0;
  bool fits = true;  // in the memory of the computer

  std::int64_t BytesAt(MemoryHome home) const;
};

// Errors: kInvalidArgument, a latent type that the model cannot have.
Result<MemoryPlan> PlanMemory(const ModelFile& file, const ModelConfig& config,
                              const PlanRequest& request);

}  // namespace paluku
