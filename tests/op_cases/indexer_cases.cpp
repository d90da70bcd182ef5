// Sparse attention: IndexAppend, SelectTokens, and MlaAttention over the tokens they chose.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/backend/latent_row.h"
#include "tests/op_cases/harness.h"
#include "tests/op_cases/tolerances.h"

namespace paluku::op_cases {
namespace {

struct IndexCase {
  const char* name;
  int heads, index, rope, chosen;
  LatentType type;
  std::vector<SequenceShape> sequences;
};

const std::vector<IndexCase>& Cases() {
  using enum LatentType;
  static const std::vector<IndexCase> cases = {
      {"decode, few of many", 4, 32, 16, 8, kF32, {{200, 1}}},
      {"fewer tokens than places", 2, 16, 8, 64, kF32, {{20, 3}}},
      {"on both sides of k", 3, 24, 8, 10, kF16, {{6, 9}}},
      {"V3.2 widths", 64, 128, 64, 50, kF16, {{300, 2}}},
      {"two sequences", 5, 16, 16, 7, kQ8, {{0, 20}, {130, 3}}},
      // Several tokens and values for each thread of a card.
      {"long context", 1, 160, 8, 100, kF32, {{4500, 1}}},
      {"wide keys", 2, 1100, 64, 5, kF16, {{20, 2}}},
      {"wide keys of f32", 2, 640, 64, 5, kF32, {{20, 2}}},
  };
  return cases;
}

std::vector<float> Frequencies(int rope) {
  std::vector<float> frequencies;
  for (int i = 0; i < rope / 2; ++i) {
    frequencies.push_back(static_cast<float>(std::pow(10000.0, -2.0 * i / rope)));
  }
  return frequencies;
}

constexpr int kLatent = 32;
constexpr int kRope = 8;

Step MakeStep(const IndexCase& c) {
  return Step(c.sequences, c.type, 2, kLatent, kRope, 21, c.index);
}

// Positions chosen for every row.
OwnedTensor Select(Backend& backend, const IndexCase& c, Step& step, const LatentPages& pages,
                   const OwnedTensor& q, const Tensor& weights) {
  const std::vector<float> frequencies = Frequencies(c.rope);
  const OwnedTensor selected = MakeTensor(DType::kI32, {step.rows(), c.chosen});
  const OwnedTensor rotated = q.Copy();
  RunStep(backend, step, pages, [&] {
    backend.SelectTokens({.q = rotated,
                          .weights = weights,
                          .heads = c.heads,
                          .scale = 1 / std::sqrt(static_cast<float>(c.heads * c.index)),
                          .rope = {.inverse_frequency = frequencies, .interleaved = false},
                          .layer = 1,
                          .selected = selected});
  });
  return selected;
}

TEST(IndexerCases, IndexAppend) {
  for (const IndexCase& c : Cases()) {
    const std::vector<float> frequencies = Frequencies(c.rope);
    const OwnedTensor norm = RandomTensor(DType::kF32, {c.index}, 22);
    const OwnedTensor bias = RandomTensor(DType::kF32, {c.index}, 23);
    for (const bool interleaved : {false, true}) {
      ExpectAgreement(
          c.name, c.type == LatentType::kF32 ? kElementwise : kStoredHalf, [&](Backend& b) {
            Step step = MakeStep(c);
            const OwnedTensor key = RandomTensor(DType::kF32, {step.rows(), c.index}, 24, 5);
            const LatentPages pages = step.FreshPages();
            RunStep(b, step, pages, [&] {
              b.IndexAppend({.key = key,
                             .norm = norm,
                             .bias = bias,
                             .epsilon = 1e-6f,
                             .rope = {.inverse_frequency = frequencies, .interleaved = interleaved},
                             .layer = 1});
            });
            // Keys and rows of the whole cache: a write to a wrong place shows.
            std::vector<float> values;
            std::vector<float> row(kLatent + kRope), read(key.tensor.columns());
            const std::byte* end = pages.data + pages.page_count * pages.page_bytes();
            for (const std::byte* at = pages.data; at < end; at += pages.row_bytes()) {
              LoadLatentRow(pages, at, row.data());
              LoadIndexKey(pages, at, read.data());
              values.insert(values.end(), row.begin(), row.end());
              values.insert(values.end(), read.begin(), read.end());
            }
            return values;
          });
    }
  }
}

TEST(IndexerCases, SelectTokens) {
  for (const IndexCase& c : Cases()) {
    Step step = MakeStep(c);
    const OwnedTensor q =
        RandomTensor(DType::kF32, {step.rows(), std::int64_t{c.heads} * c.index}, 25);
    const OwnedTensor weights = RandomTensor(DType::kF32, {step.rows(), c.heads}, 26);
    // One other token would be an error of the size of the positions.
    ExpectAgreement(c.name, 0, [&](Backend& b) {
      return Values(Select(b, c, step, step.FreshPages(), q, weights));
    });
  }
}

// Of equal scores the earlier token is kept, and a NaN loses.
TEST(IndexerCases, TiesGoToTheEarlierToken) {
  const IndexCase c{"ties", 2, 16, 8, 5, LatentType::kF32, {{30, 2}}};
  Step step = MakeStep(c);
  const OwnedTensor q = RandomTensor(DType::kF32, {2, 2 * 16}, 27);
  const OwnedTensor weights = MakeTensor(DType::kF32, {2, 2});
  weights.tensor.f32()[2] = std::numeric_limits<float>::quiet_NaN();
  for (const Variant& variant : Variants()) {
    const std::vector<float> got =
        Values(Select(*variant.backend, c, step, step.FreshPages(), q, weights));
    EXPECT_EQ(got, (std::vector<float>{0, 1, 2, 3, 4, 0, 1, 2, 3, 4}));
  }
}

// Scores whose bits differ in one byte of the last three only: a card looks at one after the other.
TEST(IndexerCases, ScoresThatDifferInOneByte) {
  constexpr int kTokens = 40;
  const IndexCase c{"bytes", 1, 16, 8, 5, LatentType::kF32, {{kTokens - 1, 1}}};
  Step step = MakeStep(c);
  const OwnedTensor q = MakeTensor(DType::kF32, {1, 16});
  q.tensor.f32()[15] = 1;
  const OwnedTensor weights = MakeTensor(DType::kF32, {1, 1});
  weights.tensor.f32()[0] = 1;
  for (const int first_bit : {0, 8, 16}) {
    const auto rank = [](int token) { return token * 17 % kTokens; };
    std::vector<float> expected;
    for (int t = 0; t < kTokens; ++t) {
      if (rank(t) >= kTokens - c.chosen) expected.push_back(static_cast<float>(t));
    }
    for (const Variant& variant : Variants()) {
      const LatentPages pages = step.FreshPages();
      std::vector<float> key(16);
      for (int t = 0; t < kTokens; ++t) {
        key[15] = 1 + std::ldexp(static_cast<float>(rank(t)), first_bit - 23);
        const std::int32_t* table = step.batch().sequences.front().page_table.data();
        StoreIndexKey(pages, key.data(), pages.Row(table, 1, t));
      }
      EXPECT_EQ(Values(Select(*variant.backend, c, step, pages, q, weights)), expected)
          << variant.name << ", bit " << first_bit;
    }
  }
}

TEST(IndexerCases, AttentionOverTheChosenTokens) {
  constexpr int kHeads = 5, kNope = 16, kValue = 24;
  for (const IndexCase& c : Cases()) {
    Step step = MakeStep(c);
    const OwnedTensor index_q =
        RandomTensor(DType::kF32, {step.rows(), std::int64_t{c.heads} * c.index}, 28);
    const OwnedTensor weights = RandomTensor(DType::kF32, {step.rows(), c.heads}, 29);
    const OwnedTensor selected = Select(Reference(), c, step, step.FreshPages(), index_q, weights);
    const OwnedTensor q = RandomTensor(DType::kF32, {step.rows(), kHeads * (kNope + kRope)}, 30);
    const OwnedTensor w_uk = RandomTensor(DType::kF16, {kHeads, kNope, kLatent}, 31, 0.2);
    const OwnedTensor w_uv = RandomTensor(DType::kF16, {kHeads, kValue, kLatent}, 32, 0.2);
    for (const AttentionPath path :
         {AttentionPath::kAuto, AttentionPath::kAbsorbed, AttentionPath::kExpanded}) {
      ExpectAgreement(c.name, kFloatSums, [&](Backend& b) {
        const OwnedTensor out = MakeTensor(DType::kF32, {step.rows(), kHeads * kValue});
        RunStep(b, step, step.FreshPages(), [&] {
          b.MlaAttention({.q = q,
                          .w_uk = w_uk,
                          .w_uv = w_uv,
                          .heads = kHeads,
                          .nope = kNope,
                          .rope = kRope,
                          .latent = kLatent,
                          .value = kValue,
                          .scale = 0.3f,
                          .path = path,
                          .layer = 1,
                          .selected = selected,
                          .out = out});
        });
        return Values(out);
      });
    }
  }
}

}  // namespace
}  // namespace paluku::op_cases
