// cuBLAS in products of many rows by float weights, and the same products without it: values
// against the reference, and who computed them, from the emulator's log of launches.
//
// PALUKU_TEST_CUBLAS says what the program is started with: "usable", or what keeps cuBLAS from
// being used.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

#include "engine/backend/registry.h"
#include "tests/op_cases/harness.h"
#include "tests/op_cases/tolerances.h"
#include "tests/support/cuda_emulator/cuda_emulator.h"

namespace paluku::op_cases {
namespace {

std::string Given() {
  const char* given = std::getenv("PALUKU_TEST_CUBLAS");
  PALUKU_CHECK(given != nullptr);
  return given;
}

// Cards before Ampere have no bf16; the test's architecture stands in the library's name.
bool HasBfloat() {
  return std::string(std::getenv("PALUKU_CUDA_LIBRARY")).find("_75_") == std::string::npos;
}

struct Launches {
  int library = 0, split = 0, scale = 0, own = 0;
};

Launches TakeLaunches() {
  Launches seen;
  for (std::size_t i = 0; i < paluku_emu_launch_count(); ++i) {
    const std::string name = paluku_emu_launch(i).kernel;
    seen.library += name.find("cublasGemm") != std::string::npos;
    seen.split += name.find("SplitTo") != std::string::npos;
    seen.scale += name.find("ScaleRows") != std::string::npos;
    seen.own += name.find("FloatProduct") != std::string::npos;
  }
  paluku_emu_reset_counters();
  return seen;
}

std::vector<float> RunMatMul(Backend& backend, const Tensor& x, const Tensor& weight) {
  const OwnedTensor out = MakeTensor(DType::kF32, {x.dim(0), weight.dim(0)});
  Step step(static_cast<int>(x.dim(0)));
  RunStep(backend, step, {}, [&] { backend.MatMul(x, weight, out); });
  return Values(out);
}

// Rows of very different sizes, and in each a number much larger than its others: what one f16
// would lose at both ends.
OwnedTensor UnevenRows(std::int64_t rows, std::int64_t columns) {
  const OwnedTensor x = RandomTensor(DType::kF32, {rows, columns}, 21);
  for (std::int64_t r = 0; r < rows; ++r) {
    const float scale = std::ldexp(1.0f, static_cast<int>(r * 7 % 80) - 40);
    for (std::int64_t i = 0; i < columns; ++i) x.tensor.f32()[r * columns + i] *= scale;
    x.tensor.f32()[r * columns + r * 31 % columns] = 100 * scale;
  }
  return x;
}

// NMSE of the worst row.
double WorstRow(const std::vector<float>& expected, const std::vector<float>& got,
                std::int64_t columns) {
  double worst = 0;
  for (auto at = 0; at < static_cast<std::ptrdiff_t>(expected.size()); at += columns) {
    worst = std::max(worst, Nmse({expected.begin() + at, expected.begin() + at + columns},
                                 {got.begin() + at, got.begin() + at + columns}));
  }
  return worst;
}

class DenseLibrary : public testing::TestWithParam<DType> {
 protected:
  bool Expected() const {
    return Given() == "usable" && (GetParam() != DType::kBF16 || HasBfloat());
  }
};

TEST_P(DenseLibrary, MultipliesManyRows) {
  const bool is_f16 = GetParam() == DType::kF16, is_f32 = GetParam() == DType::kF32;
  struct Shape {
    int rows, columns, outputs;
  };
  for (const auto& [rows, columns, outputs] :
       {Shape{65, 256, 33}, {130, 321, 33}, {96, 1021, 900}, {65, 256, 2600}, {65, 2100, 33}}) {
    const OwnedTensor weight = RandomTensor(GetParam(), {outputs, columns}, 20);
    const OwnedTensor x = UnevenRows(rows, columns);
    const std::vector<float> expected = RunMatMul(Reference(), x, weight);
    TakeLaunches();
    const std::vector<float> got = RunMatMul(*Variants().front().backend, x, weight);
    const Launches seen = TakeLaunches();
    const double error = WorstRow(expected, got, outputs);
    std::printf("  %d x %d x %d: %.1e\n", rows, columns, outputs, error);
    EXPECT_LE(error, Expected() && GetParam() == DType::kBF16 ? kSplitBfloat : kFloatSums);
    EXPECT_EQ(seen.library, Expected() ? (is_f32 ? 1 : 2) : 0);
    EXPECT_EQ(seen.split, Expected() && !is_f32 ? 1 : 0);
    EXPECT_EQ(seen.scale, Expected() && is_f16 ? 1 : 0);
    EXPECT_EQ(seen.own, Expected() ? 0 : 1);
  }
}

TEST_P(DenseLibrary, DamageStaysInItsRow) {
  const OwnedTensor weight = RandomTensor(GetParam(), {20, 256}, 22);
  const OwnedTensor x = RandomTensor(DType::kF32, {70, 256}, 23);
  float* values = x.tensor.f32();
  values[5 * 256 + 100] = std::numeric_limits<float>::quiet_NaN();
  values[9 * 256 + 3] = std::numeric_limits<float>::infinity();
  for (int i = 0; i < 256; ++i) values[11 * 256 + i] = 0;
  values[13 * 256 + 7] = std::numeric_limits<float>::max();  // a bf16 would be infinity
  const std::vector<float> got = RunMatMul(*Variants().front().backend, x, weight);
  for (int i = 0; i < 70 * 20; ++i) {
    const float value = got[static_cast<std::size_t>(i)];
    EXPECT_EQ(std::isnan(value), i / 20 == 5) << i;
    if (i / 20 != 13) {
      EXPECT_EQ(std::isinf(value), i / 20 == 9) << i;
    }
    if (i / 20 == 11) {
      EXPECT_EQ(value, 0.0f);
    }
  }
}

// Decode, and whatever a recording may hold, is left to our own kernels.
TEST_P(DenseLibrary, LeavesFewOrShortRowsAlone) {
  for (const auto& [rows, columns] : {std::pair{64, 256}, {65, 255}, {8, 4096}, {1, 256}}) {
    const OwnedTensor weight = RandomTensor(GetParam(), {8, columns}, 24);
    const OwnedTensor x = RandomTensor(DType::kF32, {rows, columns}, 25);
    TakeLaunches();
    RunMatMul(*Variants().front().backend, x, weight);
    EXPECT_EQ(TakeLaunches().library, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Types, DenseLibrary,
                         testing::Values(DType::kF16, DType::kBF16, DType::kF32),
                         [](const auto& test) { return std::string(Info(test.param).name); });

TEST(DenseLibraryProblem, IsSaidInWords) {
  auto card = CreateBackend({.name = "cuda"});
  ASSERT_TRUE(card.has_value());
  const std::string remark = (*card)->Remark();
  std::printf("  %s\n", remark.c_str());
  if (Given() == "usable") {
    EXPECT_EQ(remark, "");
    return;
  }
  EXPECT_NE(remark.find("without cuBLAS"), std::string::npos);
  const char* reason = Given() == "damaged"      ? "libcublas.so.13"
                       : Given() == "incomplete" ? "is not the one of CUDA 13"
                                                 : "starting cuBLAS";
  EXPECT_NE(remark.find(reason), std::string::npos);
}

}  // namespace
}  // namespace paluku::op_cases
