// The options of every command that loads a model.
#pragma once

#include <CLI/CLI.hpp>

#include "app/cli/context.h"

namespace paluku::cli {

inline void AddModelOption(CLI::App& command, std::string& model) {
  command.add_option("model", model, "Path or name of a model; without it, the one that ships");
}

inline void AddCacheOptions(CLI::App& command, int& context_tokens, std::string& latent) {
  command.add_option("--context", context_tokens, "Tokens the context holds")
      ->check(CLI::PositiveNumber);
  command.add_option("--latent", latent, "Precision of the latent cache")
      ->check(CLI::IsMember({"f16", "q8", "f32"}));
}

inline void AddEngineOptions(CLI::App& command, EngineArguments& arguments) {
  AddModelOption(command, arguments.model);
  AddCacheOptions(command, arguments.context_tokens, arguments.latent);
  command.add_option("--backend", arguments.backend, "auto, cuda, cpu or reference");
  command.add_option("-t,--threads", arguments.threads, "Threads, 0 for one per core")
      ->check(CLI::Range(0, 1024));
  command.add_option("--path", arguments.path, "Attention path")
      ->check(CLI::IsMember({"auto", "expanded", "absorbed"}));
}

}  // namespace paluku::cli
