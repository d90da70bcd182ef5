// perplexity MODEL --file F: how well a model foresees a text, in windows of the context.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/engine_options.h"
#include "app/cli/text_file.h"

namespace paluku::cli {
namespace {

constexpr int kDefaultWindow = 512;

struct PerplexityArguments {
  EngineArguments engine;
  std::string file;
};

// Negative natural-log probability of `next` in one row of logits.
double Surprise(std::span<const float> logits, std::int32_t next) {
  const double peak = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - peak);
  return peak + std::log(sum) - double{logits[static_cast<std::size_t>(next)]};
}

// The sum over all tokens of `ids` but the first, which nothing foretells.
Result<double> SurpriseOfWindow(Engine& engine, std::span<const std::int32_t> ids) {
  PALUKU_ASSIGN_OR_RETURN(const std::vector<float> logits, engine.Logits(ids, true));
  const std::size_t width = logits.size() / ids.size();
  double sum = 0;
  for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
    sum += Surprise(std::span(logits).subspan(i * width, width), ids[i + 1]);
  }
  return sum;
}

// Windows do not overlap; each begins with the BOS that the model wants, which is not foretold.
Status Perplexity(const Context& context, const PerplexityArguments& arguments) {
  PALUKU_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(arguments.file));
  PALUKU_ASSIGN_OR_RETURN(const std::unique_ptr<Engine> engine,
                          LoadEngine(context, arguments.engine));
  const Tokenizer& tokenizer = *engine->model()->tokenizer;
  const std::vector<std::int32_t> ids = tokenizer.Encode(text, SpecialTokens::kAsText);
  std::vector<std::int32_t> window = tokenizer.EncodePrompt("", SpecialTokens::kAsText);
  const std::size_t head = window.size();
  const auto room = static_cast<std::size_t>(engine->model()->context_tokens) - head;
  double sum = 0;
  std::size_t foretold = 0;
  for (std::size_t first = 0; first < ids.size(); first += room) {
    const auto part = std::span(ids).subspan(first, std::min(room, ids.size() - first));
    window.resize(head);
    window.insert(window.end(), part.begin(), part.end());
    if (window.size() < 2) continue;
    PALUKU_ASSIGN_OR_RETURN(const double surprise, SurpriseOfWindow(*engine, window));
    sum += surprise;
    foretold += window.size() - 1;
  }
  if (foretold == 0) return Fail(ErrorCode::kInvalidArgument, arguments.file, "too short a text");
  const double perplexity = std::exp(sum / static_cast<double>(foretold));
  if (context.json) {
    PrintJson({{"perplexity", perplexity},
               {"mean_nll", sum / static_cast<double>(foretold)},
               {"tokens", foretold},
               {"context", engine->model()->context_tokens}});
  } else {
    std::printf("%.6f over %zu tokens in windows of %d\n", perplexity, foretold,
                engine->model()->context_tokens);
  }
  return {};
}

}  // namespace

void AddPerplexity(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<PerplexityArguments>();
  arguments->engine.context_tokens = kDefaultWindow;
  CLI::App* command = app.add_subcommand("perplexity", "Measure how well a model foresees a text");
  AddEngineOptions(*command, arguments->engine);
  command->add_option("--file", arguments->file, "The text, in UTF-8")->required();
  command->callback([arguments, &action] {
    action = [arguments](Context& context) { return Perplexity(context, *arguments); };
  });
}

}  // namespace paluku::cli
