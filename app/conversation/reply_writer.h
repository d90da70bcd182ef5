// ReplyWriter: takes the text of one reply from the engine, tells it to the event channel and keeps
// it durable.
//
// Lives on the engine's thread for the length of one generation. It never waits for the disk:
// checkpoints are handed to the storage thread, at most one on its way at a time. Owner:
// ConversationService.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "app/conversation/conversation_events.h"
#include "engine/session/events.h"
#include "storage/storage.h"

namespace paluku {

class ReplyWriter : public EventSink {
 public:
  // What is written but not stored yet is at most this old, and at most this many tokens long.
  static constexpr std::chrono::milliseconds kCheckpointInterval{250};
  static constexpr int kCheckpointTokens = 64;

  // `reply` as it is stored: what it says already stays in front of what is written now.
  ReplyWriter(Storage& storage, std::shared_ptr<EventChannel> channel, const MessageRecord& reply,
              int prompt_tokens);

  void OnPrefill(int done, int total) override;
  void OnText(std::string_view text, bool reasoning, int tokens) override;

  const std::string& text() const { return text_; }
  // Nothing when the model did not reason.
  std::optional<std::string> reasoning() const;

 private:
  using Clock = std::chrono::steady_clock;

  // True when waiting for the next piece would leave text unstored for too long.
  bool CheckpointIsDue(Clock::time_point now, int tokens) const;
  void Checkpoint(Clock::time_point now, int tokens);

  Storage& storage_;
  const std::shared_ptr<EventChannel> channel_;  // shared: a checkpoint may end after the reply
  const std::string message_;
  const int prompt_tokens_;
  std::string text_;
  std::string reasoning_;
  int stored_tokens_ = 0;
  Clock::time_point stored_at_ = Clock::now();
  Clock::time_point last_piece_ = stored_at_;
  Clock::duration
      piece_interval_{};  // between the last two pieces: a guess of when the next one comes
  // Shared with the storage thread, which may finish after this object.
  struct Pending {
    std::atomic<bool> on_its_way{false};
    std::atomic<bool> failed{false};
  };
  std::shared_ptr<Pending> pending_ = std::make_shared<Pending>();
};

}  // namespace paluku
