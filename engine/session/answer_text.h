// AnswerText: turns the tokens of an answer into what the sink is told: whole characters, reasoning
// apart from the answer, a cluster held back for 100 ms at most, also when no token follows. Used
// by the engine's thread; a thread of its own gives free what was held back too long. The sink is
// told one thing at a time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <thread>

#include "engine/session/events.h"
#include "engine/text/chat_template.h"
#include "engine/text/tokenizer.h"
#include "engine/text/utf8_stream.h"

namespace paluku {

class AnswerText {
 public:
  // `chat_template` may be nullptr: then no token begins or ends reasoning. The `prompt` tells
  // whether the answer starts inside of it.
  AnswerText(const Tokenizer& tokenizer, const ChatTemplate* chat_template,
             std::span<const std::int32_t> prompt, EventSink& sink);

  // One generated token; `tokens` with it.
  void Push(std::int32_t token, int tokens);
  // Nothing comes after this: the sink is not called any more.
  void Finish();

 private:
  using Clock = std::chrono::steady_clock;
  // These want mutex_ to be held.
  void Emit(const std::string& text);
  void Switch(bool reasoning);
  void PlanRelease(bool held_before, bool told);
  bool StartsInReasoning(std::span<const std::int32_t> prompt) const;
  // The releasing thread.
  void Release(const std::stop_token& stop);

  const Tokenizer& tokenizer_;
  std::int32_t think_open_ = -1;  // -1: the vocabulary has no such token
  std::int32_t think_close_ = -1;
  EventSink& sink_;
  std::mutex mutex_;  // guards what follows, and the sink
  std::condition_variable_any changed_;
  Utf8Stream stream_;
  bool reasoning_ = false;
  int tokens_ = 0;
  std::optional<Clock::time_point> release_at_;  // of the cluster held back now
  std::jthread releaser_;                        // last: uses all of the above
};

}  // namespace paluku
