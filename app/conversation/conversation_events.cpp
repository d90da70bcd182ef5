#include "app/conversation/conversation_events.h"

#include <utility>

namespace paluku {
namespace {

// Whether `next` only says more, or later, of what `last` said; then `last` becomes both.
bool Join(ConversationEvent& last, ConversationEvent& next) {
  if (auto* text = std::get_if<ReplyText>(&last)) {
    auto* more = std::get_if<ReplyText>(&next);
    if (more == nullptr || more->message != text->message) return false;
    text->text += more->text;
    text->reasoning += more->reasoning;
    text->tokens = more->tokens;
    text->context_tokens = more->context_tokens;
    return true;
  }
  const bool same_progress =
      (std::holds_alternative<ModelLoading>(last) && std::holds_alternative<ModelLoading>(next)) ||
      (std::holds_alternative<ReplyReading>(last) && std::holds_alternative<ReplyReading>(next));
  if (same_progress) last = std::move(next);
  return same_progress;
}

}  // namespace

void EventChannel::Push(ConversationEvent event) {
  bool was_empty = false;
  {
    const std::scoped_lock lock(mutex_);
    was_empty = events_.empty();
    if (was_empty || !Join(events_.back(), event)) events_.push_back(std::move(event));
  }
  if (was_empty) wake_();
}

std::vector<ConversationEvent> EventChannel::Drain() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(events_, {});
}

}  // namespace paluku
