#include "engine/session/answer_text.h"

namespace paluku {
namespace {

constexpr auto kLongestHold = std::chrono::milliseconds(100);

}  // namespace

AnswerText::AnswerText(const Tokenizer& tokenizer, const ChatTemplate* chat_template,
                       std::span<const std::int32_t> prompt, EventSink& sink)
    : tokenizer_(tokenizer), sink_(sink) {
  if (chat_template != nullptr) {
    think_open_ = chat_template->think_open().value_or(-1);
    think_close_ = chat_template->think_close().value_or(-1);
  }
  reasoning_ = StartsInReasoning(prompt);
}

// A template may open the reasoning itself: then <think> stands behind the last mark of a turn.
bool AnswerText::StartsInReasoning(std::span<const std::int32_t> prompt) const {
  for (std::size_t i = prompt.size(); i > 0; --i) {
    const std::int32_t token = prompt[i - 1];
    if (token < 0 || token >= tokenizer_.size()) return false;
    if (token == think_open_) return true;
    if (token == think_close_ || tokenizer_.IsControl(token)) return false;
  }
  return false;
}

void AnswerText::Push(std::int32_t token, int tokens) {
  tokens_ = tokens;
  if (token == think_open_) return Switch(true);
  if (token == think_close_) return Switch(false);
  // Padding and marks show nothing, but time passes for what is held back.
  const bool shown = token < tokenizer_.size() && !tokenizer_.IsControl(token);
  const bool held = stream_.holds_cluster();
  std::string text = stream_.Push(shown ? tokenizer_.Piece(token) : std::string_view());
  const Clock::time_point now = Clock::now();
  if (!held || !text.empty()) held_since_ = now;
  if (stream_.holds_cluster() && now - held_since_ >= kLongestHold) text += stream_.FlushCluster();
  Emit(text);
}

void AnswerText::Finish() { Emit(stream_.Finish()); }

void AnswerText::Switch(bool reasoning) {
  Finish();
  stream_ = Utf8Stream();
  reasoning_ = reasoning;
}

void AnswerText::Emit(const std::string& text) {
  if (!text.empty()) sink_.OnText(text, reasoning_, tokens_);
}

}  // namespace paluku
