// The options of every command that loads a model.
#pragma once

#include <CLI/CLI.hpp>

#include "app/cli/context.h"

namespace paluku::cli {

inline void AddEngineOptions(CLI::App& command, EngineArguments& arguments) {
  command.add_option("model", arguments.model,
                     "Path or name of a model; without it, the one that ships");
  command.add_option("--backend", arguments.backend, "auto, cpu or reference");
  command.add_option("-t,--threads", arguments.threads, "Threads, 0 for one per core")
      ->check(CLI::Range(0, 1024));
  command.add_option("--context", arguments.context_tokens, "Tokens the context holds")
      ->check(CLI::PositiveNumber);
  command.add_option("--latent", arguments.latent, "Precision of the latent cache")
      ->check(CLI::IsMember({"f16", "q8", "f32"}));
  command.add_option("--path", arguments.path, "Attention path")
      ->check(CLI::IsMember({"auto", "expanded", "absorbed"}));
}

}  // namespace paluku::cli
