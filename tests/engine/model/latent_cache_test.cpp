// Pages of the latent cache: sharing, copy-on-write at the tail, and that a step allocates nothing.
#include "engine/model/latent_cache.h"

#include <gtest/gtest.h>

#include <optional>

#include "tests/engine/loader/tiny_model.h"
#include "tests/engine/model/allocation_counter.h"
#include "tests/engine/model/golden.h"

namespace paluku::test {
namespace {

class LatentCacheTest : public testing::Test {
 protected:
  LatentCacheTest() {
    config_.layers = 2;
    config_.latent = 32;
    config_.rope = 8;
    backend_ = CreateBackend({.name = "reference"}).value();
    cache_.emplace(LatentCache::Create(*backend_, config_, LatentType::kF32, 256).value());
  }
  // The first float of token `position`, layer 0.
  float& Value(const LatentSequence& sequence, int position) {
    return *reinterpret_cast<float*>(
        cache_->pages().Row(sequence.page_table().data(), 0, position));
  }
  void Append(LatentSequence& sequence, int tokens, float value) {
    sequence.Reserve(tokens);
    for (int i = 0; i < tokens; ++i) {
      *reinterpret_cast<float*>(
          cache_->pages().Row(sequence.page_table().data(), 0, sequence.length() + i)) = value;
    }
    sequence.Commit(tokens);
  }

  ModelConfig config_;
  std::unique_ptr<Backend> backend_;
  std::optional<LatentCache> cache_;
};

TEST_F(LatentCacheTest, RowsHaveTheSizesOfTheContract) {
  EXPECT_EQ(cache_->pages().row_bytes(), 4 * 40);
  LatentPages pages = {.type = LatentType::kQ8, .latent = 512, .rope = 64};
  EXPECT_EQ(pages.row_bytes(), 672);
  pages.type = LatentType::kF16;
  EXPECT_EQ(pages.row_bytes(), 1152);
}

TEST_F(LatentCacheTest, PagesComeBackWhenTheirLastOwnerGoes) {
  const int all = cache_->free_pages();
  EXPECT_EQ(all, 5);  // 256 tokens and the spare page
  {
    LatentSequence a(*cache_);
    Append(a, 100, 1);
    EXPECT_EQ(cache_->free_pages(), all - 2);
    LatentSequence b(*cache_);
    b.Adopt(a.page_table(), 100);
    EXPECT_EQ(cache_->free_pages(), all - 2);
    a.Truncate(10);
    EXPECT_EQ(a.page_table().size(), 1u);
    EXPECT_EQ(cache_->free_pages(), all - 2) << "b still has both";
  }
  EXPECT_EQ(cache_->free_pages(), all);
}

TEST_F(LatentCacheTest, AppendingToASharedTailCopiesIt) {
  LatentSequence a(*cache_);
  Append(a, 70, 1);
  LatentSequence b(*cache_);
  b.Adopt(a.page_table(), 70);
  EXPECT_EQ(b.PagesNeeded(1), 1);
  Append(b, 1, 2);
  EXPECT_EQ(a.page_table()[0], b.page_table()[0]);
  EXPECT_NE(a.page_table()[1], b.page_table()[1]);
  EXPECT_EQ(Value(b, 69), 1) << "what was there came along";
  EXPECT_EQ(Value(b, 70), 2);
  EXPECT_EQ(a.PagesNeeded(1), 0) << "a is alone again";
  Append(a, 1, 3);
  EXPECT_EQ(Value(b, 70), 2);
}

TEST_F(LatentCacheTest, AFullSharedPageIsNotCopied) {
  LatentSequence a(*cache_);
  Append(a, 64, 1);
  LatentSequence b(*cache_);
  b.Adopt(a.page_table(), 64);
  EXPECT_EQ(b.PagesNeeded(1), 1);
  Append(b, 1, 2);
  EXPECT_EQ(a.page_table()[0], b.page_table()[0]);
}

TEST_F(LatentCacheTest, AnEarlierPlaceOfASharedPageIsCopiedToo) {
  LatentSequence a(*cache_);
  Append(a, 60, 1);
  LatentSequence b(*cache_);
  b.Adopt(a.page_table(), 20);
  Append(b, 1, 2);
  EXPECT_EQ(Value(a, 20), 1);
  EXPECT_EQ(Value(b, 20), 2);
}

TEST_F(LatentCacheTest, Q8NeedsWholeGroups) {
  config_.latent = 40;
  const auto cache = LatentCache::Create(*backend_, config_, LatentType::kQ8, 64);
  ASSERT_FALSE(cache.has_value());
  EXPECT_EQ(cache.error().code, ErrorCode::kInvalidArgument);
}

TEST(DecodeStep, AllocatesNothing) {
  const std::string path = MakeTinyModel().Write("steady.gguf");
  const Loaded model = LoadModel(path, {.latent = LatentType::kF16}, 512);
  LatentSequence sequence(model.session->cache());
  std::vector<std::int32_t> history(40, 7);
  const SamplingParams params = {.temperature = 0.8f, .top_k = 20, .repetition_penalty = 1.1f};
  const auto step = [&] {
    const auto token =
        model.session->StepAndDraw(sequence, {&history.back(), 1}, {params, history}, {});
    PALUKU_CHECK(token.has_value());
    history.back() = *token;
  };
  for (int i = 0; i < 80; ++i) step();  // workspaces find their size; a page border is crossed
  const long before = Allocations();
  for (int i = 0; i < 40; ++i) step();
  EXPECT_EQ(Allocations() - before, 0);
}

}  // namespace
}  // namespace paluku::test
