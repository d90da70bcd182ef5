// Golden checkpoints with the routed experts of some layers on the card and of the others on the
// processor, against the processor alone: a prompt in one step, then steps of one token each,
// teacher-forced. Most steps of the second kind are replayed recordings.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/backend/registry.h"
#include "tests/engine/model/golden.h"

namespace paluku::test {
namespace {

constexpr int kPrompt = 32;
constexpr int kSteps = 8;

struct HybridCase {
  const char* name;
  LatentType latent;
  int expert_layers_on_card;
  double limit;  // see golden_cuda_test.cpp
};
constexpr HybridCase kCases[] = {
    {"v2-lite", LatentType::kF32, 0, 1e-8},       {"v2-lite", LatentType::kF32, 1, 1e-8},
    {"v2-236b", LatentType::kF32, 1, 1e-8},       {"v3", LatentType::kF32, 1, 1e-8},
    {"glm-4.7-flash", LatentType::kF32, 0, 1e-8}, {"gigachat3", LatentType::kF32, 0, 1e-8},
    {"narrow-bf16", LatentType::kF16, 0, 1e-5},   {"narrow-q8_0", LatentType::kF16, 1, 1e-3},
    {"narrow-q4_0", LatentType::kF16, 1, 1e-3},   {"wide-q4_k", LatentType::kF16, 0, 1e-3},
    {"wide-q6_k", LatentType::kF16, 1, 1e-3},
};

// Steps of one conversation on one backend.
class Conversation {
 public:
  Conversation(const std::string& file, const EngineSetup& setup)
      : model_(LoadModel(file, setup, kPrompt + kSteps)), sequence_(model_.session->cache()) {}

  // Logits after the last of `tokens`.
  std::vector<float> Step(std::span<const std::int32_t> tokens) {
    const auto last = static_cast<std::int32_t>(tokens.size()) - 1;
    const Status status = model_.session->Step(sequence_, tokens, {&last, 1}, {});
    EXPECT_TRUE(status.has_value()) << status.error().Message();
    std::vector<float> logits(static_cast<std::size_t>(model_.session->config().vocabulary));
    model_.session->ReadLogits(logits);
    return logits;
  }
  // A step that is asked to stop at once.
  Status Stopped(std::span<const std::int32_t> tokens) {
    std::stop_source stop;
    stop.request_stop();
    return model_.session->Step(sequence_, tokens, {}, stop.get_token());
  }

 private:
  Loaded model_;
  LatentSequence sequence_;
};

std::int32_t Best(const std::vector<float>& logits) {
  return static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

// The lead of the best logit over the second.
float Lead(std::vector<float> logits) {
  std::nth_element(logits.begin(), logits.begin() + 1, logits.end(), std::greater<>());
  return logits[0] - logits[1];
}

float Difference(const std::vector<float>& a, const std::vector<float>& b) {
  float largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::fabs(a[i] - b[i]));
  return largest;
}

class Hybrid : public testing::TestWithParam<HybridCase> {};

TEST_P(Hybrid, AgreesWithTheCpu) {
  const HybridCase& c = GetParam();
  const Golden golden = LoadGolden(c.name);
  const std::vector<std::int32_t>& ids = golden.runs.front().ids;
  ASSERT_GE(static_cast<int>(ids.size()), kPrompt);
  Conversation cpu(golden.files[0], {.backend = "cpu", .latent = c.latent});
  Conversation both(
      golden.files[0],
      {.backend = "cuda", .latent = c.latent, .expert_layers_on_card = c.expert_layers_on_card});
  std::vector<std::int32_t> tokens(ids.begin(), ids.begin() + kPrompt);
  for (int step = 0; step <= kSteps; ++step) {
    const std::vector<float> expected = cpu.Step(tokens), got = both.Step(tokens);
    EXPECT_LE(Nmse(got, expected, golden.vocabulary), c.limit) << "step " << step;
    if (Lead(expected) > 2 * Difference(got, expected)) {
      EXPECT_EQ(Best(got), Best(expected)) << "step " << step;
    }
    tokens = {Best(expected)};
    if (step == kSteps / 2) {
      EXPECT_EQ(both.Stopped(tokens).error().code, ErrorCode::kCancelled);
    }
  }
}

std::string CaseName(const testing::TestParamInfo<HybridCase>& info) {
  std::string name =
      std::string(info.param.name) + "_" + std::to_string(info.param.expert_layers_on_card);
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Models, Hybrid, testing::ValuesIn(kCases), CaseName);

}  // namespace
}  // namespace paluku::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (const auto card = paluku::CreateBackend({.name = "cuda"}); !card) {
    std::printf("SKIPPED: %s\n", card.error().Message().c_str());
    return 77;
  }
  return RUN_ALL_TESTS();
}
