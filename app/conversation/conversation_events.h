// What the conversation service tells its listener, and the channel the events travel through.
//
// The engine's and the storage's threads push, the listener's thread drains. Only the push into an
// empty channel calls `wake`, so a listener has at most one wake-up pending; text of one reply that
// was not drained yet is joined into one event. Plain values; nothing here knows Qt.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/error.h"
#include "engine/session/engine.h"
#include "storage/records.h"

namespace paluku {

// Names one call of a verb of the service; events that answer it carry it. Never 0, never reused.
using RequestId = std::uint64_t;

// --- the model ---
struct ModelLoading {
  std::string path;
  std::int64_t done_bytes = 0;
  std::int64_t total_bytes = 0;
};
struct ModelReady {
  std::shared_ptr<const LoadedModel> model;
};
struct ModelFailed {
  std::string path;  // empty: no engine could be made
  Error error;
};
struct ModelUnloaded {};

// --- a turn ---
// The user's words and the empty reply are durable; the composer may be cleared.
struct TurnStored {
  RequestId request = 0;
  bool new_conversation = false;
  ConversationRecord conversation;
  MessageRecord user;   // the existing one for Regenerate
  MessageRecord reply;  // state kStreaming
};
// Nothing was stored and nothing will be answered: no model, disk full, stopped while waiting, ...
struct TurnRefused {
  RequestId request = 0;
  Error error;
};
struct ReplyReading {
  std::string message;  // id of the reply
  int done_tokens = 0;
  int total_tokens = 0;
};
struct ReplyText {
  std::string message;
  std::string text;        // to append to the answer
  std::string reasoning;   // to append to the reasoning
  int tokens = 0;          // generated so far
  int context_tokens = 0;  // tokens of this conversation in the context now
};
// The reply is durable in its final state, or `unsaved` says why it is not yet (it is tried again
// until it is).
struct ReplyFinished {
  RequestId request = 0;
  std::string message;
  MessageState state = MessageState::kComplete;
  MessageStats stats;
  int context_tokens = 0;
  std::optional<Error> error;    // why it failed, or that the context is full
  std::optional<Error> unsaved;  // why it could not be stored
};
// Writing a reply failed while it was being generated, or works again (error empty).
struct StoreTrouble {
  std::optional<Error> error;
};

// Tokens that a conversation's shown branch takes, answered to CountContext.
struct ContextCounted {
  std::string conversation;
  int tokens = 0;
};

using ConversationEvent =
    std::variant<ModelLoading, ModelReady, ModelFailed, ModelUnloaded, TurnStored, TurnRefused,
                 ReplyReading, ReplyText, ReplyFinished, StoreTrouble, ContextCounted>;

class EventChannel {
 public:
  // `wake` is called on the pushing thread and must return at once.
  explicit EventChannel(std::function<void()> wake) : wake_(std::move(wake)) {}

  void Push(ConversationEvent event);
  // Everything pushed since the last call, in order.
  std::vector<ConversationEvent> Drain();

 private:
  std::function<void()> wake_;
  std::mutex mutex_;
  std::vector<ConversationEvent> events_;
};

}  // namespace paluku
