#include "app/conversation/reply_writer.h"

#include <utility>

namespace paluku {

ReplyWriter::ReplyWriter(Storage& storage, std::shared_ptr<EventChannel> channel,
                         const MessageRecord& reply, int prompt_tokens)
    : storage_(storage),
      channel_(std::move(channel)),
      message_(reply.id),
      prompt_tokens_(prompt_tokens),
      text_(reply.text),
      reasoning_(reply.reasoning.value_or(std::string())) {}

std::optional<std::string> ReplyWriter::reasoning() const {
  if (reasoning_.empty()) return std::nullopt;
  return reasoning_;
}

void ReplyWriter::OnPrefill(int done, int total) {
  channel_->Push(ReplyReading{message_, done, total});
}

void ReplyWriter::OnText(std::string_view text, bool reasoning, int tokens) {
  (reasoning ? reasoning_ : text_) += text;
  ReplyText event{
      .message = message_, .text = {}, .reasoning = {}, .tokens = tokens, .context_tokens = 0};
  (reasoning ? event.reasoning : event.text) = std::string(text);
  event.context_tokens = prompt_tokens_ + tokens;
  channel_->Push(std::move(event));

  const Clock::time_point now = Clock::now();
  piece_interval_ = now - last_piece_;
  last_piece_ = now;
  if (CheckpointIsDue(now, tokens)) Checkpoint(now, tokens);
}

bool ReplyWriter::CheckpointIsDue(Clock::time_point now, int tokens) const {
  if (pending_->on_its_way.load()) return false;
  return tokens - stored_tokens_ >= kCheckpointTokens ||
         now - stored_at_ + piece_interval_ >= kCheckpointInterval;
}

void ReplyWriter::Checkpoint(Clock::time_point now, int tokens) {
  stored_tokens_ = tokens;
  stored_at_ = now;
  pending_->on_its_way.store(true);
  storage_.Post(
      [message = message_, text = text_, thought = reasoning()](Stores& stores) {
        return stores.conversations.Checkpoint(message, text, thought);
      },
      [pending = pending_, channel = channel_](const Status& status) {
        const bool failed_before = pending->failed.exchange(!status);
        if (!status) {
          channel->Push(StoreTrouble{status.error()});
        } else if (failed_before) {
          channel->Push(StoreTrouble{});
        }
        pending->on_its_way.store(false);
      });
}

}  // namespace paluku
