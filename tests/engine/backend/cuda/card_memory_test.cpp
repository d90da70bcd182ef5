// The memory plan against what a card really gives away, counted by the emulator: weights, cache,
// activations and the working memory of a full prefill step and of decode steps.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "engine/backend/registry.h"
#include "engine/loader/convert/convert.h"
#include "engine/model/memory_plan.h"
#include "engine/session/session.h"
#include "tests/support/cuda_emulator/cuda_emulator.h"

namespace paluku {
namespace {

constexpr int kContext = kPrefillChunk + 64;
constexpr double kTolerance = 0.03;

struct MemoryCase {
  const char* name;
  int expert_layers;  // at most, on the card
  ExpertStreaming streaming = ExpertStreaming::kNever;
  const char* type = nullptr;  // that the file is converted to
};
// The last has float weights that cuBLAS multiplies by, with activations in halves.
constexpr MemoryCase kCases[] = {
    {"tests/data/narrow-q8_0", kAllLayers},
    {"tests/data/minicpm3", kAllLayers},
    {"tests/data/v3", 0},
    {"tests/data/wide-q4_k", 0, ExpertStreaming::kAlways},
    {"tests/data/glm-4.7-flash", kAllLayers, ExpertStreaming::kNever, "F16"}};

Result<std::shared_ptr<const ModelFile>> OpenModel(const MemoryCase& c) {
  PALUKU_ASSIGN_OR_RETURN(auto file,
                          ModelFile::Open(std::string(PALUKU_SOURCE_DIR "/") + c.name + ".gguf"));
  if (c.type == nullptr) return file;
  const std::string path = testing::TempDir() + "card_memory_" + c.type + ".gguf";
  PALUKU_ASSIGN_OR_RETURN(
      const ConvertResult converted,
      ConvertModel(*file, path, {.recipe = FindRecipe(c.type), .threads = 1}, {}, {}));
  PALUKU_CHECK(converted.file_bytes > 0);
  auto opened = ModelFile::Open(path);
  std::filesystem::remove(path);  // its mapping stays
  return opened;
}

std::int64_t Planned(const MemoryPlan& plan) {
  std::int64_t bytes = 0;
  for (const PlannedMemory& part : plan.parts) {
    const bool real = part.part != MemoryPart::kRuntime && part.part != MemoryPart::kReserve;
    if (real && part.home == MemoryHome::kCard) bytes += part.bytes;
  }
  return bytes;
}

class CardMemory : public testing::TestWithParam<MemoryCase> {};

TEST_P(CardMemory, IsWhatThePlanSays) {
  paluku_emu_set("shadow", "0");
  const MemoryCase& c = GetParam();
  auto file = OpenModel(c);
  ASSERT_TRUE(file.has_value());
  auto config = ModelConfig::Parse(**file);
  ASSERT_TRUE(config.has_value());
  const auto plan = PlanMemory(**file, *config,
                               {.card_bytes = std::int64_t{8} << 30,
                                .streaming = c.streaming,
                                .context_tokens = kContext,
                                .most_expert_layers = c.expert_layers});
  ASSERT_TRUE(plan.has_value() && plan->uses_card);
  EXPECT_EQ(plan->expert_layers_on_card, std::min(c.expert_layers, plan->expert_layers));

  const std::size_t before = paluku_emu_memory_used();
  auto backend = CreateBackend({.name = "cuda", .threads = 1});
  ASSERT_TRUE(backend.has_value());
  auto session = Session::Create(**backend, *file, *config,
                                 {.context_tokens = kContext,
                                  .expert_layers_on_card = plan->expert_layers_on_card,
                                  .stream_rows = plan->stream_rows},
                                 {}, {});
  ASSERT_TRUE(session.has_value());
  LatentSequence sequence((*session)->cache());
  std::vector<std::int32_t> tokens(kPrefillChunk, 5);
  const SamplingParams greedy = {.temperature = 0};
  // As many outputs as there can be, or the last layer's experts would have one row.
  std::vector<std::int32_t> outputs(kMaxOutputs);
  std::iota(outputs.begin(), outputs.end(), kPrefillChunk - kMaxOutputs);
  const Status prompt = (*session)->Step(sequence, tokens, outputs, {});
  ASSERT_TRUE(prompt.has_value()) << prompt.error().Message();
  Result<std::int32_t> token = 5;
  for (int i = 0; i < 3; ++i) {
    token = (*session)->StepAndDraw(sequence, {&*token, 1}, {greedy, {}}, {});
    ASSERT_TRUE(token.has_value()) << token.error().Message();
  }
  const auto used = static_cast<double>(paluku_emu_memory_used() - before);
  const auto planned = static_cast<double>(Planned(*plan));
  std::printf("  planned %.0f kB, used %.0f kB (%+.2f %%)\n", planned / 1e3, used / 1e3,
              100 * (planned - used) / used);
  EXPECT_NEAR(planned / used, 1, kTolerance);
}

// A layer's experts take seconds; what the card gave for them goes back.
TEST(CardWeights, AStopEndsTheCopying) {
  auto backend = CreateBackend({.name = "cuda", .threads = 1});
  ASSERT_TRUE(backend.has_value());
  const std::vector<std::byte> zeros(static_cast<std::size_t>(4 * RowBytes(DType::kQ8_0, 256)));
  const Tensor host = {.dtype = DType::kQ8_0,
                       .rank = 2,
                       .shape = {4, 256},
                       .data = const_cast<std::byte*>(zeros.data())};
  std::stop_source stop;
  stop.request_stop();
  std::vector<Buffer> owners;
  const std::size_t before = paluku_emu_memory_used();
  const auto stopped = (*backend)->PrepareWeight(host, owners, stop.get_token());
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
  EXPECT_TRUE(owners.empty());
  EXPECT_EQ(paluku_emu_memory_used(), before);
  EXPECT_TRUE((*backend)->PrepareWeight(host, owners, {}).has_value());
}

std::string CaseName(const testing::TestParamInfo<MemoryCase>& info) {
  std::string name = std::filesystem::path(info.param.name).filename();
  name += info.param.expert_layers == kAllLayers ? "_whole"
                                                 : "_" + std::to_string(info.param.expert_layers);
  if (info.param.streaming == ExpertStreaming::kAlways) name += "_streamed";
  if (info.param.type != nullptr) name += std::string("_") + info.param.type;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Models, CardMemory, testing::ValuesIn(kCases), CaseName);

}  // namespace
}  // namespace paluku
