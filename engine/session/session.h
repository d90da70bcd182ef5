// Session: one loaded model at work: weights, activations, latent cache, prefix tree, and the one
// way to advance a sequence by a step. Owned by Engine, used by its thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/base/error.h"
#include "engine/model/activations.h"
#include "engine/model/latent_cache.h"
#include "engine/model/model_config.h"
#include "engine/model/transformer.h"
#include "engine/model/weights.h"
#include "engine/sampling/sampling_params.h"
#include "engine/session/prefix_tree.h"

namespace paluku {

struct SessionOptions {
  int context_tokens = 0;
  LatentType latent_type = LatentType::kF16;
  AttentionPath attention_path = AttentionPath::kAuto;
  int expert_layers_on_card = kAllLayers;  // see Weights::Load
  int stream_rows = 0;                     // see MemoryPlan
};

// How to choose a token from the last logits of a step.
struct Draw {
  const SamplingParams& params;
  std::span<const std::int32_t> history;  // tokens the penalties look at
};

class Session {
 public:
  // Errors: those of Weights::Load, and kOutOfMemory.
  static Result<std::unique_ptr<Session>> Create(Backend& backend,
                                                 std::shared_ptr<const ModelFile> file,
                                                 ModelConfig config, const SessionOptions& options,
                                                 const Weights::Progress& progress,
                                                 std::stop_token stop);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const ModelConfig& config() const { return config_; }
  const SessionOptions& options() const { return options_; }
  LatentCache& cache() { return cache_; }
  PrefixTree& prefix_tree() { return prefix_tree_; }

  // Makes room for `tokens` more in `sequence`, at the cost of the oldest kept prefixes.
  // Error: kContextFull.
  Status Reserve(LatentSequence& sequence, int tokens);

  // Rows that a step appends to one sequence.
  struct Part {
    LatentSequence* sequence = nullptr;
    std::span<const std::int32_t> tokens;  // at least one
  };
  // One forward pass over the tokens of all parts, at most kPrefillChunk, each appended to its own
  // sequence, with logits of `output_rows` (counted over all parts, ascending, at most
  // kMaxOutputs). On an error, kCancelled among them, the sequences keep their lengths. Errors:
  // also kContextFull, kDeviceFailed, kFileDamaged.
  Status Step(std::span<const Part> parts, std::span<const std::int32_t> output_rows,
              std::stop_token stop);
  Status Step(LatentSequence& sequence, std::span<const std::int32_t> tokens,
              std::span<const std::int32_t> output_rows, std::stop_token stop);
  // The same for one sequence, with a token chosen from the logits of its last row. Error: also
  // kFileDamaged when none of them is a number.
  Result<std::int32_t> StepAndDraw(LatentSequence& sequence, std::span<const std::int32_t> tokens,
                                   const Draw& draw, std::stop_token stop);
  // Logits of the first outputs of the last step, as many as `out` has room for.
  void ReadLogits(std::span<float> out);

  // Logits [positions, vocabulary] of `ids` from an empty cache: of the last position or of all.
  // Error: also kInvalidArgument for no ids, or one that the model does not have.
  Result<std::vector<float>> Logits(std::span<const std::int32_t> ids, bool all_positions);
  // kInvalidArgument unless `ids` are tokens of the model, at least one; kContextFull when they do
  // not fit.
  Status CheckTokens(std::span<const std::int32_t> ids) const;

 private:
  Session(Backend& backend, ModelConfig config, const SessionOptions& options, Weights weights,
          Activations activations, LatentCache cache);
  Status Run(std::span<const Part> parts, std::span<const std::int32_t> output_rows,
             const Draw* draw, std::stop_token stop);
  // Reserves the places of `parts` and describes them in step_.
  Status Prepare(std::span<const Part> parts);

  // The batch of the step in progress; sized once.
  struct StepRows {
    std::vector<std::int32_t> tokens;     // [rows]
    std::vector<std::int32_t> positions;  // [rows]
    std::vector<StepSequence> sequences;
  };

  Backend& backend_;
  ModelConfig config_;
  SessionOptions options_;
  Weights weights_;
  Activations activations_;
  LatentCache cache_;
  PrefixTree prefix_tree_;
  Transformer transformer_;
  StepRows step_;
};

}  // namespace paluku
