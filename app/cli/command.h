// A command of `paluku-cli`: how it is declared and what it may use. DESIGN.md section 5 is the
// contract; one file per command. A command prints its result on stdout and returns an error for
// main() to print on stderr.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "app/cli/context.h"
#include "engine/base/error.h"

namespace paluku::cli {

// Set by the callback of the command that was asked for; main() runs it after parsing.
using Action = std::function<Status(Context&)>;

void AddConvert(CLI::App& app, Action& action);
void AddInspect(CLI::App& app, Action& action);
void AddTokenize(CLI::App& app, Action& action);  // tokenize and detokenize
void AddLogits(CLI::App& app, Action& action);
void AddPerplexity(CLI::App& app, Action& action);
void AddRun(CLI::App& app, Action& action);
void AddChat(CLI::App& app, Action& action);
void AddBench(CLI::App& app, Action& action);
void AddPlan(CLI::App& app, Action& action);
void AddModels(CLI::App& app, Action& action);
void AddConversations(CLI::App& app, Action& action);

}  // namespace paluku::cli
