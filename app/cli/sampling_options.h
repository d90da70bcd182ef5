// The sampling options of `run` and `chat`.
#pragma once

#include <CLI/CLI.hpp>

#include "engine/sampling/sampling_params.h"

namespace paluku::cli {

inline void AddSamplingOptions(CLI::App& command, SamplingParams& sampling) {
  command.add_option("--temp", sampling.temperature, "Variety; 0 takes the most probable token")
      ->check(CLI::Range(0.0, 10.0));
  command.add_option("--top-k", sampling.top_k, "Choose among so many tokens; 0: all")
      ->check(CLI::NonNegativeNumber);
  command.add_option("--top-p", sampling.top_p, "Choose among tokens of this probability together")
      ->check(CLI::Range(0.0, 1.0));
  command
      .add_option("--min-p", sampling.min_p, "Least probability, as a share of the best token's")
      ->check(CLI::Range(0.0, 1.0));
  command.add_option("--seed", sampling.seed, "Number that decides the draws");
}

}  // namespace paluku::cli
