// MlaAttention: both ways, every cache type, several sequences in a step, contexts across pages,
// tiles and chunks.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <utility>

#include "tests/op_cases/harness.h"
#include "tests/op_cases/tolerances.h"

namespace paluku::op_cases {
namespace {

struct AttentionCase {
  const char* name;
  int heads, nope, rope, latent, value;
  LatentType type;
  DType weights;
  std::vector<SequenceShape> sequences;
};

const std::vector<AttentionCase>& Cases() {
  using enum LatentType;
  static const std::vector<AttentionCase> cases = {
      {"one token, empty cache", 16, 32, 16, 64, 32, kF32, DType::kF32, {{0, 1}}},
      {"decode in the first page", 16, 32, 16, 64, 32, kF16, DType::kF16, {{40, 1}}},
      {"decode on a page border", 4, 24, 8, 64, 20, kF32, DType::kF32, {{64, 1}}},
      {"odd number of heads", 20, 48, 16, 64, 64, kF16, DType::kF16, {{150, 1}}},
      {"one head", 1, 16, 8, 64, 16, kF32, DType::kBF16, {{33, 2}}},
      {"V2-Lite heads, long", 16, 128, 64, 512, 128, kF16, DType::kF16, {{700, 1}}},
      {"f32 latent of V2-Lite widths", 2, 24, 64, 512, 40, kF32, DType::kF16, {{90, 1}}},
      {"wide int8 latent, narrow rope", 3, 24, 16, 256, 20, kQ8, DType::kF32, {{90, 1}}},
      {"latent that 8 does not divide", 3, 24, 8, 36, 20, kF16, DType::kF16, {{70, 2}}},
      {"int8 latent", 8, 64, 32, 256, 64, kQ8, DType::kBF16, {{129, 1}}},
      {"many chunks", 2, 16, 8, 32, 16, kF32, DType::kF32, {{5000, 2}}},
      {"prefill from empty", 3, 24, 8, 64, 16, kF32, DType::kF32, {{0, 33}}},
      {"prefill over pages", 2, 16, 16, 64, 32, kF16, DType::kF16, {{50, 150}}},
      {"append eight", 20, 16, 8, 64, 16, kQ8, DType::kF32, {{100, 8}}},
      {"seven rows, GLM widths", 2, 192, 64, 512, 256, kF16, DType::kBF16, {{70, 7}}},
      {"prefill, V2-Lite heads", 2, 128, 64, 512, 128, kF16, DType::kF16, {{75, 90}}},
      {"prefill, GLM widths", 1, 192, 64, 512, 256, kQ8, DType::kBF16, {{30, 40}}},
      {"prefill of three, GigaChat widths",
       2,
       128,
       64,
       512,
       192,
       kF16,
       DType::kF32,
       {{0, 70}, {100, 3}, {5, 20}}},
      {"prefill, MiniCPM3 widths", 3, 64, 32, 256, 64, kQ8, DType::kF16, {{66, 33}}},
      {"prefill, long context", 1, 64, 32, 256, 64, kF16, DType::kF16, {{1100, 20}}},
      {"three sequences", 5, 16, 8, 64, 24, kF16, DType::kF16, {{0, 5}, {127, 1}, {60, 20}}},
  };
  return cases;
}

struct Inputs {
  OwnedTensor q, w_uk, w_uv;
  bool turned = false;
};

Inputs MakeInputs(const AttentionCase& c, int rows) {
  const double sigma_k = 1 / std::sqrt(c.latent);
  return {
      RandomTensor(DType::kF32, {rows, static_cast<std::int64_t>(c.heads) * (c.nope + c.rope)}, 1),
      RandomTensor(c.weights, {c.heads, c.nope, c.latent}, 2, sigma_k),
      RandomTensor(c.weights, {c.heads, c.value, c.latent}, 3, sigma_k)};
}

// What a model may add to plain attention.
struct Extras {
  float temperature = 0;
  int temperature_length = 0;
  Tensor selected = {};
};

double ToleranceOf(const AttentionCase& c, AttentionPath path) {
  if (!OnCard() || c.latent < 256 || c.type == LatentType::kF32) return kFloatSums;
  if (c.type == LatentType::kQ8) return kTensorCoreQ8;
  return path == AttentionPath::kAbsorbed ? kTensorCoreF16 : kTensorCoreExpanded;
}

std::vector<float> Attend(Backend& backend, const AttentionCase& c, Step& step, const Inputs& in,
                          AttentionPath path, const Extras& extras = {}) {
  const OwnedTensor out =
      MakeTensor(DType::kF32, {step.rows(), static_cast<std::int64_t>(c.heads) * c.value});
  RunStep(backend, step, step.FreshPages(), [&] {
    backend.MlaAttention({.q = in.q,
                          .w_uk = in.w_uk,
                          .w_uv = in.w_uv,
                          .heads = c.heads,
                          .nope = c.nope,
                          .rope = c.rope,
                          .latent = c.latent,
                          .value = c.value,
                          .scale = 1.5f / std::sqrt(static_cast<float>(c.nope + c.rope)),
                          .temperature = extras.temperature,
                          .temperature_length = extras.temperature_length,
                          .path = path,
                          .w_uk_turned = in.turned,
                          .layer = 1,
                          .selected = extras.selected,
                          .out = out});
  });
  return Values(out);
}

class EveryWay : public testing::TestWithParam<AttentionCase> {};

TEST_P(EveryWay, AgreesWithTheReference) {
  const AttentionCase& c = GetParam();
  Step step(c.sequences, c.type, 2, c.latent, c.rope, 4);
  const Inputs in = MakeInputs(c, step.rows());
  // The reference is slow where it is exact twice, so it goes the absorbed way here and the other
  // test compares its two ways.
  const std::vector<float> expected = Attend(Reference(), c, step, in, AttentionPath::kAbsorbed);
  for (const AttentionPath path :
       {AttentionPath::kAbsorbed, AttentionPath::kExpanded, AttentionPath::kAuto}) {
    ExpectAgreement(
        "path " + std::to_string(static_cast<int>(path)), ToleranceOf(c, path),
        [&](Backend& b) { return &b == &Reference() ? expected : Attend(b, c, step, in, path); });
  }
}

INSTANTIATE_TEST_SUITE_P(AttentionCases, EveryWay, testing::ValuesIn(Cases()),
                         [](const auto& test) { return TestName(test.param.name); });

// Heads that do and do not fill the rows of a tensor core's product, in every width of the
// published models, for one token and for two.
class NumberOfHeads : public testing::TestWithParam<int> {};

TEST_P(NumberOfHeads, EveryLatent) {
  const int heads = GetParam();
  for (const int latent : {256, 512}) {
    for (const LatentType type : {LatentType::kF16, LatentType::kQ8}) {
      const int rope = latent == 512 || heads % 32 == 0 ? 64 : 32;
      const int rows = heads == 20 || heads == 32 ? 2 : 1;
      const AttentionCase c{"", heads, 16, rope, latent, 32, type, DType::kF16, {{70, rows}}};
      Step step(c.sequences, c.type, 2, c.latent, c.rope, 11);
      const Inputs in = MakeInputs(c, step.rows());
      ExpectAgreement(std::to_string(heads) + " heads, latent " + std::to_string(latent),
                      ToleranceOf(c, AttentionPath::kAbsorbed),
                      [&](Backend& b) { return Attend(b, c, step, in, AttentionPath::kAbsorbed); });
    }
  }
}

INSTANTIATE_TEST_SUITE_P(AttentionCases, NumberOfHeads, testing::Values(16, 20, 32, 40, 64, 128),
                         testing::PrintToStringParamName());

TEST(AttentionCases, TheTwoWaysOfTheReferenceAreOne) {
  for (const AttentionCase& c : Cases()) {
    if (c.latent > 64 || c.sequences.front().cached > 1000) continue;
    Step step(c.sequences, c.type, 2, c.latent, c.rope, 5);
    const Inputs in = MakeInputs(c, step.rows());
    EXPECT_LE(Nmse(Attend(Reference(), c, step, in, AttentionPath::kExpanded),
                   Attend(Reference(), c, step, in, AttentionPath::kAbsorbed)),
              kElementwise)
        << c.name;
  }
}

// Scores far apart: the softmax must neither overflow nor lose the largest.
TEST(AttentionCases, LargeScores) {
  const AttentionCase c{"large", 3, 16, 8, 64, 16, LatentType::kF32, DType::kF32, {{200, 3}}};
  Step step(c.sequences, c.type, 2, c.latent, c.rope, 6);
  Inputs in = MakeInputs(c, step.rows());
  for (std::int64_t i = 0; i < in.q.tensor.elements(); ++i) in.q.tensor.f32()[i] *= 300;
  // One token takes nearly all the weight; errors of its score do not matter, those of near ties
  // do.
  for (const AttentionPath path : {AttentionPath::kAbsorbed, AttentionPath::kExpanded}) {
    ExpectAgreement("scores of hundreds", 1e-6,
                    [&](Backend& b) { return Attend(b, c, step, in, path); });
  }
}

// A row must not see what comes after it: later rows filled with other values change nothing.
TEST(AttentionCases, LaterTokensAreInvisible) {
  const AttentionCase c{"causal", 4, 16, 8, 64, 16, LatentType::kF32, DType::kF32, {{30, 40}}};
  Step step(c.sequences, c.type, 2, c.latent, c.rope, 7);
  const Inputs in = MakeInputs(c, step.rows());
  Step shorter({{30, 20}}, c.type, 2, c.latent, c.rope, 7);
  Inputs part = MakeInputs(c, 20);
  for (std::int64_t i = 0; i < part.q.tensor.elements(); ++i)
    part.q.tensor.f32()[i] = in.q.tensor.f32()[i];
  // The shorter cache holds the same rows for its tokens of layer 1 only if both are filled in the
  // same order, so the comparison is by the reference of each.
  for (const AttentionPath path : {AttentionPath::kAbsorbed, AttentionPath::kExpanded}) {
    ExpectAgreement("20 of 40 rows", kFloatSums,
                    [&](Backend& b) { return Attend(b, c, shorter, part, path); });
    ExpectAgreement("40 rows", kFloatSums,
                    [&](Backend& b) { return Attend(b, c, step, in, path); });
  }
}

constexpr AttentionPath kWays[] = {AttentionPath::kAbsorbed, AttentionPath::kExpanded};

// The scale grows with the position of the row, in steps of temperature_length. The second shape is
// one of those that a card has tensor cores for.
TEST(AttentionCases, TemperatureByPosition) {
  const AttentionCase cases[] = {
      {"", 5, 16, 8, 64, 24, LatentType::kF16, DType::kF16, {{120, 30}, {0, 3}}},
      {"", 5, 16, 8, 64, 24, LatentType::kF16, DType::kF16, {{640, 1}}},
      {"", 3, 64, 32, 256, 64, LatentType::kF16, DType::kF16, {{120, 30}, {0, 3}}},
  };
  for (const AttentionCase& c : cases) {
    Step step(c.sequences, c.type, 2, c.latent, c.rope, 8);
    const Inputs in = MakeInputs(c, step.rows());
    const Extras extras{.temperature = 0.5f, .temperature_length = 64};
    for (const AttentionPath path : kWays) {
      ExpectAgreement("temperature, latent " + std::to_string(c.latent), ToleranceOf(c, path),
                      [&](Backend& b) { return Attend(b, c, step, in, path, extras); });
    }
    EXPECT_GT(Nmse(Attend(Reference(), c, step, in, AttentionPath::kAbsorbed, extras),
                   Attend(Reference(), c, step, in, AttentionPath::kAbsorbed)),
              1e-3);
  }
}

// Only some tokens are looked at, in the widths that a card has tensor cores for (the others:
// indexer_cases.cpp).
TEST(AttentionCases, ChosenTokensOfWideRows) {
  constexpr int kChosen = 40;
  for (const LatentType type : {LatentType::kF16, LatentType::kQ8}) {
    const AttentionCase c{"", 5, 16, 32, 256, 24, type, DType::kF16, {{200, 2}, {5, 1}}};
    Step step(c.sequences, c.type, 2, c.latent, c.rope, 12);
    const Inputs in = MakeInputs(c, step.rows());
    const OwnedTensor selected = MakeTensor(DType::kI32, {step.rows(), kChosen});
    for (int row = 0; row < step.rows(); ++row) {
      const int visible = step.batch().positions[static_cast<std::size_t>(row)] + 1;
      for (int i = 0; i < kChosen; ++i) {
        std::int32_t& token = selected.tensor.i32()[row * kChosen + i];
        token = visible > kChosen ? i * visible / kChosen : i < visible ? i : -1;
      }
    }
    ExpectAgreement("chosen tokens", ToleranceOf(c, AttentionPath::kAbsorbed), [&](Backend& b) {
      return Attend(b, c, step, in, AttentionPath::kAuto, {.selected = selected.tensor});
    });
  }
}

// W_UK and W_UV side by side in one tensor, as older files have them, used in place.
TEST(AttentionCases, UpProjectionsWithGaps) {
  const AttentionCase c{"", 3, 16, 8, 64, 24, LatentType::kF32, DType::kF16, {{70, 20}}};
  Step step(c.sequences, c.type, 2, c.latent, c.rope, 9);
  Inputs in = MakeInputs(c, step.rows());
  const OwnedTensor both = RandomTensor(c.weights, {c.heads, c.nope + c.value, c.latent}, 10, 0.1);
  const auto part = [&](std::int64_t first, std::int64_t rows) {
    Tensor view = both.tensor;
    view.shape[1] = rows;
    view.data += first * both.tensor.row_bytes();
    view.slab_stride = both.tensor.slab_bytes();
    return view;
  };
  in.w_uk.tensor = part(0, c.nope);
  in.w_uv.tensor = part(c.nope, c.value);
  Inputs plain = MakeInputs(c, step.rows());
  plain.w_uk = MakeTensor(c.weights, {c.heads, c.nope, c.latent});
  plain.w_uv = MakeTensor(c.weights, {c.heads, c.value, c.latent});
  for (int head = 0; head < c.heads; ++head) {
    for (const auto& [from, to] : {std::pair(in.w_uk.tensor, plain.w_uk.tensor),
                                   std::pair(in.w_uv.tensor, plain.w_uv.tensor)}) {
      const Tensor slab = from.Slab(head);
      std::memcpy(to.Slab(head).data, slab.data, static_cast<std::size_t>(slab.bytes()));
    }
  }
  for (const AttentionPath path : kWays) {
    const std::vector<float> expected = Attend(Reference(), c, step, plain, path);
    ExpectAgreement("with gaps", kFloatSums,
                    [&](Backend& b) { return Attend(b, c, step, in, path); });
    EXPECT_EQ(Attend(Reference(), c, step, in, path), expected);
  }
}

// The same numbers as f32, where they are turned as [heads, nope, latent].
Inputs AsFloats(const AttentionCase& c, const Inputs& in) {
  Inputs out;
  out.q = in.q.Copy();
  const auto floats = [](const Tensor& from, const Tensor& to) {
    Info(from.dtype).dequantise(from.data, to.f32(), from.elements());
  };
  out.w_uv = MakeTensor(DType::kF32, {c.heads, c.value, c.latent});
  floats(in.w_uv, out.w_uv);
  out.w_uk = MakeTensor(DType::kF32, {c.heads, c.nope, c.latent});
  floats(in.w_uk, out.w_uk);
  if (!in.turned) return out;
  const std::vector<float> from = Values(out.w_uk);
  for (int head = 0; head < c.heads; ++head) {
    const auto first = static_cast<std::size_t>(head) * c.nope * c.latent;
    for (int n = 0; n < c.nope; ++n) {
      for (int i = 0; i < c.latent; ++i) {
        out.w_uk.tensor.f32()[first + n * c.latent + i] =
            from[first + static_cast<std::size_t>(i) * c.nope + n];
      }
    }
  }
  return out;
}

// W_UK of `keys` and W_UV of `values` in f32, for one row and for several, and on tensor cores.
void ExpectQuantisedUpProjections(DType keys, DType values, bool turned) {
  using enum LatentType;
  struct Way {
    LatentType type;
    int rows;
    AttentionPath path;
  };
  const int nope = turned && Info(keys).block_elements == 256 ? 256 : 64;
  for (const Way& way :
       {Way{kF32, 1, AttentionPath::kAbsorbed}, Way{kF32, 9, AttentionPath::kAbsorbed},
        Way{kF16, 1, AttentionPath::kAbsorbed}, Way{kF16, 9, AttentionPath::kExpanded},
        Way{kQ8, 9, AttentionPath::kExpanded}}) {
    const AttentionCase c{"", 3, nope, 32, 256, 64, way.type, keys, {{70, way.rows}}};
    Step step(c.sequences, c.type, 2, c.latent, c.rope, 12);
    Inputs in = MakeInputs(c, step.rows());
    in.turned = turned;
    in.w_uv = RandomTensor(values, {c.heads, c.value, c.latent}, 13, 0.06);
    in.w_uk = turned ? RandomTensor(keys, {c.heads, c.latent, c.nope}, 14, 0.05)
                     : RandomTensor(keys, {c.heads, c.nope, c.latent}, 14, 0.05);
    const std::vector<float> expected =
        Attend(Reference(), c, step, AsFloats(c, in), AttentionPath::kAbsorbed);
    EXPECT_LE(Nmse(expected, Attend(Reference(), c, step, in, AttentionPath::kAbsorbed)),
              kElementwise);
    if (!Variants().front().backend->TakesQuantisedUpProjections()) continue;
    ExpectAgreement(std::string(Info(keys).name) + (turned ? " turned and " : " and ") +
                        std::string(Info(values).name) + ", " + std::to_string(way.rows) + " rows",
                    ToleranceOf(c, way.path), [&](Backend& b) {
                      return &b == &Reference() ? expected : Attend(b, c, step, in, way.path);
                    });
  }
}

// A type of every pair of forms of integers and of scales that the card has.
constexpr DType kForms[] = {DType::kQ4_0,  DType::kQ4_1, DType::kQ5_0,  DType::kQ5_1,
                            DType::kQ8_0,  DType::kQ4_K, DType::kQ5_K,  DType::kQ6_K,
                            DType::kQ3_K,  DType::kQ2_K, DType::kMXFP4, DType::kIQ4_XS,
                            DType::kIQ2_XS};

class QuantisedUpProjections : public testing::TestWithParam<std::size_t> {
 protected:
  // W_UK of the one type, W_UV of another.
  DType keys() const { return kForms[GetParam()]; }
  DType values() const { return kForms[(GetParam() + 3) % std::size(kForms)]; }
};

TEST_P(QuantisedUpProjections, AgreeWithFloats) {
  ExpectQuantisedUpProjections(keys(), values(), false);
}

TEST_P(QuantisedUpProjections, AgreeWithFloatsWhereKeysAreTurned) {
  ExpectQuantisedUpProjections(keys(), values(), true);
}

INSTANTIATE_TEST_SUITE_P(AttentionCases, QuantisedUpProjections,
                         testing::Range(std::size_t{0}, std::size(kForms)),
                         [](const auto& test) { return TestName(Info(kForms[test.param]).name); });

}  // namespace
}  // namespace paluku::op_cases
