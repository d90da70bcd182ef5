// The golden checkpoints on a card against the CPU: a prompt of 32 tokens in one step, then eight
// steps of one token each, teacher-forced with the CPU's choice. The logits agree within the
// limits of the weights' type, and the choice is the same wherever the CPU's first two are further
// apart than twice what the logits may differ.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <vector>

#include "engine/backend/registry.h"
#include "tests/engine/model/golden.h"

namespace paluku::test {
namespace {

constexpr int kPrompt = 32;
constexpr int kSteps = 8;

// Every golden model of tests/data. Both sides round activations to int8 in the same way, so that
// they stand closer to each other than to the exact result; a value next to a tie may still fall to
// the other side.
struct ModelCase {
  const char* name;
  LatentType latent;
  double limit;
};
constexpr ModelCase kModels[] = {
    {"v2-lite", LatentType::kF32, 1e-8},
    {"v2-236b", LatentType::kF32, 1e-8},
    {"v3", LatentType::kF32, 1e-8},
    {"v3", LatentType::kF16, 1e-5},
    {"v2-lite", LatentType::kQ8, 1e-3},
    {"narrow-bf16", LatentType::kF16, 1e-5},
    {"narrow-f16", LatentType::kF16, 1e-5},
    {"narrow-q8_0", LatentType::kF16, 1e-3},
    {"narrow-q5_0", LatentType::kF16, 1e-3},
    {"narrow-q4_0", LatentType::kF16, 1e-3},
    {"wide-q6_k", LatentType::kF16, 1e-3},
    {"wide-q5_k", LatentType::kF16, 1e-3},
    {"wide-q4_k", LatentType::kF16, 1e-3},
    {"v3.2", LatentType::kF32, 1e-8},
    {"moonlight", LatentType::kF32, 1e-8},
    {"kimi-k2", LatentType::kF32, 1e-8},
    {"glm-4.7-flash", LatentType::kF32, 1e-8},
    {"minicpm3", LatentType::kF32, 1e-8},
    {"youtu", LatentType::kF32, 1e-8},
    {"mistral4", LatentType::kF32, 1e-8},
    {"gigachat3", LatentType::kF32, 1e-8},
    {"kanana-2", LatentType::kF32, 1e-8},
    {"joyai", LatentType::kF32, 1e-8},
    {"plm", LatentType::kF32, 1e-8},
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

 private:
  Loaded model_;
  LatentSequence sequence_;
};

std::int32_t Best(const std::vector<float>& logits) {
  return static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

// The CPU's lead of its choice over the second.
float Lead(std::vector<float> logits) {
  std::nth_element(logits.begin(), logits.begin() + 1, logits.end(), std::greater<>());
  return logits[0] - logits[1];
}

class GoldenOnCard : public testing::TestWithParam<ModelCase> {};

TEST_P(GoldenOnCard, AgreesWithTheCpu) {
  const ModelCase& c = GetParam();
  const Golden golden = LoadGolden(c.name);
  const std::vector<std::int32_t>& ids = golden.runs.front().ids;
  ASSERT_GE(static_cast<int>(ids.size()), kPrompt);
  Conversation cpu(golden.files[0], {.backend = "cpu", .latent = c.latent});
  Conversation card(golden.files[0], {.backend = "cuda", .latent = c.latent});
  std::vector<std::int32_t> tokens(ids.begin(), ids.begin() + kPrompt);
  double worst = 0;
  for (int step = 0; step <= kSteps; ++step) {
    const std::vector<float> expected = cpu.Step(tokens), got = card.Step(tokens);
    const double nmse = Nmse(got, expected, golden.vocabulary);
    EXPECT_LE(nmse, c.limit) << "step " << step;
    worst = std::max(worst, nmse);
    float difference = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
      difference = std::max(difference, std::fabs(got[i] - expected[i]));
    }
    if (Lead(expected) > 2 * difference) {
      EXPECT_EQ(Best(got), Best(expected)) << "step " << step;
    }
    tokens = {Best(expected)};
  }
  std::printf("  largest NMSE %.3g: %s\n", worst, c.name);
}

std::string CaseName(const testing::TestParamInfo<ModelCase>& info) {
  constexpr const char* kLatents[] = {"f32", "f16", "q8"};
  std::string name = std::string(info.param.name) + "_latent_" +
                     kLatents[static_cast<std::size_t>(info.param.latent)];
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenOnCard, testing::ValuesIn(kModels), CaseName);

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
