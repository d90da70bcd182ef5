// The plan against what is really allocated, and what it does when a card has little room.
#include "engine/model/memory_plan.h"

#include <gtest/gtest.h>

#include "engine/backend/cuda/expert_plan.h"
#include "engine/backend/registry.h"
#include "engine/model/activations.h"
#include "engine/model/latent_cache.h"
#include "engine/model/weights.h"

namespace paluku {
namespace {

constexpr int kContext = 1000;
constexpr std::int64_t kGiB = 1ll << 30;

struct Model {
  std::shared_ptr<const ModelFile> file;
  ModelConfig config;
};

Model Open(const std::string& name) {
  auto file = ModelFile::Open(PALUKU_SOURCE_DIR "/tests/data/" + name + ".gguf");
  EXPECT_TRUE(file.has_value()) << name;
  auto config = ModelConfig::Parse(**file);
  EXPECT_TRUE(config.has_value()) << name;
  return {*file, *config};
}

MemoryPlan Plan(const Model& model, PlanRequest request) {
  request.context_tokens = kContext;
  auto plan = PlanMemory(*model.file, model.config, request);
  EXPECT_TRUE(plan.has_value());
  return *plan;
}

// What loading on `backend` allocates.
std::int64_t Allocated(const Model& model, const std::string& backend_name, LatentType type) {
  auto backend = CreateBackend({.name = backend_name, .threads = 1});
  EXPECT_TRUE(backend.has_value());
  const auto weights = Weights::Load(model.file, model.config, **backend, {}, {});
  const auto activations = Activations::Create(**backend, model.config, kPrefillChunk, kMaxOutputs);
  const auto cache = LatentCache::Create(**backend, model.config, type, kContext);
  EXPECT_TRUE(weights && activations && cache);
  std::int64_t bytes = activations->arena.bytes;
  bytes += cache->pages().page_bytes() * cache->pages().page_count;
  for (const Buffer& buffer : weights->buffers) bytes += buffer.bytes;
  return bytes;
}

TEST(MemoryPlanTest, ForTheProcessorIsWhatIsAllocated) {
  for (const char* name : {"v2-lite", "v2-lite-legacy", "v2-236b", "v3", "narrow-bf16",
                           "narrow-q4_0", "wide-q4_k", "wide-q5_k", "wide-q6_k"}) {
    SCOPED_TRACE(name);
    const Model model = Open(name);
    const MemoryPlan plan = Plan(model, {.latent_type = LatentType::kF16});
    EXPECT_FALSE(plan.uses_card);
    EXPECT_EQ(plan.BytesAt(MemoryHome::kCard), 0);
    EXPECT_EQ(plan.BytesAt(MemoryHome::kProcessor), Allocated(model, "cpu", LatentType::kF16));
  }
}

TEST(MemoryPlanTest, FileBytesAreThoseOfTheTensorsUsedInPlace) {
  const Model model = Open("wide-q4_k");
  const MemoryPlan plan = Plan(model, {});
  std::int64_t in_file = 0;
  for (const auto& [name, tensor] : model.file->tensors()) in_file += tensor.bytes();
  EXPECT_LE(plan.BytesAt(MemoryHome::kFile), in_file);
  EXPECT_GT(plan.BytesAt(MemoryHome::kFile), in_file / 2);
}

std::int64_t BytesOf(const MemoryPlan& plan, MemoryPart part, MemoryHome home) {
  for (const PlannedMemory& known : plan.parts) {
    if (known.part == part && known.home == home) return known.bytes;
  }
  return 0;
}

TEST(MemoryPlanTest, ACardTakesEverythingThatFits) {
  const Model model = Open("v3");
  const MemoryPlan whole = Plan(model, {.card_bytes = 8 * kGiB});
  EXPECT_TRUE(whole.uses_card);
  EXPECT_EQ(whole.BytesAt(MemoryHome::kProcessor), 0);
  EXPECT_EQ(whole.BytesAt(MemoryHome::kFile), 0);
  ASSERT_GT(whole.expert_layers, 1);
  EXPECT_EQ(whole.expert_layers_on_card, whole.expert_layers);
  const std::int64_t needed = whole.BytesAt(MemoryHome::kCard);
  EXPECT_EQ(Plan(model, {.card_bytes = needed}).expert_layers_on_card, whole.expert_layers);
}

TEST(MemoryPlanTest, ExpertsThatDoNotFitStayInTheFile) {
  const Model model = Open("v3");
  const std::int64_t all = Plan(model, {.card_bytes = 8 * kGiB}).BytesAt(MemoryHome::kCard);
  const MemoryPlan most = Plan(model, {.card_bytes = all - 1});
  EXPECT_TRUE(most.uses_card);
  EXPECT_LT(most.expert_layers_on_card, most.expert_layers);
  EXPECT_LE(most.BytesAt(MemoryHome::kCard), all - 1);
  EXPECT_GT(BytesOf(most, MemoryPart::kRoutedExperts, MemoryHome::kFile), 0);
  EXPECT_GT(BytesOf(most, MemoryPart::kRoutedExperts, MemoryHome::kCard), 0);
  EXPECT_EQ(BytesOf(most, MemoryPart::kAttention, MemoryHome::kFile), 0);

  const MemoryPlan none = Plan(model, {.card_bytes = 8 * kGiB, .most_expert_layers = 0});
  EXPECT_TRUE(none.uses_card);
  EXPECT_EQ(none.expert_layers_on_card, 0);
  EXPECT_EQ(none.BytesAt(MemoryHome::kCard), none.least_card_bytes);
  EXPECT_TRUE(Plan(model, {.card_bytes = none.least_card_bytes}).uses_card);
}

TEST(MemoryPlanTest, ExpertsThatPassThroughHaveTheirMemory) {
  const Model model = Open("wide-q4_k");  // four experts: a slice is one
  PlanRequest request = {.card_bytes = 8 * kGiB, .most_expert_layers = 0};
  request.streaming = ExpertStreaming::kNever;
  const MemoryPlan never = Plan(model, request);
  EXPECT_EQ(never.stream_rows, 0);
  EXPECT_EQ(BytesOf(never, MemoryPart::kPassingExperts, MemoryHome::kCard), 0);

  request.streaming = ExpertStreaming::kAlways;
  const MemoryPlan always = Plan(model, request);
  EXPECT_EQ(always.stream_rows, 9) << "shorter steps are recorded";
  const std::int64_t passing = BytesOf(always, MemoryPart::kPassingExperts, MemoryHome::kCard);
  const std::int64_t gate_and_up = 2 * 256 * 128 / 16 * 9;  // Q4_K: 4.5 bits
  EXPECT_EQ(passing, 2 * gate_and_up);
  EXPECT_LT(BytesOf(always, MemoryPart::kWorkspace, MemoryHome::kCard),
            BytesOf(never, MemoryPart::kWorkspace, MemoryHome::kCard))
      << "fewer rows go to the processor";

  request.most_expert_layers = kAllLayers;
  EXPECT_EQ(Plan(model, request).stream_rows, 0) << "the card has all of them";
  request.most_expert_layers = 0;
  request.card_bytes = always.least_card_bytes + passing - 1;
  const MemoryPlan tight = Plan(model, request);
  EXPECT_TRUE(tight.uses_card);
  EXPECT_EQ(tight.stream_rows, 0) << "no room for them";
}

TEST(MemoryPlanTest, ExpertsOfFloatsDoNotPassThrough) {
  const MemoryPlan plan = Plan(
      Open("narrow-bf16"),
      {.card_bytes = 8 * kGiB, .streaming = ExpertStreaming::kAlways, .most_expert_layers = 0});
  EXPECT_EQ(plan.expert_layers_on_card, 0);
  EXPECT_EQ(plan.stream_rows, 0);
}

// DeepSeek-V2-Lite in Q4_K: 64 experts of 3 x 2048 x 1408 in a layer, 6 chosen.
TEST(ExpertPlanTest, TheSlowestPartOfTheWayDecides) {
  constexpr std::int64_t kProducts = 6ll * 3 * 2048 * 1408,
                         kBytes = 64ll * 3 * 2048 * 1408 / 16 * 9;
  const auto rows = [](double link, double repacked, double products, int threads = 4) {
    return cuda::RowsToStream(kBytes, kProducts, threads,
                              {.link = link, .repacked = repacked, .products = products});
  };
  // Twice the link, half the rows, until threads that repack are slower than the link.
  const int usual = rows(10e9, 1e12, 20e9);
  EXPECT_NEAR(usual, kBytes / 10e9 * 4 * 20e9 / kProducts, 1);
  EXPECT_NEAR(rows(20e9, 1e12, 20e9), usual / 2.0, 1);
  EXPECT_EQ(rows(10e9, 2.5e9, 20e9), usual);
  EXPECT_NEAR(rows(10e9, 1.25e9, 20e9), 2.0 * usual, 1);
  EXPECT_NEAR(rows(10e9, 1e12, 40e9), 2.0 * usual, 1) << "a quicker processor keeps more";
  EXPECT_NEAR(rows(10e9, 1e12, 20e9, 8), 2.0 * usual, 1) << "so does one of more threads";
  EXPECT_EQ(rows(1e15, 1e15, 1e9), 9) << "shorter steps are recorded";
  EXPECT_GT(rows(1, 1, 1e9), 1 << 20);
}

TEST(MemoryPlanTest, BelowTheLeastTheProcessorComputesEverythingInTheSameContext) {
  const Model model = Open("v3");
  const MemoryPlan whole = Plan(model, {.card_bytes = 8 * kGiB});
  const MemoryPlan without = Plan(model, {.card_bytes = whole.least_card_bytes - 1});
  EXPECT_FALSE(without.uses_card);
  EXPECT_EQ(without.expert_layers_on_card, 0);
  EXPECT_EQ(without.BytesAt(MemoryHome::kCard), 0);
  EXPECT_EQ(without.least_card_bytes, whole.least_card_bytes);
  EXPECT_EQ(without.context_tokens, whole.context_tokens);
}

TEST(MemoryPlanTest, ADriverThatIsLoadedIsNotCountedAgain) {
  const Model model = Open("v3");
  const MemoryPlan before = Plan(model, {.card_bytes = 8 * kGiB});
  const MemoryPlan after = Plan(model, {.card_bytes = 8 * kGiB, .runtime_loaded = true});
  EXPECT_EQ(before.BytesAt(MemoryHome::kCard) - after.BytesAt(MemoryHome::kCard),
            BytesOf(before, MemoryPart::kRuntime, MemoryHome::kCard));
}

// cuBLAS is opened by the first long step of a model with float weights, after the plan was made.
TEST(MemoryPlanTest, CuBlasIsCountedForFloatWeightsAlone) {
  const auto runtime = [](const Model& model) {
    const MemoryPlan plan = Plan(model, {.card_bytes = 8 * kGiB, .runtime_loaded = true});
    return BytesOf(plan, MemoryPart::kRuntime, MemoryHome::kCard);
  };
  EXPECT_GT(runtime(Open("glm-4.7-flash")), 0);
  EXPECT_EQ(runtime(Open("wide-q4_k")), 0);
}

TEST(MemoryPlanTest, ALongerContextCostsItsCacheAlone) {
  const Model model = Open("v2-lite");
  PlanRequest request = {.context_tokens = 64};
  const auto small = PlanMemory(*model.file, model.config, request);
  request.context_tokens = 64 * 11;
  const auto large = PlanMemory(*model.file, model.config, request);
  ASSERT_TRUE(small && large);
  const std::int64_t row = 2ll * (model.config.latent + model.config.rope);
  EXPECT_EQ(large->BytesAt(MemoryHome::kProcessor) - small->BytesAt(MemoryHome::kProcessor),
            row * model.config.layers * 640);
}

TEST(MemoryPlanTest, SaysWhenTheComputerIsTooSmall) {
  const Model model = Open("v2-lite");
  EXPECT_TRUE(Plan(model, {.ram_bytes = kGiB}).fits);
  EXPECT_FALSE(Plan(model, {.ram_bytes = 1 << 20}).fits);
}

}  // namespace
}  // namespace paluku
