#include "engine/session/session.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <string>
#include <utility>

#include "engine/base/check.h"

namespace paluku {

Result<std::unique_ptr<Session>> Session::Create(Backend& backend,
                                                 std::shared_ptr<const ModelFile> file,
                                                 ModelConfig config, const SessionOptions& options,
                                                 const Weights::Progress& progress,
                                                 std::stop_token stop) {
  PALUKU_CHECK(options.context_tokens > 0);
  config.FitContext(options.context_tokens);
  PALUKU_ASSIGN_OR_RETURN(Weights weights,
                          Weights::Load(std::move(file), config, backend, progress, std::move(stop),
                                        options.expert_layers_on_card));
  weights.stream_rows = options.stream_rows;
  PALUKU_ASSIGN_OR_RETURN(Activations activations,
                          Activations::Create(backend, config, kPrefillChunk, kMaxOutputs));
  PALUKU_ASSIGN_OR_RETURN(
      LatentCache cache,
      LatentCache::Create(backend, config, options.latent_type, options.context_tokens));
  return std::unique_ptr<Session>(new Session(backend, std::move(config), options,
                                              std::move(weights), std::move(activations),
                                              std::move(cache)));
}

Session::Session(Backend& backend, ModelConfig config, const SessionOptions& options,
                 Weights weights, Activations activations, LatentCache cache)
    : backend_(backend),
      config_(std::move(config)),
      options_(options),
      weights_(std::move(weights)),
      activations_(std::move(activations)),
      cache_(std::move(cache)),
      prefix_tree_(cache_),
      transformer_(backend_, config_, weights_, activations_) {
  step_.tokens.reserve(kPrefillChunk);
  step_.positions.reserve(kPrefillChunk);
  step_.sequences.reserve(kPrefillChunk);
}

Status Session::Reserve(LatentSequence& sequence, int tokens) {
  if (tokens > options_.context_tokens - sequence.length()) {
    return Fail(ErrorCode::kContextFull, {}, std::to_string(options_.context_tokens));
  }
  while (sequence.PagesNeeded(tokens) > cache_.free_pages()) {
    if (!prefix_tree_.EvictOne()) {
      return Fail(ErrorCode::kContextFull, {}, std::to_string(options_.context_tokens));
    }
  }
  sequence.Reserve(tokens);
  return {};
}

Status Session::Step(std::span<const Part> parts, std::span<const std::int32_t> output_rows,
                     std::stop_token stop) {
  return Run(parts, output_rows, nullptr, std::move(stop));
}

Status Session::Step(LatentSequence& sequence, std::span<const std::int32_t> tokens,
                     std::span<const std::int32_t> output_rows, std::stop_token stop) {
  const Part part = {&sequence, tokens};
  return Run({&part, 1}, output_rows, nullptr, std::move(stop));
}

Result<std::int32_t> Session::StepAndDraw(LatentSequence& sequence,
                                          std::span<const std::int32_t> tokens, const Draw& draw,
                                          std::stop_token stop) {
  const Part part = {&sequence, tokens};
  const auto last = static_cast<std::int32_t>(tokens.size()) - 1;
  PALUKU_TRY(Run({&part, 1}, {&last, 1}, &draw, std::move(stop)));
  std::int32_t token = 0;
  backend_.Download(activations_.token.data, std::as_writable_bytes(std::span(&token, 1)));
  if (token < 0) {  // no logit is a number
    return Fail(ErrorCode::kFileDamaged, weights_.file->path(), "its weights give no answer");
  }
  return token;
}

Status Session::Prepare(std::span<const Part> parts) {
  step_.tokens.clear();
  step_.positions.clear();
  step_.sequences.clear();
  for (const Part& part : parts) {
    const int rows = static_cast<int>(part.tokens.size());
    PALUKU_CHECK(rows > 0);
    PALUKU_TRY(Reserve(*part.sequence, rows));
    const int cached = part.sequence->length();
    step_.sequences.push_back({.first_row = static_cast<int>(step_.tokens.size()),
                               .rows = rows,
                               .cached = cached,
                               .page_table = part.sequence->page_table()});
    step_.tokens.insert(step_.tokens.end(), part.tokens.begin(), part.tokens.end());
    for (int i = 0; i < rows; ++i) step_.positions.push_back(cached + i);
  }
  PALUKU_CHECK(!parts.empty() && step_.tokens.size() <= kPrefillChunk);
  return {};
}

Status Session::Run(std::span<const Part> parts, std::span<const std::int32_t> output_rows,
                    const Draw* draw, std::stop_token stop) {
  PALUKU_TRY(Prepare(parts));
  const StepBatch batch = {.tokens = step_.tokens,
                           .positions = step_.positions,
                           .sequences = step_.sequences,
                           .output_rows = output_rows};
  // Steps of one shape issue the same operations.
  const std::int64_t bucket = (static_cast<std::int64_t>(parts.size()) << 40) +
                              (std::int64_t{batch.rows()} << 16) +
                              static_cast<std::int64_t>(output_rows.size()) * 2 + (draw ? 1 : 0);
  const auto body = [&] {
    transformer_.Forward(batch, options_.attention_path);
    if (draw == nullptr) return;
    // The draw is numbered by the place of the token it chooses.
    const auto place = static_cast<std::uint64_t>(step_.positions.back()) + 1;
    backend_.Sample(activations_.logits.Slab(0), draw->params, draw->history, place,
                    activations_.token);
  };
  backend_.RunStep(bucket, batch, cache_.pages(), std::move(stop), std::cref(body));
  PALUKU_TRY(backend_.Synchronise());
  if (weights_.file->damaged()) {
    return Fail(ErrorCode::kFileDamaged, weights_.file->path(), "it was cut short while in use");
  }
  for (const Part& part : parts) part.sequence->Commit(static_cast<int>(part.tokens.size()));
  return {};
}

Status Session::CheckTokens(std::span<const std::int32_t> ids) const {
  if (ids.empty()) return Fail(ErrorCode::kInvalidArgument, "prompt", "it is empty");
  for (const std::int32_t id : ids) {
    if (id >= 0 && id < config_.vocabulary) continue;
    return Fail(ErrorCode::kInvalidArgument, "prompt",
                "the model has no token " + std::to_string(id));
  }
  if (ids.size() > static_cast<std::size_t>(options_.context_tokens)) {
    return Fail(ErrorCode::kContextFull, {}, std::to_string(options_.context_tokens));
  }
  return {};
}

Result<std::vector<float>> Session::Logits(std::span<const std::int32_t> ids, bool all_positions) {
  PALUKU_TRY(CheckTokens(ids));
  LatentSequence sequence(cache_);
  const std::size_t chunk = all_positions ? kMaxOutputs : kPrefillChunk;
  std::vector<std::int32_t> every_row(kMaxOutputs);
  std::iota(every_row.begin(), every_row.end(), 0);
  const auto vocabulary = static_cast<std::size_t>(config_.vocabulary);
  std::vector<float> logits((all_positions ? ids.size() : 1) * vocabulary);
  for (std::size_t first = 0; first < ids.size(); first += chunk) {
    const auto rows = ids.subspan(first, std::min(chunk, ids.size() - first));
    const auto last = static_cast<std::int32_t>(rows.size()) - 1;
    if (all_positions) {
      PALUKU_TRY(Step(sequence, rows, std::span(every_row).first(rows.size()), {}));
      ReadLogits(std::span(logits).subspan(first * vocabulary, rows.size() * vocabulary));
    } else if (first + rows.size() < ids.size()) {
      PALUKU_TRY(Step(sequence, rows, {}, {}));
    } else {
      PALUKU_TRY(Step(sequence, rows, {&last, 1}, {}));
      ReadLogits(logits);
    }
  }
  return logits;
}

void Session::ReadLogits(std::span<float> out) {
  backend_.Download(activations_.logits.data, std::as_writable_bytes(out));
}

}  // namespace paluku
