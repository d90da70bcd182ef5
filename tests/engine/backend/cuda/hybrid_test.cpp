// Golden checkpoints with the routed experts of some layers on the card and of the others on the
// processor, against the processor alone: a prompt in one step, then steps of one token each,
// teacher-forced. Most steps of the second kind are replayed recordings.
#include <algorithm>
#include <string>
#include <vector>

#include "tests/engine/backend/cuda/beside_cpu.h"

namespace paluku::test {
namespace {

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
    SCOPED_TRACE(step);
    ExpectSame(got, expected, golden.vocabulary, c.limit);
    tokens = {Best(expected)};
    if (step == kSteps / 2) {
      EXPECT_EQ(both.Stopped(tokens).error().code, ErrorCode::kCancelled);
    }
  }
}

// Experts of the processor's layers that pass through the card while a prompt is read, in two
// steps; the steps of one token that follow are the processor's again.
class Streamed : public testing::TestWithParam<HybridCase> {};

TEST_P(Streamed, AgreesWithTheCpu) {
  const HybridCase& c = GetParam();
  const Golden golden = LoadGolden(c.name);
  const std::vector<std::int32_t>& ids = golden.runs.front().ids;
  Conversation cpu(golden.files[0], {.backend = "cpu", .latent = c.latent});
  Conversation both(golden.files[0], {.backend = "cuda",
                                      .latent = c.latent,
                                      .expert_layers_on_card = c.expert_layers_on_card,
                                      .stream_rows = kPrompt / 2});
  std::vector<float> expected;
  for (const auto half :
       {std::span(ids).first(kPrompt / 2), std::span(ids).subspan(kPrompt / 2, kPrompt / 2)}) {
    expected = cpu.StepOfAll(half);  // of all rows: or the last layer would have but one
    EXPECT_LE(Nmse(both.StepOfAll(half), expected, golden.vocabulary), c.limit);
  }
  expected.erase(expected.begin(), expected.end() - golden.vocabulary);
  for (int step = 0; step < 3; ++step) {
    const std::vector<std::int32_t> token = {Best(expected)};
    expected = cpu.Step(token);
    ExpectSame(both.Step(token), expected, golden.vocabulary, c.limit);
  }
}

constexpr HybridCase kStreamedCases[] = {
    {"narrow-q8_0", LatentType::kF16, 0, 1e-3}, {"narrow-q4_0", LatentType::kF16, 0, 1e-3},
    {"wide-q4_k", LatentType::kF16, 0, 1e-3},   {"wide-q5_k", LatentType::kF16, 0, 1e-3},
    {"wide-q6_k", LatentType::kF16, 0, 1e-3},   {"narrow-bf16", LatentType::kF16, 0, 1e-5},
};

std::string CaseName(const testing::TestParamInfo<HybridCase>& info) {
  std::string name =
      std::string(info.param.name) + "_" + std::to_string(info.param.expert_layers_on_card);
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Models, Hybrid, testing::ValuesIn(kCases), CaseName);
INSTANTIATE_TEST_SUITE_P(Models, Streamed, testing::ValuesIn(kStreamedCases), CaseName);

}  // namespace
}  // namespace paluku::test

int main(int argc, char** argv) { return paluku::test::RunWithCard(argc, argv); }
