// run MODEL -p PROMPT: one answer, streamed; nothing is stored.
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/engine_options.h"
#include "app/cli/interrupt.h"
#include "app/cli/sampling_options.h"

namespace paluku::cli {
namespace {

struct RunArguments {
  EngineArguments engine;
  std::string prompt;
  std::string system;
  int max_tokens = 0;
  SamplingParams sampling;
  bool raw = false;
};

// Prints the answer as it comes, or gathers it for JSON. Reasoning goes to stderr, so that stdout
// is the answer.
class Printer : public EventSink {
 public:
  explicit Printer(bool print) : print_(print) {}
  void OnPrefill(int /*done*/, int /*total*/) override {}
  void OnText(std::string_view text, bool reasoning, int /*tokens*/) override {
    (reasoning ? reasoning_ : text_) += text;
    if (!print_) return;
    std::FILE* stream = reasoning ? stderr : stdout;
    WriteText(stream, text);
    std::fflush(stream);
  }
  const std::string& text() const { return text_; }
  const std::string& reasoning() const { return reasoning_; }

 private:
  const bool print_;
  std::string text_;
  std::string reasoning_;
};

const char* ReasonName(StopReason reason) {
  switch (reason) {
    case StopReason::kEndOfTurn:
      return "end_of_turn";
    case StopReason::kTokenLimit:
      return "token_limit";
    case StopReason::kContextFull:
      return "context_full";
    case StopReason::kCancelled:
      break;
  }
  return "stopped";
}

Result<std::vector<std::int32_t>> PromptOf(const LoadedModel& model,
                                           const RunArguments& arguments) {
  if (arguments.raw) return model.tokenizer->EncodePrompt(arguments.prompt, SpecialTokens::kParse);
  if (!model.chat_template) return tl::unexpected(model.template_error);
  std::vector<ChatMessage> chat;
  if (!arguments.system.empty()) chat.push_back({ChatRole::kSystem, arguments.system});
  chat.push_back({ChatRole::kUser, arguments.prompt});
  return RenderChat(*model.chat_template, *model.tokenizer, chat);
}

Status Run(const Context& context, const RunArguments& arguments) {
  PALUKU_ASSIGN_OR_RETURN(const std::unique_ptr<Engine> engine,
                          LoadEngine(context, arguments.engine));
  GenerationRequest request{
      .prompt = {}, .max_tokens = arguments.max_tokens, .sampling = arguments.sampling};
  PALUKU_ASSIGN_OR_RETURN(request.prompt, PromptOf(*engine->model(), arguments));
  Printer printer(!context.json);
  const Interrupt interrupt;
  PALUKU_ASSIGN_OR_RETURN(const GenerationResult result,
                          engine->Generate(request, printer, interrupt.token()));
  if (!context.json) {
    std::printf("\n");
    return {};
  }
  const GenerationStats& stats = result.stats;
  PrintJson({{"text", printer.text()},
             {"reasoning", printer.reasoning().empty() ? nlohmann::json(nullptr)
                                                       : nlohmann::json(printer.reasoning())},
             {"reason", ReasonName(result.reason)},
             {"ids", result.tokens},
             {"prompt_tokens", stats.prompt_tokens},
             {"generated_tokens", stats.generated_tokens},
             {"prefill_seconds", stats.prefill_seconds},
             {"decode_seconds", stats.decode_seconds}});
  return {};
}

}  // namespace

void AddRun(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<RunArguments>();
  CLI::App* command = app.add_subcommand("run", "Answer one prompt");
  AddEngineOptions(*command, arguments->engine);
  command->add_option("-p,--prompt", arguments->prompt, "What to ask")->required();
  command->add_option("-s,--system", arguments->system, "Instruction to the model");
  command->add_option("-n,--max-tokens", arguments->max_tokens, "End after so many tokens")
      ->check(CLI::PositiveNumber);
  command->add_flag("--raw", arguments->raw,
                    "Continue the prompt as it is, without the chat template");
  AddSamplingOptions(*command, arguments->sampling);
  command->callback([arguments, &action] {
    action = [arguments](Context& context) { return Run(context, *arguments); };
  });
}

}  // namespace paluku::cli
