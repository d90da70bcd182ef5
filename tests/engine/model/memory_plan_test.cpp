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

TEST(MemoryPlanTest, ACardTakesAllOrNothing) {
  const Model model = Open("v3");
  const MemoryPlan whole = Plan(model, {.card_bytes = 8 * kGiB});
  EXPECT_TRUE(whole.uses_card);
  EXPECT_EQ(whole.BytesAt(MemoryHome::kProcessor), 0);
  EXPECT_EQ(whole.BytesAt(MemoryHome::kFile), 0);
  const std::int64_t needed = whole.BytesAt(MemoryHome::kCard);
  EXPECT_TRUE(Plan(model, {.card_bytes = needed}).uses_card);
  const MemoryPlan short_by_one = Plan(model, {.card_bytes = needed - 1});
  EXPECT_FALSE(short_by_one.uses_card);
  EXPECT_EQ(short_by_one.BytesAt(MemoryHome::kCard), 0);
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
