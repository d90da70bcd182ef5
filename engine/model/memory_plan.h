// MemoryPlan: how much memory a model takes, part by part, and where each part goes.
//
// Decided from the header of the file alone, before anything is allocated. A card takes a model as
// a whole or not at all; the processor uses most weights in place in the mapped file. The working
// memory of single operations is not in the sum. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/backend/latent_pages.h"
#include "engine/base/error.h"
#include "engine/loader/model_file.h"
#include "engine/model/model_config.h"

namespace paluku {

enum class MemoryPart : std::uint8_t {
  kEmbedding,
  kAttention,  // with norms, routers and the indexer: what is in every layer
  kDenseNetworks,
  kSharedExperts,
  kRoutedExperts,
  kLogits,  // the output matrix
  kLatentCache,
  kActivations,  // intermediates of a step
  kRuntime,      // the driver's own: context and libraries
  kReserve,      // left free for the display and other programs
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

struct PlanRequest {
  std::int64_t card_bytes = 0;  // free memory of the card; 0: there is none
  std::int64_t ram_bytes = 0;   // of the computer; 0: not known, everything fits
  int context_tokens = 0;
  LatentType latent_type = LatentType::kF16;
};

struct MemoryPlan {
  int context_tokens = 0;
  std::vector<PlannedMemory> parts;  // bytes > 0
  bool uses_card = false;            // false: the processor computes everything
  bool fits = true;                  // in the memory of the computer

  std::int64_t BytesAt(MemoryHome home) const;
};

// Errors: kInvalidArgument, a latent type that the model cannot have.
Result<MemoryPlan> PlanMemory(const ModelFile& file, const ModelConfig& config,
                              const PlanRequest& request);

}  // namespace paluku
