// chat [MODEL]: a conversation in the terminal, kept in the same database as the window's.
#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <iostream>
#include <mutex>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/engine_options.h"
#include "app/cli/interrupt.h"
#include "app/cli/sampling_options.h"
#include "app/conversation/conversation_service.h"

namespace paluku::cli {
namespace {

struct ChatArguments {
  EngineArguments engine;
  std::string conversation;
  std::string system;
  SamplingParams sampling;
};

// Lets the main thread wait for events of the service, a stop request included.
class EventWaiter {
 public:
  void Wake() {
    {
      const std::scoped_lock lock(mutex_);
      woken_ = true;
    }
    changed_.notify_one();
  }
  // Returns when woken or after a moment, so that Ctrl+C is looked at.
  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(50), [this] { return woken_; });
    woken_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
};

class Chat {
 public:
  Chat(const Context& context, const ChatArguments& arguments)
      : json_(context.json), arguments_(arguments), conversation_(arguments.conversation) {}

  Status Run(const Context& context) {
    PALUKU_ASSIGN_OR_RETURN(const std::string path, context.ModelPath(arguments_.engine.model));
    PALUKU_ASSIGN_OR_RETURN(const LoadOptions load, arguments_.engine.ToLoadOptions());
    PALUKU_ASSIGN_OR_RETURN(storage_, context.OpenStorage(StorageAccess::kWrite));
    for (const Error& notice : storage_->notices())
      std::fprintf(stderr, "%s\n", notice.Message().c_str());
    PALUKU_ASSIGN_OR_RETURN(
        service_,
        ConversationService::Create(
            *storage_, {.backend = arguments_.engine.backend, .threads = arguments_.engine.threads},
            [waiter = waiter_] { waiter->Wake(); }));
    service_->LoadModel(path, load);
    PALUKU_TRY(AwaitModel());
    while (AskForLine()) PALUKU_TRY(Answer());
    return {};
  }

 private:
  Status AwaitModel() {
    while (true) {
      for (const ConversationEvent& event : service_->Drain()) {
        if (const auto* failed = std::get_if<ModelFailed>(&event))
          return tl::unexpected(failed->error);
        if (const auto* ready = std::get_if<ModelReady>(&event)) {
          if (!json_ && isatty(STDIN_FILENO)) {
            std::printf("%s. Empty line or Ctrl+D ends, Ctrl+C stops an answer.\n",
                        TextFor(stdout, ready->model->card.name).c_str());
          }
          return {};
        }
      }
      waiter_->Wait();
    }
  }

  bool AskForLine() {
    if (!json_ && isatty(STDIN_FILENO)) {
      std::printf("\n> ");
      std::fflush(stdout);
    }
    return std::getline(std::cin, line_) && !line_.empty();
  }

  Status Answer() {
    finished_ = false;
    const RequestId request = service_->Send(
        {.conversation = conversation_,
         .parent = {},
         .text = line_,
         .options = {
             .sampling = arguments_.sampling, .max_tokens = 0, .instruction = arguments_.system}});
    const Interrupt interrupt;
    while (!finished_) {
      if (interrupt.token().stop_requested()) service_->Stop(request);
      for (const ConversationEvent& event : service_->Drain()) PALUKU_TRY(Handle(event));
      if (!finished_) waiter_->Wait();
    }
    return {};
  }

  Status Handle(const ConversationEvent& event) {
    if (const auto* stored = std::get_if<TurnStored>(&event)) {
      conversation_ = stored->conversation.id;
    } else if (const auto* refused = std::get_if<TurnRefused>(&event)) {
      finished_ = true;
      if (refused->error.code != ErrorCode::kCancelled) return tl::unexpected(refused->error);
    } else if (const auto* text = std::get_if<ReplyText>(&event)) {
      Show(*text);
    } else if (const auto* end = std::get_if<ReplyFinished>(&event)) {
      finished_ = true;
      ShowEnd(*end);
    } else if (const auto* trouble = std::get_if<StoreTrouble>(&event);
               trouble != nullptr && trouble->error) {
      std::fprintf(stderr, "paluku-cli: %s\n", trouble->error->Message().c_str());
    }
    return {};
  }

  void Show(const ReplyText& text) {
    answer_ += text.text;
    if (json_) return;
    WriteText(stderr, text.reasoning);
    WriteText(stdout, text.text);
    std::fflush(stdout);
  }

  void ShowEnd(const ReplyFinished& end) {
    if (json_) {
      PrintJson({{"conversation", conversation_},
                 {"id", end.message},
                 {"state", StateName(end.state)},
                 {"text", answer_}});
    } else {
      std::printf("\n");
    }
    answer_.clear();
    if (end.error) std::fprintf(stderr, "paluku-cli: %s\n", end.error->Message().c_str());
    if (end.unsaved) std::fprintf(stderr, "paluku-cli: %s\n", end.unsaved->Message().c_str());
    std::fflush(stdout);
  }

  const bool json_;
  const ChatArguments& arguments_;
  const std::shared_ptr<EventWaiter> waiter_ = std::make_shared<EventWaiter>();
  std::unique_ptr<Storage> storage_;
  std::unique_ptr<ConversationService> service_;  // after storage_: it must go first
  std::string conversation_;
  std::string line_;
  std::string answer_;
  bool finished_ = false;
};

}  // namespace

void AddChat(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<ChatArguments>();
  CLI::App* command =
      app.add_subcommand("chat", "Hold a conversation, kept with those of the window");
  AddEngineOptions(*command, arguments->engine);
  command->add_option("--conversation", arguments->conversation,
                      "Id of a conversation to go on with");
  command->add_option("-s,--system", arguments->system, "Instruction to the model");
  AddSamplingOptions(*command, arguments->sampling);
  command->callback([arguments, &action] {
    action = [arguments](Context& context) { return Chat(context, *arguments).Run(context); };
  });
}

}  // namespace paluku::cli
