#include "app/conversation/conversation_service.h"

#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

#include "app/conversation/job_queue.h"
#include "app/conversation/reply_writer.h"
#include "engine/base/check.h"
#include "engine/base/log.h"

namespace paluku {
namespace {

constexpr std::chrono::seconds kRetryInterval{2};

MessageState StateOf(StopReason reason) {
  switch (reason) {
    case StopReason::kEndOfTurn:
      return MessageState::kComplete;
    case StopReason::kTokenLimit:
    case StopReason::kContextFull:
      return MessageState::kLength;
    case StopReason::kCancelled:
      break;
  }
  return MessageState::kStopped;
}

MessageStats StatsOf(const GenerationStats& stats) {
  return {.token_count = stats.generated_tokens,
          .tokens_per_second =
              stats.decode_seconds > 0 ? stats.generated_tokens / stats.decode_seconds : 0.0,
          .first_token_ms = static_cast<std::int64_t>(stats.first_token_seconds * 1000)};
}

// The turns of a branch as the template wants them. A reply that failed before its first word says
// nothing.
std::vector<ChatMessage> ChatOf(const std::vector<MessageRecord>& branch,
                                const std::string& instruction) {
  std::vector<ChatMessage> chat;
  if (!instruction.empty()) chat.push_back({ChatRole::kSystem, instruction});
  for (const MessageRecord& message : branch) {
    switch (message.role) {
      case MessageRole::kUser:
        chat.push_back({ChatRole::kUser, message.text});
        break;
      case MessageRole::kAssistant:
        if (!message.text.empty())
          chat.push_back({ChatRole::kAssistant, message.text, message.reasoning.value_or("")});
        break;
      case MessageRole::kSystem:
        chat.push_back({ChatRole::kSystem, message.text});
        break;
    }
  }
  return chat;
}

// The prompt for the next reply to `branch`. Errors: kNoModel, those of the template.
Result<std::vector<std::int32_t>> Prompt(const LoadedModel* model,
                                         const std::vector<MessageRecord>& branch,
                                         const std::string& instruction) {
  if (model == nullptr) return Fail(ErrorCode::kNoModel);
  if (!model->chat_template) return tl::unexpected(model->template_error);
  const std::vector<ChatMessage> chat = ChatOf(branch, instruction);
  return RenderChat(*model->chat_template, *model->tokenizer, chat);
}

// Puts what a reply says already behind the prompt, as if the model had just written it.
void AppendReply(const LoadedModel& model, const MessageRecord& reply,
                 std::vector<std::int32_t>& prompt) {
  const auto append = [&](const std::string& text) {
    const auto ids = model.tokenizer->Encode(text, SpecialTokens::kAsText);
    prompt.insert(prompt.end(), ids.begin(), ids.end());
  };
  const std::optional<std::int32_t> open = model.chat_template->think_open();
  const std::optional<std::int32_t> close = model.chat_template->think_close();
  const bool in_reasoning = model.chat_template->starts_in_reasoning(false);
  if (reply.reasoning && open && !in_reasoning) prompt.push_back(*open);
  if (reply.reasoning) append(*reply.reasoning);
  if (reply.text.empty()) return;
  if (close && (reply.reasoning || in_reasoning)) prompt.push_back(*close);
  append(reply.text);
}

// What a job finds stored when it begins to answer.
struct StoredTurn {
  bool new_conversation = false;
  ConversationRecord conversation;
  MessageRecord user;
  MessageRecord reply;
  std::vector<MessageRecord> branch;  // root .. user
};

Result<StoredTurn> CompleteTurn(ConversationStore& store, StoredTurn turn) {
  PALUKU_ASSIGN_OR_RETURN(turn.conversation, store.Get(turn.user.conversation));
  PALUKU_ASSIGN_OR_RETURN(turn.branch, store.Path(turn.user.id));
  return turn;
}

Result<StoredTurn> StoreTurn(ConversationStore& store, const SendRequest& request,
                             const std::string& model) {
  StoredTurn turn;
  TurnRequest begin{.conversation = request.conversation,
                    .parent = request.parent,
                    .text = request.text,
                    .model = model};
  if (begin.conversation.empty()) {
    PALUKU_ASSIGN_OR_RETURN(
        const ConversationRecord created,
        store.Create({.title = TitleFromText(request.text), .instruction = {}, .model = {}}));
    begin.conversation = created.id;
    turn.new_conversation = true;
  } else if (begin.parent.empty()) {
    PALUKU_ASSIGN_OR_RETURN(const ConversationRecord known, store.Get(begin.conversation));
    begin.parent = known.current_leaf;
    turn.new_conversation = begin.parent.empty();
  }
  PALUKU_ASSIGN_OR_RETURN(Turn begun, store.BeginTurn(begin));
  turn.user = std::move(begun.user);
  turn.reply = std::move(begun.reply);
  return CompleteTurn(store, std::move(turn));
}

Result<StoredTurn> StoreReply(ConversationStore& store, const std::string& user_message,
                              const std::string& model) {
  StoredTurn turn;
  PALUKU_ASSIGN_OR_RETURN(turn.user, store.Message(user_message));
  PALUKU_ASSIGN_OR_RETURN(turn.reply, store.BeginReply(user_message, model));
  return CompleteTurn(store, std::move(turn));
}

Result<StoredTurn> StoreContinuation(ConversationStore& store, const std::string& reply) {
  StoredTurn turn;
  PALUKU_ASSIGN_OR_RETURN(turn.reply, store.ContinueReply(reply));
  PALUKU_ASSIGN_OR_RETURN(turn.user, store.Message(turn.reply.parent));
  return CompleteTurn(store, std::move(turn));
}

}  // namespace

class ConversationService::Impl {
 public:
  Impl(Storage& storage, std::unique_ptr<Engine> engine, std::function<void()> wake)
      : storage_(storage),
        channel_(std::make_shared<EventChannel>(std::move(wake))),
        engine_(std::move(engine)),
        queue_(kRetryInterval, [this] { return RetryUnsaved(); }) {}

  ~Impl() {
    {
      const std::scoped_lock lock(mutex_);
      closing_ = true;
      load_stop_.request_stop();
      for (auto& [id, source] : requests_) source.request_stop();
    }
    queue_.Post([this] {
      engine_.reset();
      RetryUnsaved();
    });
  }

  void LoadModel(const std::string& path, const LoadOptions& options) {
    std::stop_token stop = RenewLoadStop();
    queue_.Post([this, path, options, stop] { Load(path, options, stop); });
  }

  void UnloadModel() {
    RenewLoadStop();
    queue_.Post([this] {
      wanted_.reset();
      engine_->Unload();
      channel_->Push(ModelUnloaded{});
    });
  }

  void Reconfigure(const EngineOptions& options) {
    std::stop_token stop = RenewLoadStop();
    queue_.Post([this, options, stop] {
      Result<std::unique_ptr<Engine>> engine = Engine::Create(options);
      if (!engine) {
        channel_->Push(ModelFailed{{}, engine.error()});
        return;
      }
      engine_ = std::move(*engine);
      if (const auto wanted = wanted_) Load(wanted->first, wanted->second, stop);
    });
  }

  RequestId Send(SendRequest request) {
    const auto [request_id, token] = NewRequest();
    queue_.Post([this, id = request_id, stop = token, request = std::move(request)] {
      Answer(id, stop, request.options, [&](ConversationStore& store, const std::string& model) {
        return StoreTurn(store, request, model);
      });
    });
    return request_id;
  }

  RequestId Regenerate(RegenerateRequest request) {
    const auto [request_id, token] = NewRequest();
    queue_.Post([this, id = request_id, stop = token, request = std::move(request)] {
      Answer(id, stop, request.options, [&](ConversationStore& store, const std::string& model) {
        return StoreReply(store, request.user_message, model);
      });
    });
    return request_id;
  }

  RequestId Continue(ContinueRequest request) {
    const auto [request_id, token] = NewRequest();
    queue_.Post([this, id = request_id, stop = token, request = std::move(request)] {
      Answer(id, stop, request.options, [&](ConversationStore& store, const std::string&) {
        return StoreContinuation(store, request.reply);
      });
    });
    return request_id;
  }

  void Stop(RequestId id) {
    const std::scoped_lock lock(mutex_);
    if (const auto found = requests_.find(id); found != requests_.end())
      found->second.request_stop();
  }

  void CountContext(const std::string& conversation, const std::string& instruction) {
    queue_.Post([this, conversation, instruction] {
      if (const Result<int> tokens = TokensOf(conversation, instruction))
        channel_->Push(ContextCounted{conversation, *tokens});
    });
  }

  std::vector<ConversationEvent> Drain() { return channel_->Drain(); }

 private:
  struct Unsaved {
    RequestId request;
    std::string message;
    ReplyEnd end;
  };

  std::stop_token LoadStop() {
    const std::scoped_lock lock(mutex_);
    return load_stop_.get_token();
  }

  // Stops the load and the reply under way; returns the token for the next load.
  std::stop_token RenewLoadStop() {
    const std::scoped_lock lock(mutex_);
    load_stop_.request_stop();
    load_stop_ = std::stop_source();
    if (const auto found = requests_.find(running_); found != requests_.end())
      found->second.request_stop();
    return load_stop_.get_token();
  }

  std::pair<RequestId, std::stop_token> NewRequest() {
    const std::scoped_lock lock(mutex_);
    const RequestId id = next_request_++;
    return {id, requests_[id].get_token()};
  }

  void SetRunning(RequestId id) {
    const std::scoped_lock lock(mutex_);
    running_ = id;
  }

  void Forget(RequestId id) {
    const std::scoped_lock lock(mutex_);
    requests_.erase(id);
    if (running_ == id) running_ = 0;
  }

  bool closing() {
    const std::scoped_lock lock(mutex_);
    return closing_;
  }

  void Load(const std::string& path, const LoadOptions& options, const std::stop_token& stop) {
    wanted_ = {path, options};
    channel_->Push(ModelLoading{path, 0, 0});
    const LoadProgress progress = [&](std::int64_t done, std::int64_t total) {
      channel_->Push(ModelLoading{path, done, total});
    };
    if (const Status loaded = engine_->Load(path, options, progress, stop); !loaded) {
      load_error_ = loaded.error();
      if (load_error_.code != ErrorCode::kCancelled) wanted_.reset();
      channel_->Push(ModelFailed{path, loaded.error()});
      return;
    }
    load_error_ = {.code = ErrorCode::kNoModel, .subject = {}, .detail = {}};
    channel_->Push(ModelReady{engine_->model()});
  }

  // Read on the storage thread, counted on this one: the storage has checkpoints to write.
  Result<int> TokensOf(const std::string& conversation, const std::string& instruction) {
    const std::shared_ptr<const LoadedModel> model = engine_->model();
    PALUKU_ASSIGN_OR_RETURN(
        const StoredTurn shown,
        storage_
            .Run([&](Stores& stores) -> Result<StoredTurn> {
              StoredTurn turn;
              PALUKU_ASSIGN_OR_RETURN(turn.conversation, stores.conversations.Get(conversation));
              const std::string& leaf = turn.conversation.current_leaf;
              if (!leaf.empty()) {
                PALUKU_ASSIGN_OR_RETURN(turn.branch, stores.conversations.Path(leaf));
              }
              return turn;
            })
            .get());
    if (shown.branch.empty()) return 0;
    const std::string& own = shown.conversation.instruction;
    PALUKU_ASSIGN_OR_RETURN(const std::vector<std::int32_t> prompt,
                            Prompt(model.get(), shown.branch, own.empty() ? instruction : own));
    return static_cast<int>(prompt.size());
  }

  template <class StoreStep>
  void Answer(RequestId id, const std::stop_token& stop, const AnswerOptions& options,
              const StoreStep& store_step) {
    SetRunning(id);
    const bool had_model = engine_->model() != nullptr;
    if (const Status answered = TryAnswer(id, stop, options, store_step); !answered) {
      channel_->Push(TurnRefused{id, answered.error()});
    }
    Forget(id);
    // The engine let go of a card that failed, and of the model with it: the processor goes on.
    if (had_model && !engine_->model()) {
      const auto [path, load_options] = *wanted_;
      Load(path, load_options, LoadStop());
    }
  }

  // An error means that nothing was stored.
  template <class StoreStep>
  Status TryAnswer(RequestId id, const std::stop_token& stop, const AnswerOptions& options,
                   const StoreStep& store_step) {
    if (stop.stop_requested()) return Fail(ErrorCode::kCancelled);
    const std::shared_ptr<const LoadedModel> model = engine_->model();
    if (!model) return tl::unexpected(load_error_);
    if (!model->chat_template) return tl::unexpected(model->template_error);
    PALUKU_ASSIGN_OR_RETURN(
        StoredTurn turn,
        storage_
            .Run([&](Stores& stores) { return store_step(stores.conversations, model->card.name); })
            .get());
    channel_->Push(TurnStored{id, turn.new_conversation, turn.conversation, turn.user, turn.reply});
    Generate(id, stop, options, turn, *model);
    return {};
  }

  void Generate(RequestId id, const std::stop_token& stop, const AnswerOptions& options,
                const StoredTurn& turn, const LoadedModel& model) {
    const std::string& own = turn.conversation.instruction;
    Result<std::vector<std::int32_t>> prompt =
        Prompt(&model, turn.branch, own.empty() ? options.instruction : own);
    if (!prompt) {
      Finish({id,
              turn.reply.id,
              {.state = MessageState::kFailed,
               .text = turn.reply.text,
               .reasoning = turn.reply.reasoning,
               .stats = turn.reply.stats,
               .error = prompt.error()}},
             0);
      return;
    }
    AppendReply(model, turn.reply, *prompt);
    const int prompt_tokens = static_cast<int>(prompt->size());
    ReplyWriter writer(storage_, channel_, turn.reply, prompt_tokens);
    const GenerationRequest request{std::move(*prompt), options.max_tokens, options.sampling};
    const Result<GenerationResult> result = engine_->Generate(request, writer, stop);

    ReplyEnd end{.state = MessageState::kFailed,
                 .text = writer.text(),
                 .reasoning = writer.reasoning(),
                 .stats = turn.reply.stats,
                 .error = {}};
    int context_tokens = prompt_tokens;
    if (result) {
      end.state = StateOf(result->reason);
      if (result->reason == StopReason::kContextFull)
        end.error = Error{ErrorCode::kContextFull, {}, std::to_string(model.context_tokens)};
      end.stats = StatsOf(result->stats);
      end.stats.token_count += turn.reply.stats.token_count;
      context_tokens += result->stats.generated_tokens;
      // Paluku is closing: nobody stopped this reply, so it must not say so tomorrow.
      if (end.state == MessageState::kStopped && closing()) end.state = MessageState::kInterrupted;
    } else {
      end.error = result.error();
      Log(LogLevel::kError,
          std::string("a reply failed: code ") + std::to_string(static_cast<int>(end.error->code)));
    }
    Finish({id, turn.reply.id, std::move(end)}, context_tokens);
  }

  // Stores the end of a reply; when the disk refuses, keeps it and tries again until it is stored.
  void Finish(Unsaved reply, int context_tokens) {
    const Status stored = Store(reply);
    ReplyFinished event{.request = reply.request,
                        .message = reply.message,
                        .state = reply.end.state,
                        .stats = reply.end.stats,
                        .context_tokens = context_tokens,
                        .error = reply.end.error,
                        .unsaved = {}};
    if (!stored) {
      event.unsaved = stored.error();
      unsaved_.push_back(std::move(reply));
    }
    channel_->Push(std::move(event));
  }

  Status Store(const Unsaved& reply) {
    return storage_
        .Run([&](Stores& stores) { return stores.conversations.Finish(reply.message, reply.end); })
        .get();
  }

  // True while something is still unsaved.
  bool RetryUnsaved() {
    while (!unsaved_.empty()) {
      const Status stored = Store(unsaved_.front());
      // A reply that is gone (its conversation was erased meanwhile) needs no saving.
      if (!stored && stored.error().code != ErrorCode::kNotFound) return true;
      unsaved_.pop_front();
      if (unsaved_.empty()) channel_->Push(StoreTrouble{});
    }
    return false;
  }

  Storage& storage_;
  const std::shared_ptr<EventChannel> channel_;

  std::mutex mutex_;  // guards the block below
  bool closing_ = false;
  RequestId next_request_ = 1;
  RequestId running_ = 0;
  std::map<RequestId, std::stop_source> requests_;  // waiting or running
  std::stop_source load_stop_;

  // Used on the queue's thread only.
  std::unique_ptr<Engine> engine_;
  std::optional<std::pair<std::string, LoadOptions>> wanted_;  // loaded, or its load was cancelled
  Error load_error_{.code = ErrorCode::kNoModel, .subject = {}, .detail = {}};
  std::deque<Unsaved> unsaved_;

  JobQueue queue_;  // last: its thread uses all of the above
};

Result<std::unique_ptr<ConversationService>> ConversationService::Create(
    Storage& storage, const EngineOptions& engine_options, std::function<void()> wake) {
  PALUKU_ASSIGN_OR_RETURN(std::unique_ptr<Engine> engine, Engine::Create(engine_options));
  return std::unique_ptr<ConversationService>(
      new ConversationService(std::make_unique<Impl>(storage, std::move(engine), std::move(wake))));
}

ConversationService::ConversationService(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ConversationService::~ConversationService() = default;

void ConversationService::LoadModel(const std::string& path, const LoadOptions& options) {
  impl_->LoadModel(path, options);
}
void ConversationService::UnloadModel() { impl_->UnloadModel(); }
void ConversationService::Reconfigure(const EngineOptions& engine) { impl_->Reconfigure(engine); }
RequestId ConversationService::Send(SendRequest request) { return impl_->Send(std::move(request)); }
RequestId ConversationService::Regenerate(RegenerateRequest request) {
  return impl_->Regenerate(std::move(request));
}
RequestId ConversationService::Continue(ContinueRequest request) {
  return impl_->Continue(std::move(request));
}
void ConversationService::Stop(RequestId request) { impl_->Stop(request); }
void ConversationService::CountContext(const std::string& conversation,
                                       const std::string& instruction) {
  impl_->CountContext(conversation, instruction);
}
std::vector<ConversationEvent> ConversationService::Drain() { return impl_->Drain(); }

}  // namespace paluku
