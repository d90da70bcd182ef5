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
  releaser_ = std::jthread([this](const std::stop_token& stop) { Release(stop); });
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
  const std::scoped_lock lock(mutex_);
  tokens_ = tokens;
  if (token == think_open_) return Switch(true);
  if (token == think_close_) return Switch(false);
  // Padding and marks show nothing.
  const bool shown = token < tokenizer_.size() && !tokenizer_.IsControl(token);
  const bool held = stream_.holds_cluster();
  const std::string text = stream_.Push(shown ? tokenizer_.Piece(token) : std::string_view());
  PlanRelease(held, !text.empty());
  Emit(text);
}

// A cluster that grows keeps its time; one that begins after told text gets its own.
void AnswerText::PlanRelease(bool held_before, bool told) {
  if (!stream_.holds_cluster()) {
    release_at_.reset();
  } else if (!held_before || told) {
    release_at_ = Clock::now() + kLongestHold;
    changed_.notify_one();
  }
}

void AnswerText::Release(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    changed_.wait(lock, stop, [this] { return release_at_.has_value(); });
    if (!release_at_) continue;
    const Clock::time_point planned = *release_at_;
    const bool replaced =
        changed_.wait_until(lock, stop, planned, [&] { return release_at_ != planned; });
    if (replaced || stop.stop_requested()) continue;
    release_at_.reset();
    Emit(stream_.FlushCluster());
  }
}

void AnswerText::Finish() {
  releaser_.request_stop();
  releaser_.join();
  const std::scoped_lock lock(mutex_);
  Emit(stream_.Finish());
}

void AnswerText::Switch(bool reasoning) {
  Emit(stream_.Finish());
  release_at_.reset();
  stream_ = Utf8Stream();
  reasoning_ = reasoning;
}

void AnswerText::Emit(const std::string& text) {
  if (!text.empty()) sink_.OnText(text, reasoning_, tokens_);
}

}  // namespace paluku
