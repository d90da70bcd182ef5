// AnswerText: turns the tokens of an answer into what the sink is told: whole characters, reasoning
// apart from the answer, a cluster held back for 100 ms at most. Used by the engine's thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

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
  // Nothing comes after this.
  void Finish();

 private:
  using Clock = std::chrono::steady_clock;
  void Emit(const std::string& text);
  void Switch(bool reasoning);
  bool StartsInReasoning(std::span<const std::int32_t> prompt) const;

  const Tokenizer& tokenizer_;
  std::int32_t think_open_ = -1;  // -1: the vocabulary has no such token
  std::int32_t think_close_ = -1;
  EventSink& sink_;
  Utf8Stream stream_;
  bool reasoning_ = false;
  int tokens_ = 0;
  Clock::time_point held_since_;
};

}  // namespace paluku
