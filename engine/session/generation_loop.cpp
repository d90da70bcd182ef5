#include "engine/session/generation_loop.h"

#include <algorithm>
#include <string>
#include <utility>

namespace paluku {

GenerationLoop::GenerationLoop(Session& session, const LoadedModel& model,
                               const GenerationRequest& request, EventSink& sink,
                               std::stop_token stop)
    : session_(session),
      model_(model),
      request_(request),
      sink_(sink),
      stop_(std::move(stop)),
      sequence_(session.cache()),
      text_(*model.tokenizer, model.chat_template.get(), request.prompt, sink),
      tokens_(request.prompt) {
  tokens_.reserve(static_cast<std::size_t>(model.context_tokens) + 1);
}

Result<GenerationResult> GenerationLoop::Run() {
  PALUKU_TRY(session_.CheckTokens(request_.prompt));
  ReusePrefix();
  Result<StopReason> reason = Prefill().and_then([&](std::int32_t token) { return Decode(token); });
  text_.Finish();
  // What was computed stays useful however the answer ended.
  const std::span<const std::int32_t> cached(tokens_.data(),
                                             static_cast<std::size_t>(sequence_.length()));
  session_.prefix_tree().Insert(cached, sequence_.page_table());
  if (!reason && reason.error().code == ErrorCode::kCancelled) reason = StopReason::kCancelled;
  if (!reason) return tl::unexpected(std::move(reason).error());
  result_.reason = *reason;
  return std::move(result_);
}

// At least the last token of the prompt is computed: its logits are wanted.
void GenerationLoop::ReusePrefix() {
  const std::span<const std::int32_t> prompt(request_.prompt);
  const PrefixTree::Match match = session_.prefix_tree().Find(prompt.first(prompt.size() - 1));
  sequence_.Adopt(match.pages, match.tokens);
  result_.stats.prompt_tokens = static_cast<int>(prompt.size());
  result_.stats.reused_tokens = match.tokens;
}

// Computes the rest of the prompt; gives the first token of the answer.
Result<std::int32_t> GenerationLoop::Prefill() {
  const int total = static_cast<int>(request_.prompt.size());
  sink_.OnPrefill(sequence_.length(), total);
  while (true) {
    const int done = sequence_.length();
    const int count = std::min(total - done, kPrefillChunk);
    const auto chunk = std::span(request_.prompt).subspan(done, count);
    if (done + count < total) {
      PALUKU_TRY(session_.Step(sequence_, chunk, {}, stop_));
      sink_.OnPrefill(sequence_.length(), total);
      continue;
    }
    const Result<std::int32_t> token = session_.StepAndDraw(sequence_, chunk, CurrentDraw(), stop_);
    result_.stats.prefill_seconds = SecondsSince(start_);
    if (!token) return token;
    sink_.OnPrefill(total, total);
    result_.stats.first_token_seconds = result_.stats.prefill_seconds;
    return token;
  }
}

Result<StopReason> GenerationLoop::Decode(std::int32_t token) {
  const Clock::time_point start = Clock::now();
  while (!EndsAnswer(token)) {
    tokens_.push_back(token);
    result_.tokens.push_back(token);
    const int generated = ++result_.stats.generated_tokens;
    text_.Push(token, generated);
    result_.stats.decode_seconds = SecondsSince(start);
    if (generated == request_.max_tokens) return StopReason::kTokenLimit;
    if (sequence_.length() == model_.context_tokens) return StopReason::kContextFull;
    PALUKU_ASSIGN_OR_RETURN(
        token, session_.StepAndDraw(sequence_, {&tokens_.back(), 1}, CurrentDraw(), stop_));
  }
  return StopReason::kEndOfTurn;
}

bool GenerationLoop::EndsAnswer(std::int32_t token) const {
  if (token < model_.tokenizer->size() && model_.tokenizer->IsEndOfGeneration(token)) return true;
  if (model_.chat_template == nullptr) return false;
  const auto stops = model_.chat_template->stop_tokens();
  return std::find(stops.begin(), stops.end(), token) != stops.end();
}

double GenerationLoop::SecondsSince(Clock::time_point start) const {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace paluku
