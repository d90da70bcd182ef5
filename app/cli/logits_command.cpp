// logits MODEL --ids: natural-log probabilities of the next token, best first.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>

#include "app/cli/command.h"
#include "app/cli/engine_options.h"

namespace paluku::cli {
namespace {

struct LogitsArguments {
  EngineArguments engine;
  std::vector<std::int32_t> ids;
  bool all = false;
  int top = 10;
};

struct Choice {
  std::int32_t id;
  double logprob;
};

// The `count` most probable tokens of one row of logits [vocabulary].
std::vector<Choice> Top(std::span<const float> logits, int count) {
  const double peak = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - peak);
  const double log_sum = peak + std::log(sum);

  std::vector<std::int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto kept = static_cast<std::ptrdiff_t>(
      std::min<std::size_t>(static_cast<std::size_t>(count), order.size()));
  std::partial_sort(order.begin(), order.begin() + kept, order.end(),
                    [&](std::int32_t a, std::int32_t b) {
                      const float left = logits[static_cast<std::size_t>(a)];
                      const float right = logits[static_cast<std::size_t>(b)];
                      return left != right ? left > right : a < b;
                    });
  std::vector<Choice> choices;
  for (std::ptrdiff_t i = 0; i < kept; ++i) {
    const std::int32_t id = order[static_cast<std::size_t>(i)];
    choices.push_back({id, logits[static_cast<std::size_t>(id)] - log_sum});
  }
  return choices;
}

Status Logits(const Context& context, const LogitsArguments& arguments) {
  PALUKU_ASSIGN_OR_RETURN(const std::unique_ptr<Engine> engine,
                          LoadEngine(context, arguments.engine));
  PALUKU_ASSIGN_OR_RETURN(const std::vector<float> logits,
                          engine->Logits(arguments.ids, arguments.all));
  const std::size_t rows = arguments.all ? arguments.ids.size() : 1;
  const std::size_t vocabulary = logits.size() / rows;  // the model may have more than its tokens
  nlohmann::json positions = nlohmann::json::array();
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t position = arguments.ids.size() - rows + row;
    nlohmann::json top = nlohmann::json::array();
    for (const Choice& choice :
         Top(std::span(logits).subspan(row * vocabulary, vocabulary), arguments.top)) {
      top.push_back({{"id", choice.id}, {"logprob", choice.logprob}});
      if (!context.json) std::printf("%6zu %7d %12.6f\n", position, choice.id, choice.logprob);
    }
    positions.push_back({{"position", position}, {"top", top}});
  }
  if (context.json) PrintJson({{"positions", positions}});
  return {};
}

}  // namespace

void AddLogits(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<LogitsArguments>();
  CLI::App* command = app.add_subcommand("logits", "Print log probabilities of the next token");
  AddEngineOptions(*command, arguments->engine);
  command->add_option("--ids", arguments->ids, "Token ids, with commas between them")
      ->delimiter(',')
      ->required();
  command->add_flag("--all", arguments->all, "Every position instead of the last");
  command->add_option("--top", arguments->top, "How many tokens a position")
      ->check(CLI::Range(1, 1 << 20));
  command->callback([arguments, &action] {
    action = [arguments](Context& context) { return Logits(context, *arguments); };
  });
}

}  // namespace paluku::cli
