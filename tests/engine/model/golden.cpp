#include "tests/engine/model/golden.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/base/check.h"

namespace paluku::test {
namespace {

const std::string kData = PALUKU_SOURCE_DIR "/tests/data/";

std::vector<float> ReadRows(const std::string& path, std::size_t first, std::size_t count,
                            std::size_t vocabulary) {
  std::ifstream in(path, std::ios::binary);
  std::vector<float> rows(count * vocabulary);
  in.seekg(static_cast<std::streamoff>(first * vocabulary * sizeof(float)));
  in.read(reinterpret_cast<char*>(rows.data()),
          static_cast<std::streamsize>(rows.size() * sizeof(float)));
  PALUKU_CHECK(in.good());
  return rows;
}

Result<std::unique_ptr<Backend>> MakeBackend(const EngineSetup& setup) {
  setenv("PALUKU_CPU", setup.instruction_set.c_str(), 1);
  auto backend = CreateBackend({.name = setup.backend, .threads = 2});
  unsetenv("PALUKU_CPU");
  return backend;
}

}  // namespace

const GoldenRun& Golden::Run(const std::string& run_name) const {
  const auto it = std::find_if(runs.begin(), runs.end(),
                               [&](const GoldenRun& run) { return run.name == run_name; });
  PALUKU_CHECK(it != runs.end());
  return *it;
}

Golden LoadGolden(const std::string& name) {
  std::ifstream in(kData + name + ".json");
  const nlohmann::json json = nlohmann::json::parse(in);
  Golden golden;
  golden.name = name;
  golden.vocabulary = json.at("vocab").get<int>();
  for (const auto& file : json.at("files")) golden.files.push_back(kData + file.get<std::string>());
  for (const auto& run : json.at("runs")) {
    GoldenRun& out = golden.runs.emplace_back();
    out.name = run.at("name").get<std::string>();
    out.ids = run.at("ids").get<std::vector<std::int32_t>>();
    out.positions = run.at("positions").get<std::vector<std::int32_t>>();
    out.logits = ReadRows(kData + json.at("logits").get<std::string>(), run.at("first_row"),
                          out.positions.size(), static_cast<std::size_t>(golden.vocabulary));
  }
  if (json.contains("greedy")) {
    golden.greedy = json.at("greedy").at("ids").get<std::vector<std::int32_t>>();
  }
  return golden;
}

std::vector<EngineSetup> AllSetups() {
  std::vector<EngineSetup> setups;
  for (const AttentionPath path : {AttentionPath::kExpanded, AttentionPath::kAbsorbed}) {
    setups.push_back({.backend = "reference", .instruction_set = {}, .path = path});
    for (const char* set : {"scalar", "avx2", "avx512"}) {
      const EngineSetup setup = {.backend = "cpu", .instruction_set = set, .path = path};
      if (MakeBackend(setup)) setups.push_back(setup);
    }
  }
  return setups;
}

std::string NameOf(const EngineSetup& setup) {
  std::string name = setup.backend;
  if (!setup.instruction_set.empty()) name += "_" + setup.instruction_set;
  if (setup.path == AttentionPath::kExpanded) name += "_expanded";
  if (setup.path == AttentionPath::kAbsorbed) name += "_absorbed";
  return name;
}

Loaded LoadModel(const std::string& path, const EngineSetup& setup, int context_tokens) {
  auto backend = MakeBackend(setup);
  PALUKU_CHECK(backend.has_value());
  auto file = ModelFile::Open(path);
  PALUKU_CHECK(file.has_value());
  auto config = ModelConfig::Parse(**file);
  PALUKU_CHECK(config.has_value());
  Loaded loaded{.backend = std::move(*backend), .session = nullptr};
  auto session = Session::Create(*loaded.backend, *file, *config,
                                 {.context_tokens = context_tokens,
                                  .latent_type = setup.latent,
                                  .attention_path = setup.path,
                                  .expert_layers_on_card = setup.expert_layers_on_card,
                                  .stream_rows = setup.stream_rows},
                                 {}, {});
  PALUKU_CHECK(session.has_value());
  loaded.session = std::move(*session);
  return loaded;
}

std::vector<float> ComputeLogits(Session& session, std::span<const std::int32_t> ids,
                                 std::span<const std::int32_t> positions, int chunk) {
  const auto vocabulary = static_cast<std::size_t>(session.config().vocabulary);
  std::vector<float> logits(positions.size() * vocabulary);
  std::size_t done = 0;
  LatentSequence sequence(session.cache());
  while (sequence.length() < static_cast<int>(ids.size())) {
    const int first = sequence.length();
    int rows = std::min(chunk, static_cast<int>(ids.size()) - first);
    std::vector<std::int32_t> outputs;
    for (const std::int32_t position : positions) {
      if (position >= first && position < first + rows) outputs.push_back(position - first);
    }
    if (outputs.size() > kMaxOutputs) {  // the rest in the next step
      rows = outputs[kMaxOutputs];
      outputs.resize(kMaxOutputs);
    }
    PALUKU_CHECK(session.Step(sequence, ids.subspan(first, rows), outputs, {}).has_value());
    session.ReadLogits(std::span(logits).subspan(done * vocabulary, outputs.size() * vocabulary));
    done += outputs.size();
  }
  PALUKU_CHECK(done == positions.size());
  return logits;
}

double Nmse(std::span<const float> actual, std::span<const float> expected, int vocabulary) {
  PALUKU_CHECK(actual.size() == expected.size() && !actual.empty());
  double error = 0;
  double deviation = 0;
  const auto width = static_cast<std::size_t>(vocabulary);
  for (std::size_t row = 0; row < expected.size(); row += width) {
    double mean = 0;
    for (std::size_t i = 0; i < width; ++i) mean += expected[row + i] / double(vocabulary);
    for (std::size_t i = 0; i < width; ++i) {
      const double difference = double(actual[row + i]) - expected[row + i];
      error += difference * difference;
      deviation += (expected[row + i] - mean) * (expected[row + i] - mean);
    }
  }
  return error / deviation;  // NaN when a logit is NaN, which no limit lets through
}

std::vector<std::int32_t> Greedy(Session& session, std::span<const std::int32_t> ids, int count) {
  const SamplingParams greedy = {.temperature = 0};
  LatentSequence sequence(session.cache());
  std::vector<std::int32_t> chosen;
  std::span<const std::int32_t> next = ids;
  while (static_cast<int>(chosen.size()) < count) {
    const auto token = session.StepAndDraw(sequence, next, {greedy, {}}, {});
    PALUKU_CHECK(token.has_value());
    chosen.push_back(*token);
    next = {&chosen.back(), 1};
  }
  return chosen;
}

}  // namespace paluku::test
