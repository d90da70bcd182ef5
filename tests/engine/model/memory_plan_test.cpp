// The plan against what is really allocated, and what it does when a card has little room.
#include "engine/model/memory_plan.h"

#include <gtest/gtest.h>

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
