// Properties of the sampler; each filter against a plain sort of the whole vocabulary.
#include "engine/sampling/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "engine/sampling/rng.h"

namespace paluku {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

SamplingParams Plain(float temperature) {
  SamplingParams params;
  params.temperature = temperature;
  params.top_p = 1;
  return params;
}

std::int32_t Choose(const std::vector<float>& logits, const SamplingParams& params,
                    std::uint64_t position = 0, const std::vector<std::int32_t>& history = {}) {
  return Sampler().Choose(logits, params, history, position);
}

std::vector<float> RandomLogits(std::size_t count, std::uint64_t seed) {
  std::vector<float> logits(count);
  for (std::size_t i = 0; i < count; ++i)
    logits[i] = static_cast<float>(12 * UniformAt(seed, i) - 6);
  return logits;
}

std::set<std::int32_t> Seen(const std::vector<float>& logits, const SamplingParams& params,
                            int draws) {
  Sampler sampler;
  std::set<std::int32_t> seen;
  for (int i = 0; i < draws; ++i)
    seen.insert(sampler.Choose(logits, params, {}, static_cast<std::uint64_t>(i)));
  return seen;
}

TEST(Sampler, GreedyTakesTheBestAndTheLowerOfEquals) {
  EXPECT_EQ(Choose({1, 3, 2}, Plain(0)), 1);
  EXPECT_EQ(Choose({1, 3, 3, 3}, Plain(0)), 1);
  EXPECT_EQ(Choose({1, 3, 2}, Plain(-1)), 1);
  EXPECT_EQ(Choose({1, 3, 2}, Plain(kNan)), 1);
  SamplingParams one = Plain(1);
  one.top_k = 1;
  EXPECT_EQ(Choose({2, 5, 5}, one), 1);
}

TEST(Sampler, NotANumberAndInfinity) {
  for (const float temperature : {0.0F, 1.0F}) {
    EXPECT_EQ(Choose({kNan, 1, kNan}, Plain(temperature)), 1);
    EXPECT_EQ(Choose({-kInf, -1, -kInf}, Plain(temperature)), 1);
    EXPECT_EQ(Choose({50, kInf, kInf}, Plain(temperature)), 1);
    EXPECT_EQ(Choose({kNan, -kInf}, Plain(temperature)), Sampler::kNoToken);
    EXPECT_EQ(Choose({}, Plain(temperature)), Sampler::kNoToken);
  }
}

// Pearson's chi-square of 200,000 draws; the critical value for 7 degrees of freedom at 0.001.
TEST(Sampler, DrawsFollowTheSoftmaxAtTheTemperature) {
  const std::vector<float> logits = {0, 1, 2, -1, 0.5F, 1.5F, -2, 0.25F};
  for (const double temperature : {0.5, 1.0, 2.0}) {
    std::vector<double> expected;
    for (const float logit : logits) expected.push_back(std::exp(logit / temperature));
    const double total = std::accumulate(expected.begin(), expected.end(), 0.0);
    std::vector<int> counts(logits.size());
    Sampler sampler;
    constexpr int kDraws = 200'000;
    for (int i = 0; i < kDraws; ++i)
      ++counts[static_cast<std::size_t>(sampler.Choose(
          logits, Plain(static_cast<float>(temperature)), {}, static_cast<std::uint64_t>(i)))];
    double chi_square = 0;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      const double mean = kDraws * expected[i] / total;
      chi_square += (counts[i] - mean) * (counts[i] - mean) / mean;
    }
    EXPECT_LT(chi_square, 24.32) << temperature;
  }
}

TEST(Sampler, SameArgumentsSameChoiceWhateverCameBefore) {
  const std::vector<float> logits = RandomLogits(5000, 1);
  SamplingParams params;
  params.seed = 42;
  params.top_k = 50;
  Sampler fresh;
  Sampler used;
  std::map<std::int32_t, int> kinds;
  for (std::uint64_t position = 0; position < 200; ++position) {
    used.Choose(RandomLogits(300, position), Plain(1), {}, position * 7);
    const std::int32_t choice = used.Choose(logits, params, {}, position);
    ASSERT_EQ(choice, fresh.Choose(logits, params, {}, position));
    ++kinds[choice];
  }
  EXPECT_GT(kinds.size(), 5u);
}

TEST(Sampler, OtherSeedsChooseOtherwise) {
  const std::vector<float> logits(1000, 0.0F);
  SamplingParams params = Plain(1);
  int equal = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    params.seed = seed;
    const auto first = Choose(logits, params);
    params.seed = seed + 1;
    equal += first == Choose(logits, params) ? 1 : 0;
  }
  EXPECT_LT(equal, 5);
}

TEST(Sampler, TopKKeepsTheBestKAndTheLowerOfEquals) {
  SamplingParams params = Plain(100);
  params.top_k = 3;
  EXPECT_EQ(Seen({1, 9, 5, 5, 5, 8}, params, 500), (std::set<std::int32_t>{1, 2, 5}));
  params.top_k = 100;
  EXPECT_EQ(Seen({1, 2, 3}, params, 500).size(), 3u);
}

// A sort of the whole vocabulary, the plain way.
std::set<std::int32_t> NucleusBySorting(const std::vector<float>& logits, double top_p) {
  std::vector<std::int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto at = [&](std::int32_t id) { return logits[static_cast<std::size_t>(id)]; };
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return at(a) > at(b); });
  double total = 0;
  for (const float logit : logits) total += std::exp(static_cast<double>(logit));
  std::set<std::int32_t> kept;
  double sum = 0;
  for (const std::int32_t id : order) {
    kept.insert(id);
    sum += std::exp(static_cast<double>(at(id)));
    if (sum >= top_p * total) break;
  }
  return kept;
}

TEST(Sampler, TopPKeepsTheSmallestSetThatHoldsP) {
  for (const float top_p : {0.0F, 0.1F, 0.5F, 0.9F}) {
    const std::vector<float> logits = RandomLogits(40, 3);
    SamplingParams params = Plain(1);
    params.top_p = top_p;
    const auto allowed = NucleusBySorting(logits, top_p);
    const auto seen = Seen(logits, params, 20'000);
    EXPECT_EQ(seen, allowed) << top_p;
  }
}

TEST(Sampler, OddValuesKeepTheBestAtLeast) {
  SamplingParams params = Plain(1);
  for (const float top_p : {0.0F, -1.0F, -kInf}) {
    params.top_p = top_p;
    EXPECT_EQ(Seen({2, 3, 3}, params, 100), (std::set<std::int32_t>{1})) << top_p;
  }
  for (const float off : {kNan, 2.0F, kInf}) {
    params.top_p = params.min_p = off;
    EXPECT_EQ(Seen({2, 2, 2}, params, 100).size(), 3u) << off;
  }
  params = Plain(kInf);
  params.top_k = -4;
  params.repetition_penalty = -1;
  EXPECT_EQ(Seen({2, 30, 2}, params, 100).size(), 3u);
}

TEST(Sampler, MinPKeepsWhatIsNearTheBest) {
  SamplingParams params = Plain(1);
  params.min_p = 0.1F;  // ln 0.1 = -2.30
  EXPECT_EQ(Seen({0, -2.2F, -2.4F, -1}, params, 2000), (std::set<std::int32_t>{0, 1, 3}));
  params.min_p = 7;  // out of range: off
  EXPECT_EQ(Seen({0, -1}, params, 500).size(), 2u);
}

TEST(Sampler, TopPSeesWhatTopKLeft) {
  SamplingParams params = Plain(1);
  params.top_k = 2;
  params.top_p = 0.5F;  // of two equal ones the first holds exactly half
  EXPECT_EQ(Seen({1, 1, 1, 1}, params, 500), (std::set<std::int32_t>{0}));
}

TEST(Sampler, PenaltiesFollowTheirDefinitions) {
  SamplingParams params = Plain(0);
  params.repetition_penalty = 2;
  EXPECT_EQ(Choose({4, 3}, params, 0, {0}), 1);       // 4 / 2 < 3
  EXPECT_EQ(Choose({-1, -1.5F}, params, 0, {0}), 1);  // -1 * 2 < -1.5
  params = Plain(0);
  params.presence_penalty = 0.5F;
  EXPECT_EQ(Choose({1.4F, 1}, params, 0, {0, 0, 0}), 1);  // 0.9; once however often
  EXPECT_EQ(Choose({1.6F, 1}, params, 0, {0, 0, 0}), 0);
  params = Plain(0);
  params.frequency_penalty = 0.5F;
  EXPECT_EQ(Choose({2.4F, 1}, params, 0, {0, 0, 0}), 1);  // 2.4 - 3 * 0.5 = 0.9
  EXPECT_EQ(Choose({2.4F, 1}, params, 0, {0, 0}), 0);
}

TEST(Sampler, PenaltiesLookAtTheWindowOnlyAndPassOverForeignIds) {
  SamplingParams params = Plain(0);
  params.presence_penalty = 10;
  params.penalty_window = 2;
  EXPECT_EQ(Choose({5, 4, 3}, params, 0, {0, 1, 2}), 0);
  EXPECT_EQ(Choose({5, 4, 3}, params, 0, {2, 0, 1}), 2);
  EXPECT_EQ(Choose({5, 4, 3}, params, 0, {-1, 99}), 0);
  params.penalty_window = 0;
  EXPECT_EQ(Choose({5, 4, 3}, params, 0, {0, 0}), 0);
}

TEST(Sampler, AWholeVocabularyStaysInsideItsNucleus) {
  const std::vector<float> logits = RandomLogits(102'400, 9);
  SamplingParams params = Plain(0.3F);
  params.top_p = 0.2F;
  std::vector<float> scaled = logits;
  for (float& logit : scaled) logit /= 0.3F;
  const auto allowed = NucleusBySorting(scaled, 0.2);
  ASSERT_GT(allowed.size(), 100u);
  ASSERT_LT(allowed.size(), 50'000u);
  for (const std::int32_t id : Seen(logits, params, 100)) EXPECT_TRUE(allowed.contains(id)) << id;
}

}  // namespace
}  // namespace paluku
