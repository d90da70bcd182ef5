// Beginnings of prompts and the pages that hold them.
#include "engine/session/prefix_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <optional>
#include <random>

#include "engine/backend/registry.h"

namespace paluku::test {
namespace {

using Tokens = std::vector<std::int32_t>;

Tokens Counting(int first, int count) {
  Tokens tokens(static_cast<std::size_t>(count));
  std::iota(tokens.begin(), tokens.end(), first);
  return tokens;
}

Tokens operator+(Tokens a, const Tokens& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

class PrefixTreeTest : public testing::Test {
 protected:
  PrefixTreeTest() {
    ModelConfig config;
    config.layers = 1;
    config.latent = 1;
    config.rope = 1;
    backend_ = CreateBackend({.name = "reference"}).value();
    cache_.emplace(LatentCache::Create(*backend_, config, LatentType::kF32, 9 * 64).value());
    tree_.emplace(*cache_);
  }
  // The latent of a token at a place is here the token itself.
  float* Row(std::span<const std::int32_t> table, int position) {
    return reinterpret_cast<float*>(cache_->pages().Row(table.data(), 0, position));
  }
  // What a generation does: takes the known beginning, computes the rest, keeps all of it.
  int Run(const Tokens& tokens) {
    const auto match = tree_->Find(tokens);
    LatentSequence sequence(*cache_);
    sequence.Adopt(match.pages, match.tokens);
    const int rest = static_cast<int>(tokens.size()) - match.tokens;
    while (sequence.PagesNeeded(rest) > cache_->free_pages()) PALUKU_CHECK(tree_->EvictOne());
    sequence.Reserve(rest);
    for (int i = match.tokens; i < static_cast<int>(tokens.size()); ++i) {
      *Row(sequence.page_table(), i) = static_cast<float>(tokens[static_cast<std::size_t>(i)]);
    }
    sequence.Commit(rest);
    for (int i = 0; i < sequence.length(); ++i) {
      EXPECT_EQ(*Row(sequence.page_table(), i), tokens[static_cast<std::size_t>(i)]) << i;
    }
    tree_->Insert(tokens, sequence.page_table());
    return match.tokens;
  }

  std::unique_ptr<Backend> backend_;
  std::optional<LatentCache> cache_;
  std::optional<PrefixTree> tree_;
};

TEST_F(PrefixTreeTest, FindsTheLongestBeginning) {
  EXPECT_EQ(Run(Counting(0, 150)), 0);
  EXPECT_EQ(Run(Counting(0, 150)), 150);
  EXPECT_EQ(Run(Counting(0, 200)), 150) << "the conversation goes on";
  EXPECT_EQ(Run(Counting(0, 100) + Counting(1000, 50)), 100) << "an edit in the middle of a page";
  EXPECT_EQ(Run(Counting(0, 64) + Counting(2000, 5)), 64) << "a branch at the border of a page";
  EXPECT_EQ(Run(Counting(0, 100) + Counting(1000, 60)), 150) << "the branch goes on";
  EXPECT_EQ(Run(Counting(0, 200)), 200) << "the first branch is still whole";
  EXPECT_EQ(Run(Counting(500, 10)), 0);
}

TEST_F(PrefixTreeTest, KeepsEachTokenOnce) {
  Run(Counting(0, 100));
  EXPECT_EQ(tree_->tokens(), 100);
  Run(Counting(0, 130));
  EXPECT_EQ(tree_->tokens(), 130);
  Run(Counting(0, 64) + Counting(900, 10));
  EXPECT_EQ(tree_->tokens(), 140);
  EXPECT_EQ(cache_->free_pages(), 10 - 4);
  tree_->Clear();
  EXPECT_EQ(tree_->tokens(), 0);
  EXPECT_EQ(cache_->free_pages(), 10);
}

TEST_F(PrefixTreeTest, GivesUpTheLeastRecentlyUsedLeafFirst) {
  Run(Counting(0, 192));     // three pages
  Run(Counting(1000, 192));  // three more
  Run(Counting(0, 192));     // used again
  ASSERT_TRUE(tree_->EvictOne());
  EXPECT_EQ(tree_->Find(Counting(0, 192)).tokens, 192);
  EXPECT_EQ(tree_->Find(Counting(1000, 192)).tokens, 128) << "its end went, not its beginning";
}

TEST_F(PrefixTreeTest, APageInUseIsNotGivenUp) {
  Run(Counting(0, 60));
  LatentSequence reader(*cache_);
  reader.Adopt(tree_->Find(Counting(0, 60)).pages, 60);
  EXPECT_FALSE(tree_->EvictOne());
  reader.Truncate(0);
  EXPECT_TRUE(tree_->EvictOne());
  EXPECT_FALSE(tree_->EvictOne()) << "nothing is left";
}

// Random conversations in a pool that is far too small: contents stay right, pages are not lost.
TEST_F(PrefixTreeTest, ManyConversationsInLittleRoom) {
  std::mt19937 random(7);
  for (int i = 0; i < 500; ++i) {
    Tokens tokens = Counting(0, static_cast<int>(random() % 200));
    const int branches = static_cast<int>(random() % 3);
    for (int b = 0; b < branches; ++b) {
      tokens = tokens + Counting(1000 * static_cast<int>(1 + random() % 4),
                                 static_cast<int>(random() % 120));
    }
    if (!tokens.empty()) Run(tokens);
  }
  tree_->Clear();
  EXPECT_EQ(cache_->free_pages(), 10);
}

}  // namespace
}  // namespace paluku::test
