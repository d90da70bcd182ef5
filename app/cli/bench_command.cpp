// bench MODEL: prefill and decode in tokens per second, beside the floor that memory bandwidth
// sets.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/cli/command.h"
#include "app/cli/engine_options.h"
#include "app/cli/memory_bandwidth.h"

namespace paluku::cli {
namespace {

struct BenchArguments {
  EngineArguments engine;
  int prompt = 512;
  int decode = 64;
  std::vector<int> depths{0, 4096, 16384};
  int repetitions = 3;
};

struct Spread {
  double minimum = 0;
  double median = 0;
  double maximum = 0;
};

template <class Measure>
Result<Spread> Repeat(int repetitions, const Measure& measure) {
  std::vector<double> values;
  for (int i = 0; i < repetitions; ++i) {
    PALUKU_ASSIGN_OR_RETURN(const double value, measure());
    values.push_back(value);
  }
  std::sort(values.begin(), values.end());
  return Spread{values.front(), values[values.size() / 2], values.back()};
}

// Memory this process holds now, in bytes (VmRSS of proc(5)).
std::int64_t ResidentBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "VmRSS:") continue;
    std::int64_t kibibytes = 0;
    status >> kibibytes;
    return kibibytes * 1024;
  }
  return 0;
}

nlohmann::json ToJson(const Spread& spread) {
  return {{"min", spread.minimum}, {"median", spread.median}, {"max", spread.maximum}};
}

struct Floor {
  double bandwidth = 0;                // bytes per second
  std::int64_t weights_per_token = 0;  // bytes of weights a token reads
  std::int64_t latent_per_token = 0;   // bytes of latent cache each cached token adds

  double TokensPerSecond(int depth) const {
    return bandwidth / static_cast<double>(weights_per_token + latent_per_token * depth);
  }
};

Result<nlohmann::json> MeasureDepth(Engine& engine, const BenchArguments& arguments,
                                    const Floor& floor, int depth, bool print) {
  PALUKU_ASSIGN_OR_RETURN(const Spread prefill, Repeat(arguments.repetitions, [&] {
                            return engine.BenchPrefill(arguments.prompt, depth);
                          }));
  PALUKU_ASSIGN_OR_RETURN(const Spread decode, Repeat(arguments.repetitions, [&] {
                            return engine.BenchDecode(arguments.decode, depth);
                          }));
  const double share = decode.median / floor.TokensPerSecond(depth + arguments.decode / 2);
  if (print) {
    std::printf("%8d  %8.2f (%.2f to %.2f)  %8.2f (%.2f to %.2f)  %5.1f %%\n", depth,
                prefill.median, prefill.minimum, prefill.maximum, decode.median, decode.minimum,
                decode.maximum, 100 * share);
    std::fflush(stdout);
  }
  return nlohmann::json{{"depth", depth},
                        {"prefill", ToJson(prefill)},
                        {"decode", ToJson(decode)},
                        {"share_of_floor", share}};
}

Status Bench(const Context& context, const BenchArguments& arguments) {
  EngineArguments with_room = arguments.engine;
  const int deepest = *std::max_element(arguments.depths.begin(), arguments.depths.end());
  if (with_room.context_tokens == 0) {
    with_room.context_tokens = deepest + std::max(arguments.prompt, arguments.decode) + 1;
  }
  PALUKU_ASSIGN_OR_RETURN(const std::unique_ptr<Engine> engine, LoadEngine(context, with_room));
  const LoadedModel& model = *engine->model();
  const int threads = with_room.threads > 0
                          ? with_room.threads
                          : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const Floor floor{MeasureReadBandwidth(threads), model.card.active_bytes,
                    model.latent_bytes_per_token};
  if (!context.json) {
    std::printf("%s, %d threads, reading %.1f GB/s, %s a token\n",
                TextFor(stdout, model.card.name).c_str(), threads, floor.bandwidth / 1e9,
                Bytes(floor.weights_per_token).c_str());
    std::printf("   depth  prefill tokens/s            decode tokens/s             of floor\n");
  }
  nlohmann::json rows = nlohmann::json::array();
  for (const int depth : arguments.depths) {
    PALUKU_ASSIGN_OR_RETURN(const nlohmann::json row,
                            MeasureDepth(*engine, arguments, floor, depth, !context.json));
    rows.push_back(row);
  }
  const std::int64_t resident = ResidentBytes();
  if (context.json) {
    PrintJson({{"model", model.card.name},
               {"threads", threads},
               {"read_bytes_per_second", floor.bandwidth},
               {"weight_bytes_per_token", floor.weights_per_token},
               {"results", rows},
               {"resident_bytes", resident}});
  } else {
    std::printf("resident %s\n", Bytes(resident).c_str());
  }
  return {};
}

}  // namespace

void AddBench(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<BenchArguments>();
  CLI::App* command = app.add_subcommand("bench", "Measure prefill and decode");
  AddEngineOptions(*command, arguments->engine);
  command->add_option("-p,--prompt", arguments->prompt, "Tokens of a prefill")
      ->check(CLI::PositiveNumber);
  command->add_option("-n,--decode", arguments->decode, "Tokens to decode")
      ->check(CLI::PositiveNumber);
  command
      ->add_option("-d,--depth", arguments->depths,
                   "Tokens already cached, with commas between them")
      ->delimiter(',')
      ->check(CLI::NonNegativeNumber);
  command->add_option("-r,--repeat", arguments->repetitions, "Repetitions")
      ->check(CLI::Range(1, 1000));
  command->callback([arguments, &action] {
    action = [arguments](Context& context) { return Bench(context, *arguments); };
  });
}

}  // namespace paluku::cli
