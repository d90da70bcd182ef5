// The golden checkpoints on a card against the CPU: a prompt of 32 tokens in one step, then eight
// steps of one token each, teacher-forced with the CPU's choice. The logits agree within the
// limits of the weights' type, and the choice is the same wherever the CPU's first two are further
// apart than twice what the logits may differ.
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/engine/backend/cuda/beside_cpu.h"

namespace paluku::test {
namespace {

// Every golden model of tests/data. Both sides round activations to int8 in the same way, so that
// they stand closer to each other than to the exact result; a value next to a tie may still fall to
// the other side.
struct ModelCase {
  const char* name;
  LatentType latent;
  double limit;
};
constexpr ModelCase kModels[] = {
    {"v2-lite", LatentType::kF32, 1e-8},     {"v2-236b", LatentType::kF32, 1e-8},
    {"v3", LatentType::kF32, 1e-8},          {"v3", LatentType::kF16, 1e-5},
    {"v2-lite", LatentType::kQ8, 1e-3},      {"narrow-bf16", LatentType::kF16, 1e-5},
    {"narrow-f16", LatentType::kF16, 1e-5},  {"narrow-q8_0", LatentType::kF16, 1e-3},
    {"narrow-q5_0", LatentType::kF16, 1e-3}, {"narrow-q4_0", LatentType::kF16, 1e-3},
    {"wide-q6_k", LatentType::kF16, 1e-3},   {"wide-q5_k", LatentType::kF16, 1e-3},
    {"wide-q4_k", LatentType::kF16, 1e-3},   {"mixed", LatentType::kF16, 1e-3},
    {"v3.2", LatentType::kF32, 1e-8},        {"moonlight", LatentType::kF32, 1e-8},
    {"kimi-k2", LatentType::kF32, 1e-8},     {"glm-4.7-flash", LatentType::kF32, 1e-8},
    {"minicpm3", LatentType::kF32, 1e-8},    {"youtu", LatentType::kF32, 1e-8},
    {"mistral4", LatentType::kF32, 1e-8},    {"gigachat3", LatentType::kF32, 1e-8},
    {"kanana-2", LatentType::kF32, 1e-8},    {"joyai", LatentType::kF32, 1e-8},
    {"plm", LatentType::kF32, 1e-8},
};

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
    SCOPED_TRACE(step);
    worst = std::max(worst, ExpectSame(got, expected, golden.vocabulary, c.limit));
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

int main(int argc, char** argv) { return paluku::test::RunWithCard(argc, argv); }
