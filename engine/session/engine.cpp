#include "engine/session/engine.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <random>
#include <utility>

#include "engine/backend/cpu/worker_pool.h"
#include "engine/backend/registry.h"
#include "engine/base/log.h"
#include "engine/base/thread_checker.h"
#include "engine/loader/model_file.h"
#include "engine/model/memory_plan.h"
#include "engine/model/model_config.h"
#include "engine/session/generation_loop.h"
#include "engine/session/session.h"
#include "engine/text/vocabulary.h"

namespace paluku {
namespace {

// Deeper trees and larger tables than any model of today has a use for.
constexpr int kMaxContextTokens = 1 << 20;
constexpr std::uint32_t kBenchSeed = 1;

std::int64_t PlainBytesPerToken(const ModelConfig& config, const LatentPages& pages) {
  const std::int64_t plain =
      std::int64_t{config.heads} * (config.nope + config.rope + config.value) * config.layers;
  return plain * pages.latent_row_bytes() / (config.latent + config.rope);
}

// A tokenizer whose ids all have a row in the embedding.
Result<std::shared_ptr<const Tokenizer>> LoadTokenizer(const ModelFile& file,
                                                       const ModelConfig& config,
                                                       const std::stop_token& stop) {
  PALUKU_ASSIGN_OR_RETURN(Vocabulary vocabulary, VocabularyFromGguf(file));
  if (vocabulary.tokens.size() > static_cast<std::size_t>(config.vocabulary)) {
    return Fail(ErrorCode::kBadValue, file.path(),
                "tokenizer.ggml.tokens: more tokens than the model has rows for");
  }
  return Tokenizer::Create(std::move(vocabulary), stop);
}

// Layers of experts for the next smaller plan.
int Fewer(int expert_layers) { return expert_layers * 3 / 4; }

double SecondsOf(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int ContextTokens(int wanted, int model_tokens) {
  return std::min(wanted == 0 ? kDefaultContext : wanted, model_tokens);
}

struct Engine::Impl {
  BackendOptions backend_options;
  // Why the backend is the processor where it might have been a card.
  std::optional<Error> no_card;
  bool card_lost = false;
  // Layers whose experts the card may take when the model comes back after memory ran out under it;
  // negative: the processor takes everything.
  int next_expert_layers = kAllLayers;
  int expert_layers = 0;  // of the model that is loaded: with routed experts, and on the card
  int expert_layers_on_card = 0;
  std::unique_ptr<Backend> backend;
  std::unique_ptr<Session> session;  // uses the backend
  std::shared_ptr<const LoadedModel> model;
  std::optional<LatentSequence> bench;  // kept between measurements at the same depth
  ThreadChecker thread;

  int threads() const {
    return backend_options.threads > 0 ? backend_options.threads : PhysicalCores();
  }

  void Unload() {
    bench.reset();
    model.reset();
    session.reset();
  }

  // True when the processor may take over from the card after `error`: nobody asked for the card by
  // name, and it is the card's error.
  bool MayLeaveCard(const Error& error) const {
    return backend->name() == "cuda" && RequestedBackend(backend_options) == "auto" &&
           (error.code == ErrorCode::kOutOfMemory || error.code == ErrorCode::kDeviceFailed);
  }

  // Nothing may use the backend any more. A card that failed serves no more in this process.
  Status LeaveCard(const Error& error) {
    Log(LogLevel::kWarning, "computing on the CPU: " + error.Message());
    PALUKU_ASSIGN_OR_RETURN(backend,
                            CreateBackend({.name = "cpu", .threads = backend_options.threads}));
    expert_layers = expert_layers_on_card = 0;
    no_card = error;
    card_lost = error.code == ErrorCode::kDeviceFailed;
    return {};
  }

  // The largest plan that the card takes, and smaller ones while its memory turns out to be short.
  // The context is never made shorter for it.
  Result<std::unique_ptr<Session>> CreateOnCard(const std::shared_ptr<const ModelFile>& file,
                                                const ModelConfig& config, SessionOptions options,
                                                int most_expert_layers,
                                                const LoadProgress& progress,
                                                const std::stop_token& stop) {
    while (true) {
      const CardInfo card = backend->card();
      PALUKU_ASSIGN_OR_RETURN(const MemoryPlan plan,
                              PlanMemory(*file, config,
                                         {.card_bytes = card.free_bytes,
                                          .link_speed = card.link_speed,
                                          .threads = threads(),
                                          .context_tokens = options.context_tokens,
                                          .latent_type = options.latent_type,
                                          .most_expert_layers = most_expert_layers,
                                          .runtime_loaded = true}));
      if (!plan.uses_card) {
        return Fail(ErrorCode::kOutOfMemory, card.name, std::to_string(plan.least_card_bytes));
      }
      expert_layers = plan.expert_layers;
      expert_layers_on_card = options.expert_layers_on_card = plan.expert_layers_on_card;
      options.stream_rows = plan.stream_rows;
      auto made = Session::Create(*backend, file, config, options, progress, stop);
      const bool smaller = !made && made.error().code == ErrorCode::kOutOfMemory;
      if (!smaller || plan.expert_layers_on_card == 0) return made;
      most_expert_layers = Fewer(plan.expert_layers_on_card);
      Log(LogLevel::kWarning, "the card has too little memory: the next smaller plan");
    }
  }

  // Memory ran out, or the card failed, under the model that was loaded.
  Status ShrinkOrLeave(const Error& error) {
    const bool shrinks = error.code == ErrorCode::kOutOfMemory && expert_layers_on_card > 0;
    next_expert_layers = shrinks ? Fewer(expert_layers_on_card) : -1;
    return shrinks ? Status() : LeaveCard(error);
  }

  // A model that the card has no room for is computed by the processor; the next model tries the
  // card again.
  Result<std::unique_ptr<Session>> CreateSession(const std::shared_ptr<const ModelFile>& file,
                                                 const ModelConfig& config,
                                                 const SessionOptions& options,
                                                 const LoadProgress& progress,
                                                 const std::stop_token& stop) {
    const int most = std::exchange(next_expert_layers, kAllLayers);
    if (most >= 0 && no_card && no_card->code == ErrorCode::kOutOfMemory) {
      no_card.reset();
      PALUKU_ASSIGN_OR_RETURN(backend, CreateBackend(backend_options, &no_card));
    }
    expert_layers = expert_layers_on_card = 0;
    if (backend->name() != "cuda") {
      return Session::Create(*backend, file, config, options, progress, stop);
    }
    auto made = CreateOnCard(file, config, options, most, progress, stop);
    if (made || !MayLeaveCard(made.error())) return made;
    PALUKU_TRY(LeaveCard(made.error()));
    return Session::Create(*backend, file, config, options, progress, stop);
  }

  ModelHome Home() const {
    return {.card = backend->card().name,
            .no_card = no_card,
            .card_lost = card_lost,
            .expert_layers = expert_layers,
            .expert_layers_on_card = expert_layers_on_card};
  }

  std::vector<std::int32_t> RandomTokens(int count) const {
    std::mt19937 random(kBenchSeed);
    std::vector<std::int32_t> tokens(static_cast<std::size_t>(count));
    for (std::int32_t& token : tokens) {
      token = static_cast<std::int32_t>(random() %
                                        static_cast<std::uint32_t>(session->config().vocabulary));
    }
    return tokens;
  }

  // Computes `tokens` in chunks; logits of the last of them only.
  Status Prefill(LatentSequence& sequence, std::span<const std::int32_t> tokens) {
    while (!tokens.empty()) {
      const auto chunk = tokens.first(std::min<std::size_t>(tokens.size(), kPrefillChunk));
      tokens = tokens.subspan(chunk.size());
      const auto last = static_cast<std::int32_t>(chunk.size()) - 1;
      const std::span<const std::int32_t> outputs(&last, tokens.empty() ? 1 : 0);
      PALUKU_TRY(session->Step(sequence, chunk, outputs, {}));
    }
    return {};
  }

  // The measured sequence with `depth` tokens in it.
  Status PrepareBench(int tokens, int depth) {
    if (!model) return Fail(ErrorCode::kNoModel);
    if (tokens < 1 || depth < 0 || tokens > model->context_tokens - depth) {
      return Fail(ErrorCode::kContextFull, {}, std::to_string(model->context_tokens));
    }
    if (!bench) bench.emplace(session->cache());
    bench->Truncate(std::min(bench->length(), depth));
    return Prefill(*bench, RandomTokens(depth - bench->length()));
  }
};

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::Create(const EngineOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->backend_options = {.name = options.backend, .threads = options.threads};
  PALUKU_ASSIGN_OR_RETURN(impl->backend, CreateBackend(impl->backend_options, &impl->no_card));
  return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

Status Engine::Load(const std::string& path, const LoadOptions& options,
                    const LoadProgress& progress, std::stop_token stop) {
  impl_->thread.Check();
  Unload();
  if (options.context_tokens < 0 || options.context_tokens > kMaxContextTokens) {
    return Fail(ErrorCode::kInvalidArgument, "context", std::to_string(options.context_tokens));
  }
  PALUKU_ASSIGN_OR_RETURN(auto file, ModelFile::Open(path, stop));
  PALUKU_ASSIGN_OR_RETURN(ModelConfig config, ModelConfig::Parse(*file));
  if (stop.stop_requested()) return Fail(ErrorCode::kCancelled);
  auto model = std::make_shared<LoadedModel>();
  PALUKU_ASSIGN_OR_RETURN(model->tokenizer, LoadTokenizer(*file, config, stop));
  if (stop.stop_requested()) return Fail(ErrorCode::kCancelled);
  if (auto chat_template = ChatTemplate::Create(*model->tokenizer)) {
    model->chat_template = *chat_template;
  } else {
    model->template_error = chat_template.error();
  }
  model->card = DescribeModel(*file);
  model->context_tokens = ContextTokens(options.context_tokens, config.context_length);
  const SessionOptions session_options = {.context_tokens = model->context_tokens,
                                          .latent_type = options.latent_type,
                                          .attention_path = options.attention_path};
  PALUKU_ASSIGN_OR_RETURN(auto session,
                          impl_->CreateSession(file, config, session_options, progress, stop));
  const LatentPages& pages = session->cache().pages();
  model->latent_bytes_per_token = pages.row_bytes() * pages.layers;
  model->plain_bytes_per_token = PlainBytesPerToken(session->config(), pages);
  model->home = impl_->Home();
  impl_->session = std::move(session);
  impl_->model = std::move(model);
  return {};
}

void Engine::Unload() {
  impl_->thread.Check();
  impl_->Unload();
}

std::shared_ptr<const LoadedModel> Engine::model() const {
  impl_->thread.Check();
  return impl_->model;
}

Result<GenerationResult> Engine::Generate(const GenerationRequest& request, EventSink& sink,
                                          std::stop_token stop) {
  impl_->thread.Check();
  if (!impl_->model) return Fail(ErrorCode::kNoModel);
  impl_->bench.reset();
  auto result =
      GenerationLoop(*impl_->session, *impl_->model, request, sink, std::move(stop)).Run();
  if (!result && impl_->MayLeaveCard(result.error())) {
    Unload();
    PALUKU_TRY(impl_->ShrinkOrLeave(result.error()));
  }
  return result;
}

Result<std::vector<float>> Engine::Logits(std::span<const std::int32_t> ids, bool all_positions) {
  impl_->thread.Check();
  if (!impl_->model) return Fail(ErrorCode::kNoModel);
  impl_->bench.reset();
  return impl_->session->Logits(ids, all_positions);
}

Result<double> Engine::BenchPrefill(int tokens, int depth) {
  impl_->thread.Check();
  PALUKU_TRY(impl_->PrepareBench(tokens, depth));
  const std::vector<std::int32_t> ids = impl_->RandomTokens(tokens);
  Status status;
  const double seconds = SecondsOf([&] { status = impl_->Prefill(*impl_->bench, ids); });
  PALUKU_TRY(status);
  return tokens / seconds;
}

Result<double> Engine::BenchDecode(int tokens, int depth) {
  impl_->thread.Check();
  PALUKU_TRY(impl_->PrepareBench(tokens, depth));
  const std::vector<std::int32_t> ids = impl_->RandomTokens(tokens);
  Status status;
  const double seconds = SecondsOf([&] {
    for (const std::int32_t& id : ids) {
      if (status) status = impl_->Prefill(*impl_->bench, {&id, 1});
    }
  });
  PALUKU_TRY(status);
  return tokens / seconds;
}

int Engine::cached_tokens() const {
  impl_->thread.Check();
  return impl_->session ? impl_->session->prefix_tree().tokens() : 0;
}

}  // namespace paluku
