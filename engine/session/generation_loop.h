// GenerationLoop: answers one prompt. Prefill of what the cache does not hold yet, then one token
// after another until the model, a limit or the user ends it. Lives for one request, on the
// engine's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "engine/session/answer_text.h"
#include "engine/session/engine.h"
#include "engine/session/session.h"

namespace paluku {

class GenerationLoop {
 public:
  GenerationLoop(Session& session, const LoadedModel& model, const GenerationRequest& request,
                 EventSink& sink, std::stop_token stop);
  // Errors: kInvalidArgument (the prompt), and those of Session::Step.
  Result<GenerationResult> Run();

 private:
  using Clock = std::chrono::steady_clock;
  void ReusePrefix();
  Result<std::int32_t> Prefill();
  Result<StopReason> Decode(std::int32_t token);
  bool EndsAnswer(std::int32_t token) const;
  Draw CurrentDraw() const { return {request_.sampling, tokens_}; }
  double SecondsSince(Clock::time_point start) const;

  Session& session_;
  const LoadedModel& model_;
  const GenerationRequest& request_;
  EventSink& sink_;
  std::stop_token stop_;
  LatentSequence sequence_;
  AnswerText text_;
  std::vector<std::int32_t> tokens_;  // prompt and answer
  GenerationResult result_;
  const Clock::time_point start_ = Clock::now();
};

}  // namespace paluku
