// ConversationService: the one place that turns a message tree into a prompt, runs the engine and
// stores the reply. The window and `paluku-cli chat` both stand on it.
//
// Owns the engine and the engine's thread. Verbs may be called from any thread, return at once and
// are worked off one after another; their outcome arrives through the event channel. Order of
// durability: the user's message is stored before the engine sees it, a reply is checkpointed at
// least every 250 ms or 64 tokens, whichever comes first. The destructor stops what runs, stores
// what was written and joins the thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/conversation/conversation_events.h"
#include "engine/base/error.h"
#include "engine/sampling/sampling_params.h"
#include "engine/session/engine.h"
#include "storage/storage.h"

namespace paluku {

// How to answer; values of the settings at the time of the call.
struct AnswerOptions {
  SamplingParams sampling;
  int max_tokens = 0;       // 0: until the model ends or the context is full
  std::string instruction;  // system prompt for conversations that have none of their own
};

struct SendRequest {
  std::string conversation;  // empty: a new one, titled after the text
  std::string parent;        // empty: the conversation's current leaf
  std::string text;
  AnswerOptions options;
};

struct RegenerateRequest {
  std::string user_message;  // the message to answer again
  AnswerOptions options;
};

struct ContinueRequest {
  std::string reply;  // an ended reply that nothing follows
  AnswerOptions options;
};

class ConversationService {
 public:
  // `storage` must outlive the service. `wake` as in EventChannel; it must stay callable until
  // `storage` is closed. Error: kInvalidArgument (unknown backend).
  static Result<std::unique_ptr<ConversationService>> Create(Storage& storage,
                                                             const EngineOptions& engine,
                                                             std::function<void()> wake);
  ~ConversationService();
  ConversationService(const ConversationService&) = delete;
  ConversationService& operator=(const ConversationService&) = delete;

  // Replaces the loaded model; a load under way is cancelled, a running reply is stopped.
  // Events: ModelLoading, then ModelReady or ModelFailed (kCancelled when replaced by a later
  // call).
  void LoadModel(const std::string& path, const LoadOptions& options);
  void UnloadModel();
  // Number of threads or backend changed: makes a new engine and loads the model again.
  void Reconfigure(const EngineOptions& engine);

  // A message sent while a model loads waits for it. Events: TurnStored or TurnRefused; then
  // ReplyReading, ReplyText, ReplyFinished. One reply is generated at a time. When the card fails
  // under a reply, what was written is stored, the reply ends as failed, and the model is made
  // ready on the processor: ModelLoading, ModelReady.
  RequestId Send(SendRequest request);
  // Another reply under an existing message of the user.
  RequestId Regenerate(RegenerateRequest request);
  // Writes on behind what a stopped, interrupted or cut reply says; events as Send(), ReplyText
  // brings only what is new.
  RequestId Continue(ContinueRequest request);
  // Ends the reply of `request`; without effect when it has ended.
  void Stop(RequestId request);

  // Tokens of the shown branch with the loaded model's template; answered by ContextCounted.
  void CountContext(const std::string& conversation, const std::string& instruction);

  // Events since the last call; for the thread that `wake` wakes.
  std::vector<ConversationEvent> Drain();

 private:
  class Impl;
  explicit ConversationService(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The first words of `text`, for a title: one line, cut at a word, at most 60 characters.
std::string TitleFromText(const std::string& text);

}  // namespace paluku
