// MatMul: every type of weight, few and many rows, lengths around the sizes of blocks and tiles.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>

#include "tests/op_cases/harness.h"
#include "tests/op_cases/tolerances.h"

namespace paluku::op_cases {
namespace {

struct MatMulCase {
  std::int64_t rows, k, n;
};

std::vector<float> RunMatMul(Backend& backend, const Tensor& x, const Tensor& weight) {
  const OwnedTensor out = MakeTensor(DType::kF32, {x.dim(0), weight.dim(0)});
  Step step(static_cast<int>(x.dim(0)));
  RunStep(backend, step, {}, [&] { backend.MatMul(x, weight, out); });
  return Values(out);
}

std::string Name(DType dtype, const MatMulCase& c) {
  return std::string(Info(dtype).name) + " [" + std::to_string(c.rows) + ", " +
         std::to_string(c.k) + "] x [" + std::to_string(c.n) + "]";
}

constexpr DType kFloats[] = {DType::kF32, DType::kF16, DType::kBF16};

// Every quantised type whose blocks have between `low` and `high` values.
std::vector<DType> QuantisedTypes(std::int64_t low, std::int64_t high) {
  std::vector<DType> types;
  for (int i = 0; i < kDTypeCount; ++i) {
    const DTypeInfo& info = Info(static_cast<DType>(i));
    if (info.block_elements >= low && info.block_elements <= high) types.push_back(info.dtype);
  }
  return types;
}

TEST(MatMulCases, FloatWeights) {
  // Lengths that no vector divides, one row to many blocks, odd numbers of outputs.
  const MatMulCase cases[] = {{1, 64, 16},   {1, 7, 3},    {2, 100, 33},  {3, 33, 17},
                              {4, 64, 40},   {5, 129, 8},  {8, 96, 65},   {16, 40, 16},
                              {17, 72, 100}, {33, 64, 31}, {130, 48, 50}, {1, 2048, 300}};
  for (const DType dtype : kFloats) {
    for (const MatMulCase& c : cases) {
      const OwnedTensor x = RandomTensor(DType::kF32, {c.rows, c.k}, 1);
      const OwnedTensor w = RandomTensor(dtype, {c.n, c.k}, 2);
      ExpectAgreement(Name(dtype, c), kFloatSums, [&](Backend& b) { return RunMatMul(b, x, w); });
    }
  }
}

void QuantisedCase(DType dtype, const MatMulCase& c) {
  const OwnedTensor w = RandomTensor(dtype, {c.n, c.k}, 3);
  const OwnedTensor exact = ExactlyQuantisable(c.rows, c.k, 4);
  ExpectAgreement(Name(dtype, c) + " exact", kExactActivations,
                  [&](Backend& b) { return RunMatMul(b, exact, w); });
  if (c.rows * c.n < 64) return;  // too few results for a mean of errors
  const OwnedTensor rounded = RandomTensor(DType::kF32, {c.rows, c.k}, 5);
  ExpectAgreement(Name(dtype, c) + " rounded", kRoundedActivations,
                  [&](Backend& b) { return RunMatMul(b, rounded, w); });
}

TEST(MatMulCases, WeightsInBlocksOf32) {
  const MatMulCase cases[] = {{1, 32, 5},   {1, 64, 16},   {1, 96, 33}, {2, 160, 17}, {3, 1408, 20},
                              {4, 32, 16},  {5, 96, 40},   {7, 64, 9},  {8, 224, 33}, {16, 128, 16},
                              {33, 96, 50}, {40, 352, 24}, {33, 32, 24}};
  for (const DType dtype : QuantisedTypes(32, 32)) {
    for (const MatMulCase& c : cases) QuantisedCase(dtype, c);
  }
}

TEST(MatMulCases, WeightsInBlocksOf64) {
  const MatMulCase cases[] = {{1, 64, 16},  {1, 192, 33}, {2, 320, 17}, {3, 1408, 20},
                              {5, 128, 40}, {8, 448, 33}, {33, 192, 50}};
  for (const DType dtype : QuantisedTypes(64, 64)) {
    for (const MatMulCase& c : cases) QuantisedCase(dtype, c);
  }
}

TEST(MatMulCases, WeightsInBlocksOf256) {
  const MatMulCase cases[] = {{1, 256, 5},   {1, 512, 16}, {2, 768, 17}, {3, 2048, 20},
                              {4, 256, 16},  {5, 512, 40}, {7, 256, 9},  {8, 1024, 33},
                              {16, 256, 16}, {33, 512, 50}};
  for (const DType dtype : QuantisedTypes(256, 256)) {
    for (const MatMulCase& c : cases) QuantisedCase(dtype, c);
  }
}

// A product of what a norm before it gave, which a card rounds to int8 along with the norm; by
// weights with a minimum and by weights with two scales, which need the sums of the rounded. The
// results of one row share its roundings, so that their error spreads more.
void ExpectProductOfNorm(DType dtype, std::int64_t rows, std::int64_t n, bool add) {
  const OwnedTensor w = RandomTensor(dtype, {70, n}, 15);
  const OwnedTensor scale = RandomTensor(DType::kF32, {n}, 16, 0.2);
  for (std::int64_t i = 0; i < n; ++i) scale.tensor.f32()[i] += 1;
  const OwnedTensor x = RandomTensor(DType::kF32, {rows, n}, 17);
  const OwnedTensor delta = RandomTensor(DType::kF32, {rows, n}, 18);
  ExpectAgreement(Name(dtype, {rows, n, 70}), 2 * kRoundedActivations, [&](Backend& b) {
    const OwnedTensor sum = x.Copy();
    const OwnedTensor normed = MakeTensor(DType::kF32, {rows, n});
    const OwnedTensor out = MakeTensor(DType::kF32, {rows, 70});
    Step step(static_cast<int>(rows));
    RunStep(b, step, {}, [&] {
      if (add) {
        b.AddRmsNorm(sum, delta, scale, 1e-6f, normed);
      } else {
        b.RmsNorm(sum, scale, 1e-6f, normed);
      }
      b.MatMul(normed, w, out);
    });
    return Values(out);
  });
}

TEST(MatMulCases, ProductOfANorm) {
  for (const DType dtype : {DType::kQ4_K, DType::kQ6_K}) {
    for (const std::int64_t n : {256, 2304, 5120}) {
      for (const std::int64_t rows : {1, 3, 9}) {
        for (const bool add : {false, true}) ExpectProductOfNorm(dtype, rows, n, add);
      }
    }
  }
}

// Two weights of different types and lengths on the same rows.
TEST(MatMulCases, Pairs) {
  const std::pair<DType, DType> types[] = {{DType::kQ4_K, DType::kQ6_K},
                                           {DType::kQ8_0, DType::kF32},
                                           {DType::kF16, DType::kQ5_0},
                                           {DType::kBF16, DType::kF32}};
  for (const auto& [first_type, second_type] : types) {
    const OwnedTensor first = RandomTensor(first_type, {70, 256}, 12);
    const OwnedTensor second = RandomTensor(second_type, {33, 256}, 13);
    for (const std::int64_t rows : {1, 2, 4, 7, 20}) {
      const OwnedTensor x = ExactlyQuantisable(rows, 256, 14);
      ExpectAgreement(std::string(Info(first_type).name) + " and " +
                          std::string(Info(second_type).name) + ", " + std::to_string(rows),
                      kExactActivations, [&](Backend& b) {
                        const OwnedTensor first_out = MakeTensor(DType::kF32, {rows, 70});
                        const OwnedTensor second_out = MakeTensor(DType::kF32, {rows, 33});
                        Step step(static_cast<int>(rows));
                        RunStep(b, step, {},
                                [&] { b.MatMulPair(x, first, first_out, second, second_out); });
                        std::vector<float> values = Values(first_out);
                        for (const float v : Values(second_out)) values.push_back(v);
                        return values;
                      });
    }
  }
}

TEST(MatMulCases, FiveHundredRows) {
  for (const DType dtype : {DType::kQ4_K, DType::kQ5_0, DType::kF16}) {
    const OwnedTensor w = RandomTensor(dtype, {40, 256}, 6);
    const OwnedTensor x = RandomTensor(DType::kF32, {512, 256}, 7);
    ExpectAgreement("512 rows", kRoundedActivations,
                    [&](Backend& b) { return RunMatMul(b, x, w); });
  }
}

// Extreme bytes: all bits of the blocks set or clear but for the scales, activations at both ends
// of int8.
TEST(MatMulCases, ExtremeBlocks) {
  for (const DType dtype : QuantisedTypes(32, 256)) {
    for (const unsigned fill : {0x00u, 0xffu, 0x80u, 0x7fu}) {
      const OwnedTensor w = RandomTensor(dtype, {18, 512}, 8);
      FillAllButScales(w.tensor, static_cast<std::byte>(fill));
      for (const std::int64_t rows : {1, 6}) {
        const OwnedTensor x = MakeTensor(DType::kF32, {rows, 512});
        for (std::int64_t i = 0; i < rows * 512; ++i)
          x.tensor.f32()[i] = i % 3 == 0 ? -127.0f : 127.0f;
        ExpectAgreement(std::string(Info(dtype).name) + " filled with " + std::to_string(fill),
                        kExactActivations, [&](Backend& b) { return RunMatMul(b, x, w); });
      }
    }
  }
}

// A NaN in a row makes that row's results NaN and no other's.
TEST(MatMulCases, NanStaysInItsRow) {
  for (const DType dtype : {DType::kF32, DType::kQ8_0, DType::kQ4_K, DType::kQ6_K}) {
    for (const std::int64_t rows : {3, 20}) {
      const OwnedTensor x = RandomTensor(DType::kF32, {rows, 512}, 9);
      x.tensor.f32()[512 + 77] = std::numeric_limits<float>::quiet_NaN();
      const OwnedTensor w = RandomTensor(dtype, {19, 512}, 10);
      ExpectAgreement("NaN in row 1", kRoundedActivations,
                      [&](Backend& b) { return RunMatMul(b, x, w); });
      const std::vector<float> values = RunMatMul(Reference(), x, w);
      EXPECT_TRUE(std::isnan(values[19]));
      EXPECT_FALSE(std::isnan(values[0]));
    }
  }
}

// Rows too small or all zero must not divide by zero.
TEST(MatMulCases, TinyAndZeroActivations) {
  const OwnedTensor w = RandomTensor(DType::kQ4_K, {16, 256}, 11);
  for (const float value : {0.0f, 1e-38f}) {
    const OwnedTensor x = MakeTensor(DType::kF32, {2, 256});
    for (std::int64_t i = 0; i < 512; ++i) x.tensor.f32()[i] = value;
    for (const Variant& variant : Variants()) {
      for (const float y : RunMatMul(*variant.backend, x, w))
        EXPECT_LT(std::fabs(y), 1e-30f) << variant.name;
    }
  }
}

}  // namespace
}  // namespace paluku::op_cases
