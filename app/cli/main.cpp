// `paluku-cli`: Paluku without a window. Needs no display. Exit codes: 0 success, 1 failed, 2 wrong
// usage.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "app/cli/command.h"

namespace {

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

int Main(int argc, char** argv) {
  using namespace paluku::cli;
  CLI::App app{"Private, offline chat with DeepSeek-family models.", "paluku-cli"};
  app.set_version_flag("--version", "paluku-cli " PALUKU_VERSION);
  app.require_subcommand(1);
  app.fallthrough();

  Context context;
  Action action;
  app.add_flag("--json", context.json, "Print JSON");
  app.add_option("--data-dir", context.data_dir, "Keep everything under this folder");
  AddInspect(app, action);
  AddConvert(app, action);
  AddTokenize(app, action);
  AddLogits(app, action);
  AddPerplexity(app, action);
  AddRun(app, action);
  AddChat(app, action);
  AddBench(app, action);
  AddPlan(app, action);
  AddModels(app, action);
  AddConversations(app, action);

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "paluku-cli: %s\n", error.what());
    return kWrongUsage;
  }
  if (const paluku::Status done = action(context); !done) {
    std::fflush(stdout);
    WriteText(stderr, "paluku-cli: " + done.error().Message() + "\n");
    return done.error().code == paluku::ErrorCode::kInvalidArgument ? kWrongUsage : kFailed;
  }
  if (std::fflush(stdout) != 0) {
    std::perror("paluku-cli");
    return kFailed;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Main(argc, argv);
  } catch (const std::exception& exception) {  // std::bad_alloc above all
    std::fprintf(stderr, "paluku-cli: %s\n", exception.what());
    return kFailed;
  }
}
