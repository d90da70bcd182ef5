// The forward pass against Hugging Face: every family, every weight type, every backend and
// instruction set of this machine, both attention paths, both generations of files.
#include "tests/engine/model/golden.h"

#include <gtest/gtest.h>

#include <cctype>
#include <cstdio>

namespace paluku::test {
namespace {

constexpr const char* kFamilies[] = {"v2-lite", "v2-236b", "v3"};

// With f32 weights, latents and accumulation nothing is left but rounding: the files' own record
// of Hugging Face in f32 is 1e-12, and the smallest mistake in a formula is 6e-3.
constexpr double kF32Limit = 1e-6;

class Families : public testing::TestWithParam<std::tuple<const char*, EngineSetup>> {
 protected:
  Golden golden_ = LoadGolden(std::get<0>(GetParam()));
  EngineSetup setup_ = std::get<1>(GetParam());

  void ExpectRun(const std::string& file, const GoldenRun& run, double limit) {
    SCOPED_TRACE(file + " " + run.name);
    const Loaded model = LoadModel(file, setup_, static_cast<int>(run.ids.size()));
    const auto logits = ComputeLogits(*model.session, run.ids, run.positions, setup_.chunk);
    const double nmse = Nmse(logits, run.logits, golden_.vocabulary);
    EXPECT_LE(nmse, limit);
    std::printf("  NMSE %.3g: %s of %s\n", nmse, run.name.c_str(), golden_.name.c_str());
  }
};

TEST_P(Families, LogitsOfEveryPosition) {
  for (const std::string& file : golden_.files) ExpectRun(file, golden_.Run("prompt"), kF32Limit);
}

TEST_P(Families, LogitsTokenByToken) {
  setup_.chunk = 1;
  ExpectRun(golden_.files[0], golden_.Run("prompt"), kF32Limit);
}

TEST_P(Families, LogitsBeyondTheOriginalContext) {
  if (setup_.backend == "reference") GTEST_SKIP() << "naive attention takes minutes here";
  ExpectRun(golden_.files[0], golden_.Run("long"), kF32Limit);
}

TEST_P(Families, GreedyContinuation) {
  const GoldenRun& run = golden_.Run("prompt");
  const int count = static_cast<int>(golden_.greedy.size());
  ASSERT_GE(count, 64);
  for (const std::string& file : golden_.files) {
    SCOPED_TRACE(file);
    const Loaded model = LoadModel(file, setup_, static_cast<int>(run.ids.size()) + count);
    EXPECT_EQ(Greedy(*model.session, run.ids, count), golden_.greedy);
  }
}

std::string ParameterName(
    const testing::TestParamInfo<std::tuple<const char*, EngineSetup>>& info) {
  std::string name = std::get<0>(info.param) + ("_" + NameOf(std::get<1>(info.param)));
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Golden, Families,
                         testing::Combine(testing::ValuesIn(kFamilies),
                                          testing::ValuesIn(AllSetups())),
                         ParameterName);

}  // namespace
}  // namespace paluku::test
