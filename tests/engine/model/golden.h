// Golden checkpoints of tests/data: tiny models with logits that Hugging Face computed in double
// precision on the weights as the file holds them. Format: tests/data/README.md.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/backend/registry.h"
#include "engine/session/session.h"

namespace paluku::test {

struct GoldenRun {
  std::string name;
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> positions;  // whose logits are known, ascending
  std::vector<float> logits;            // [positions, vocabulary]
};

struct Golden {
  std::string name;
  std::vector<std::string> files;  // paths; the same weights in every generation of files
  int vocabulary = 0;
  std::vector<GoldenRun> runs;
  std::vector<std::int32_t> greedy;  // continuation of the run "prompt"; empty where not recorded

  const GoldenRun& Run(const std::string& run_name) const;
};

Golden LoadGolden(const std::string& name);

// One way to compute: which backend, instruction set, attention path and latent type.
struct EngineSetup {
  std::string backend = "cpu";
  std::string instruction_set = {};  // value of PALUKU_CPU; empty: the fastest
  AttentionPath path = AttentionPath::kAuto;
  LatentType latent = LatentType::kF32;
  int chunk = kPrefillChunk;  // rows of a step
  int expert_layers_on_card = kAllLayers;
  int stream_rows = 0;
};

// Backends and instruction sets that run on this machine: reference, cpu scalar, cpu avx2, ...
std::vector<EngineSetup> AllSetups();
std::string NameOf(const EngineSetup& setup);

// A loaded model and what it stands on.
struct Loaded {
  std::unique_ptr<Backend> backend;
  std::unique_ptr<Session> session;
};
Loaded LoadModel(const std::string& path, const EngineSetup& setup, int context_tokens);

// Logits [positions, vocabulary] of `ids` at `positions`, computed in steps of setup.chunk rows.
std::vector<float> ComputeLogits(Session& session, std::span<const std::int32_t> ids,
                                 std::span<const std::int32_t> positions, int chunk);

// Sum of squared differences over the sum of squared deviations of `expected` from the mean of its
// position.
double Nmse(std::span<const float> actual, std::span<const float> expected, int vocabulary);

// The most likely token, `count` times, after `ids`.
std::vector<std::int32_t> Greedy(Session& session, std::span<const std::int32_t> ids, int count);

}  // namespace paluku::test
