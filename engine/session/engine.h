// Engine: the facade of paluku_engine. Owns a backend, at most one loaded model and its latent
// cache.
//
// One thread calls it, the first that does; a stop token may be set from any thread. What model()
// points to is constant and stays valid on any thread as long as the shared pointer is held.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/base/error.h"
#include "engine/loader/model_card.h"
#include "engine/sampling/sampling_params.h"
#include "engine/session/events.h"
#include "engine/text/chat_template.h"
#include "engine/text/tokenizer.h"

namespace paluku {

struct EngineOptions {
  std::string backend = "auto";  // see registry.h
  int threads = 0;               // 0: one per physical core
};

struct LoadOptions {
  int context_tokens = 0;  // 0: the model's own, at most kDefaultContext
  LatentType latent_type = LatentType::kF16;
  AttentionPath attention_path = AttentionPath::kAuto;
};
inline constexpr int kDefaultContext = 32'768;
// What a wish of `wanted` tokens, 0 for none, comes to with a model that was trained on
// `model_tokens`.
int ContextTokens(int wanted, int model_tokens);

// Bytes made ready so far, of `total`.
using LoadProgress = std::function<void(std::int64_t done, std::int64_t total)>;

// What computes a loaded model.
struct ModelHome {
  std::string card;  // "NVIDIA GeForce RTX 4070"; empty: the processor
  // Why "auto" came to the processor: kDeviceFailed, there is no card or it failed; kOutOfMemory,
  // the model does not fit on it.
  std::optional<Error> no_card;
  bool card_lost = false;  // it failed while it computed; used again by the next process
  // Layers with routed experts, and those of them whose experts the card has; the processor
  // computes the others.
  int expert_layers = 0;
  int expert_layers_on_card = 0;
};

// What a loaded model is and costs.
struct LoadedModel {
  ModelCard card;
  ModelHome home;
  int context_tokens = 0;
  std::int64_t latent_bytes_per_token = 0;  // layers * row bytes of the latent cache
  std::int64_t plain_bytes_per_token =
      0;  // the same model keeping keys and values of every head, same precision
  std::shared_ptr<const Tokenizer> tokenizer;
  std::shared_ptr<const ChatTemplate> chat_template;  // nullptr: the file's template is not known
  Error template_error;                               // why it is nullptr
};

struct GenerationRequest {
  std::vector<std::int32_t> prompt;  // from RenderChat or Tokenizer; BOS included
  int max_tokens = 0;                // 0: until the context is full
  SamplingParams sampling;
};

struct GenerationResult {
  StopReason reason = StopReason::kEndOfTurn;
  GenerationStats stats;
  std::vector<std::int32_t> tokens;  // generated, the end-of-turn token not included
};

class Engine {
 public:
  static Result<std::unique_ptr<Engine>> Create(const EngineOptions& options);
  ~Engine();

  // Replaces the loaded model. On an error no model is loaded. Errors: see ModelFile, ModelConfig,
  // Weights; kOutOfMemory; kCancelled within 250 ms of the stop request.
  Status Load(const std::string& path, const LoadOptions& options, const LoadProgress& progress,
              std::stop_token stop);
  void Unload();
  std::shared_ptr<const LoadedModel> model() const;  // nullptr: none

  // Answers one prompt. Reuses the longest prefix of the prompt that the latent cache holds. Text
  // already given to the sink stays valid when an error ends the generation. Errors: kNoModel,
  // kContextFull (the prompt alone does not fit), kFileDamaged, kDeviceFailed. A stop request is
  // not an error: reason kCancelled. When the card fails or has no memory left, and nobody asked
  // for it by name, no model is loaded afterwards: Load() then takes a smaller plan, or
  // the processor.
  Result<GenerationResult> Generate(const GenerationRequest& request, EventSink& sink,
                                    std::stop_token stop);

  // Logits [positions, vocabulary] of `ids`: of the last position or of all. Bypasses the prefix
  // cache.
  Result<std::vector<float>> Logits(std::span<const std::int32_t> ids, bool all_positions);

  // Timing for `paluku-cli bench`: tokens per second.
  // Prefill of `tokens` random tokens on top of `depth` cached ones; decode of `tokens` tokens
  // likewise.
  Result<double> BenchPrefill(int tokens, int depth);
  Result<double> BenchDecode(int tokens, int depth);

  // Tokens whose latents are kept now, for the meter.
  int cached_tokens() const;

 private:
  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace paluku
