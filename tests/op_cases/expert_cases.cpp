// RouteExperts, MoeFfn and SwiGluFfn.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "tests/op_cases/harness.h"
#include "tests/op_cases/tolerances.h"

namespace paluku::op_cases {
namespace {

struct RouteCase {
  const char* name;
  int experts, chosen, groups, groups_chosen;
  GateFunction function;
  GroupScore group_score;
  bool bias, normalise;
  float scale;
};

constexpr RouteCase kRouteCases[] = {
    {"V2-Lite", 64, 6, 1, 1, GateFunction::kSoftmax, GroupScore::kMax, false, false, 1.0f},
    {"V2", 160, 6, 8, 3, GateFunction::kSoftmax, GroupScore::kMax, false, false, 16.0f},
    {"V3", 256, 8, 8, 4, GateFunction::kSigmoid, GroupScore::kTopTwoSum, true, true, 2.5f},
    {"GLM-4.7-Flash", 64, 4, 1, 1, GateFunction::kSigmoid, GroupScore::kTopTwoSum, true, true,
     1.8f},
    {"all chosen", 5, 5, 1, 1, GateFunction::kSoftmax, GroupScore::kMax, false, true, 1.0f},
};

// Ids and weights, one after the other.
std::vector<float> Route(Backend& backend, const RouteCase& c, const Tensor& x, const Tensor& gate,
                         const Tensor& bias) {
  const std::int64_t rows = x.dim(0);
  const OwnedTensor ids = MakeTensor(DType::kI32, {rows, c.chosen});
  const OwnedTensor weights = MakeTensor(DType::kF32, {rows, c.chosen});
  Step step(static_cast<int>(rows));
  RunStep(backend, step, {}, [&] {
    backend.RouteExperts({.x = x,
                          .gate = gate,
                          .bias = c.bias ? bias : Tensor{},
                          .function = c.function,
                          .experts = c.experts,
                          .chosen = c.chosen,
                          .groups = c.groups,
                          .groups_chosen = c.groups_chosen,
                          .group_score = c.group_score,
                          .normalise = c.normalise,
                          .scale = c.scale,
                          .ids = ids,
                          .weights = weights});
  });
  std::vector<float> values = Values(ids);
  for (const float w : Values(weights)) values.push_back(w);
  return values;
}

TEST(ExpertCases, RouteExperts) {
  for (const RouteCase& c : kRouteCases) {
    for (const int rows : {1, 3, 4, 33}) {
      const OwnedTensor x = RandomTensor(DType::kF32, {rows, 72}, 1);
      const OwnedTensor gate = RandomTensor(DType::kF32, {c.experts, 72}, 2, 0.2);
      const OwnedTensor bias = RandomTensor(DType::kF32, {c.experts}, 3, 0.5);
      // One wrong id would be an error of about 1.
      ExpectAgreement(c.name, kFloatSums, [&](Backend& b) { return Route(b, c, x, gate, bias); });
    }
  }
}

// Of equal scores the lower index comes first, also between groups.
TEST(ExpertCases, TiesGoToTheLowerIndex) {
  for (const RouteCase& c : kRouteCases) {
    const OwnedTensor x = RandomTensor(DType::kF32, {2, 8}, 4);
    const OwnedTensor gate = MakeTensor(DType::kF32, {c.experts, 8});  // every logit is 0
    const OwnedTensor bias = MakeTensor(DType::kF32, {c.experts});
    for (const Variant& variant : Variants()) {
      const std::vector<float> got = Route(*variant.backend, c, x, gate, bias);
      for (int k = 0; k < c.chosen; ++k)
        EXPECT_EQ(got[static_cast<std::size_t>(k)], static_cast<float>(k));
    }
  }
}

// Biased scores below zero: an excluded group must still lose against them (a fill with 0 would
// win).
TEST(ExpertCases, ExcludedGroupsLoseAgainstNegativeScores) {
  const RouteCase c = kRouteCases[2];
  const OwnedTensor x = RandomTensor(DType::kF32, {5, 72}, 5);
  const OwnedTensor gate = RandomTensor(DType::kF32, {c.experts, 72}, 6, 0.2);
  const OwnedTensor bias = RandomTensor(DType::kF32, {c.experts}, 7, 0.1);
  for (int e = 0; e < c.experts; ++e) bias.tensor.f32()[e] -= 3;
  ExpectAgreement("bias about -3", kFloatSums,
                  [&](Backend& b) { return Route(b, c, x, gate, bias); });
}

struct Network {
  OwnedTensor gate, up, down;
  SwiGluWeights Weights() const { return {gate.tensor, up.tensor, down.tensor}; }
};

Network MakeNetwork(DType gate_up, DType down, std::int64_t inner, std::int64_t hidden,
                    std::uint64_t seed) {
  const double a = 1 / std::sqrt(static_cast<double>(hidden)),
               b = 1 / std::sqrt(static_cast<double>(inner));
  return {RandomTensor(gate_up, {inner, hidden}, seed, a),
          RandomTensor(gate_up, {inner, hidden}, seed + 1, a),
          RandomTensor(down, {hidden, inner}, seed + 2, b)};
}

Network MakeExperts(DType gate_up, DType down, std::int64_t experts, std::int64_t inner,
                    std::int64_t hidden, std::uint64_t seed) {
  const double a = 1 / std::sqrt(static_cast<double>(hidden)),
               b = 1 / std::sqrt(static_cast<double>(inner));
  return {RandomTensor(gate_up, {experts, inner, hidden}, seed, a),
          RandomTensor(gate_up, {experts, inner, hidden}, seed + 1, a),
          RandomTensor(down, {experts, hidden, inner}, seed + 2, b)};
}

struct FfnCase {
  DType gate_up, down;
  std::int64_t inner, hidden;
  double tolerance;
};

constexpr FfnCase kFfnCases[] = {
    {DType::kF32, DType::kF32, 40, 72, kFloatSums},
    {DType::kF16, DType::kBF16, 100, 64, kFloatSums},
    {DType::kQ8_0, DType::kQ8_0, 96, 64, kRoundedNetwork},
    {DType::kQ4_K, DType::kQ5_0, 352, 256, kRoundedNetwork},
    {DType::kQ4_K, DType::kQ6_K, 256, 512, kRoundedNetwork},
    {DType::kQ5_K, DType::kQ4_0, 160, 256, kRoundedNetwork},
    {DType::kQ6_K, DType::kF32, 70, 256, kRoundedNetwork},
    {DType::kF32, DType::kQ8_0, 128, 80, kRoundedNetwork},
    {DType::kQ4_1, DType::kQ5_1, 96, 64, kRoundedNetwork},
    {DType::kQ2_K, DType::kQ3_K, 256, 512, kRoundedNetwork},
    {DType::kIQ4_XS, DType::kIQ4_NL, 352, 256, kRoundedNetwork},
    {DType::kIQ2_XXS, DType::kIQ2_XS, 256, 256, kRoundedNetwork},
    {DType::kIQ2_S, DType::kIQ3_XXS, 256, 256, kRoundedNetwork},
    {DType::kIQ3_S, DType::kMXFP4, 96, 256, kRoundedNetwork},
    {DType::kIQ1_S, DType::kIQ1_M, 256, 256, kRoundedNetwork},
    {DType::kMXFP4, DType::kNVFP4, 192, 96, kRoundedNetwork},
};

TEST(ExpertCases, CasesCoverEveryType) {
  for (int i = 0; i < kDTypeCount; ++i) {
    const auto dtype = static_cast<DType>(i);
    const bool found = std::any_of(std::begin(kFfnCases), std::end(kFfnCases), [&](const auto& c) {
      return c.gate_up == dtype || c.down == dtype;
    });
    EXPECT_EQ(found, dtype != DType::kI32) << Info(dtype).name;
  }
}

class EveryNetwork : public testing::TestWithParam<FfnCase> {};

TEST_P(EveryNetwork, SwiGluFfn) {
  const FfnCase& c = GetParam();
  const Network network = MakeNetwork(c.gate_up, c.down, c.inner, c.hidden, 10);
  for (const int rows : {1, 2, 5, 33}) {
    const OwnedTensor x = RandomTensor(DType::kF32, {rows, c.hidden}, 11);
    ExpectAgreement(std::to_string(rows) + " rows", c.tolerance, [&](Backend& b) {
      Step step(rows);
      const OwnedTensor out = MakeTensor(DType::kF32, {rows, c.hidden});
      RunStep(b, step, {}, [&] { b.SwiGluFfn(x, network.Weights(), out); });
      return Values(out);
    });
  }
}

TEST_P(EveryNetwork, ReluSquaredFfn) {
  const FfnCase& c = GetParam();
  const Network network = MakeNetwork(c.gate_up, c.down, c.inner, c.hidden, 50);
  for (const int rows : {1, 5, 33}) {
    const OwnedTensor x = RandomTensor(DType::kF32, {rows, c.hidden}, 51);
    ExpectAgreement(std::to_string(rows) + " rows", c.tolerance, [&](Backend& b) {
      Step step(rows);
      const OwnedTensor out = MakeTensor(DType::kF32, {rows, c.hidden});
      RunStep(b, step, {}, [&] { b.ReluSquaredFfn(x, network.up, network.down, out); });
      return Values(out);
    });
  }
}

// `chosen` different experts per row; expert 0 gets every row, the last one none, so that few and
// many rows meet.
OwnedTensor ChooseExperts(int rows, int chosen, int experts) {
  const OwnedTensor ids = MakeTensor(DType::kI32, {rows, chosen});
  Random random(12);
  for (int r = 0; r < rows; ++r) {
    const auto start = static_cast<int>(random.Bits() % static_cast<std::uint64_t>(experts - 2));
    for (int k = 0; k < chosen; ++k) {
      ids.tensor.i32()[r * chosen + k] = k == chosen - 1 ? 0 : 1 + (start + k) % (experts - 2);
    }
  }
  return ids;
}

TEST_P(EveryNetwork, MoeFfn) {
  constexpr int kExperts = 7, kChosen = 3;
  const FfnCase& c = GetParam();
  // What becomes of an absent network does not depend on its type: two types are enough.
  const bool without_shared = c.gate_up == DType::kF32 || c.gate_up == DType::kQ4_K;
  const Network routed = MakeExperts(c.gate_up, c.down, kExperts, c.inner, c.hidden, 20);
  const Network shared = MakeNetwork(c.gate_up, c.down, 2 * c.inner, c.hidden, 30);
  for (const int rows : {1, 2, 8, 33}) {
    const OwnedTensor x = RandomTensor(DType::kF32, {rows, c.hidden}, 13);
    const OwnedTensor ids = ChooseExperts(rows, kChosen, kExperts);
    const OwnedTensor weights = RandomTensor(DType::kF32, {rows, kChosen}, 14, 0.5);
    for (const bool with_shared : {true, false}) {
      if (!with_shared && !without_shared) continue;
      ExpectAgreement(std::to_string(rows) + " rows", c.tolerance, [&](Backend& b) {
        Step step(rows);
        const OwnedTensor out = MakeTensor(DType::kF32, {rows, c.hidden});
        RunStep(b, step, {}, [&] {
          b.MoeFfn({.x = x,
                    .ids = ids,
                    .weights = weights,
                    .routed = routed.Weights(),
                    .shared = with_shared ? shared.Weights() : SwiGluWeights{},
                    .out = out});
        });
        return Values(out);
      });
    }
  }
}

INSTANTIATE_TEST_SUITE_P(ExpertCases, EveryNetwork, testing::ValuesIn(kFfnCases),
                         [](const auto& test) {
                           return TestName(std::string(Info(test.param.gate_up).name) + "_" +
                                           std::string(Info(test.param.down).name));
                         });

struct ManyCase {
  const char* name;
  int experts, chosen, rows;
};
class ManyExperts : public testing::TestWithParam<ManyCase> {};

// The last expert has no row, others have one.
TEST_P(ManyExperts, MoeFfn) {
  constexpr int kSize = 32;
  const auto [name, experts, chosen, rows] = GetParam();
  const Network routed = MakeExperts(DType::kQ8_0, DType::kQ8_0, experts, kSize, kSize, 70);
  const OwnedTensor x = RandomTensor(DType::kF32, {rows, kSize}, 71);
  const OwnedTensor weights = RandomTensor(DType::kF32, {rows, chosen}, 72, 0.5);
  const OwnedTensor ids = MakeTensor(DType::kI32, {rows, chosen});
  for (int r = 0; r < rows; ++r) {
    for (int k = 0; k < chosen; ++k)
      ids.tensor.i32()[r * chosen + k] = (r * r + k * 13) % (experts - 1);
  }
  ExpectAgreement(name, kRoundedNetwork, [&](Backend& b) {
    Step step(rows);
    const OwnedTensor out = MakeTensor(DType::kF32, {rows, kSize});
    RunStep(b, step, {}, [&] {
      b.MoeFfn({.x = x,
                .ids = ids,
                .weights = weights,
                .routed = routed.Weights(),
                .shared = {},
                .out = out});
    });
    return Values(out);
  });
}

// More experts than a warp has lanes and than a block has threads; more choices than four; more
// rows of an expert than a tile has.
INSTANTIATE_TEST_SUITE_P(ExpertCases, ManyExperts,
                         testing::Values(ManyCase{"experts of a few warps", 70, 6, 33},
                                         ManyCase{"experts of two blocks", 140, 6, 33},
                                         ManyCase{"rows of two tiles", 3, 2, 150}),
                         [](const auto& test) { return TestName(test.param.name); });

// Gate and up as halves of one tensor, as fused files have them, used in place.
TEST(ExpertCases, MoeFfnWithFusedGateAndUp) {
  constexpr int kExperts = 5, kChosen = 2, kInner = 48, kHidden = 64;
  const OwnedTensor fused = RandomTensor(DType::kQ8_0, {kExperts, 2 * kInner, kHidden}, 60, 0.12);
  const OwnedTensor down = RandomTensor(DType::kF16, {kExperts, kHidden, kInner}, 61, 0.14);
  Tensor gate = fused.tensor;
  gate.shape[1] = kInner;
  gate.slab_stride = fused.tensor.slab_bytes();
  Tensor up = gate;
  up.data += kInner * fused.tensor.row_bytes();
  const Tensor last = fused.tensor.Slab(kExperts - 1);
  EXPECT_EQ(up.Slab(kExperts - 1).data, last.Rows(kInner, kInner).data);
  for (const int rows : {1, 33}) {
    const OwnedTensor x = RandomTensor(DType::kF32, {rows, kHidden}, 62);
    const OwnedTensor ids = ChooseExperts(rows, kChosen, kExperts);
    const OwnedTensor weights = RandomTensor(DType::kF32, {rows, kChosen}, 63, 0.5);
    ExpectAgreement("fused, " + std::to_string(rows) + " rows", kRoundedNetwork, [&](Backend& b) {
      Step step(rows);
      const OwnedTensor out = MakeTensor(DType::kF32, {rows, kHidden});
      RunStep(b, step, {}, [&] {
        b.MoeFfn({.x = x,
                  .ids = ids,
                  .weights = weights,
                  .routed = {gate, up, down},
                  .shared = {},
                  .out = out});
      });
      return Values(out);
    });
  }
}

// SiLU at the ends of f32: no overflow to NaN, and a NaN stays in its row.
TEST(ExpertCases, LargeGatesAndNan) {
  const Network network = MakeNetwork(DType::kF32, DType::kF32, 48, 16, 40);
  for (const int rows : {3, 9}) {
    const OwnedTensor x = RandomTensor(DType::kF32, {rows, 16}, 41, 200);
    x.tensor.f32()[16 + 3] = std::numeric_limits<float>::quiet_NaN();
    ExpectAgreement("gates of hundreds", kFloatSums, [&](Backend& b) {
      Step step(rows);
      const OwnedTensor out = MakeTensor(DType::kF32, {rows, 16});
      RunStep(b, step, {}, [&] { b.SwiGluFfn(x, network.Weights(), out); });
      return Values(out);
    });
  }
}

}  // namespace
}  // namespace paluku::op_cases
