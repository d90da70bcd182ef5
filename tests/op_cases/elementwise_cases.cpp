// Embed, norms, rotation, cache writes, row gathering, sampling.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <set>
#include <span>

#include "engine/backend/latent_row.h"
#include "engine/sampling/sampling_params.h"
#include "tests/op_cases/harness.h"
#include "tests/op_cases/tolerances.h"

namespace paluku::op_cases {
namespace {

std::vector<float> Frequencies(int rope) {
  std::vector<float> frequencies;
  for (int i = 0; i < rope / 2; ++i) {
    frequencies.push_back(static_cast<float>(std::pow(10000.0, -2.0 * i / rope)));
  }
  return frequencies;
}

TEST(ElementwiseCases, EmbedEveryType) {
  for (int t = 0; t < kDTypeCount; ++t) {
    const auto dtype = static_cast<DType>(t);
    if (dtype == DType::kI32) continue;
    const OwnedTensor table = RandomTensor(dtype, {50, 512}, 1);
    ExpectAgreement(std::string(Info(dtype).name), 0, [&](Backend& b) {
      Step step(19);
      step.SetTokens({49, 0, 7, 7, 3, 48, 1, 2, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15});
      const OwnedTensor out = MakeTensor(DType::kF32, {19, 512});
      RunStep(b, step, {}, [&] { b.Embed(table, 1, out); });
      return Values(out);
    });
  }
}

TEST(ElementwiseCases, EmbedScaled) {
  const OwnedTensor table = RandomTensor(DType::kQ8_0, {9, 64}, 20);
  ExpectAgreement("times 12", kElementwise, [&](Backend& b) {
    Step step(3);
    step.SetTokens({8, 0, 3});
    const OwnedTensor out = MakeTensor(DType::kF32, {3, 64});
    RunStep(b, step, {}, [&] { b.Embed(table, 12, out); });
    return Values(out);
  });
}

TEST(ElementwiseCases, RmsNorm) {
  for (const std::int64_t n : {1, 3, 64, 100, 512, 2048, 5000, 7168}) {
    for (const int rows : {1, 2, 8, 33}) {
      const OwnedTensor x = RandomTensor(DType::kF32, {rows, n}, 2, 3);
      const OwnedTensor w = RandomTensor(DType::kF32, {n}, 3);
      ExpectAgreement("norm of " + std::to_string(n), kElementwise, [&](Backend& b) {
        Step step(rows);
        const OwnedTensor out = MakeTensor(DType::kF32, {rows, n});
        RunStep(b, step, {}, [&] { b.RmsNorm(x, w, 1e-6f, out); });
        return Values(out);
      });
    }
  }
}

TEST(ElementwiseCases, RmsNormInPlaceWithNanAndTinyRows) {
  const OwnedTensor x = RandomTensor(DType::kF32, {4, 96}, 4);
  x.tensor.f32()[96 + 5] = std::numeric_limits<float>::quiet_NaN();
  for (int i = 0; i < 96; ++i) x.tensor.f32()[192 + i] = i == 0 ? 1e-20f : 0.0f;
  const OwnedTensor w = RandomTensor(DType::kF32, {96}, 5);
  ExpectAgreement("in place", kElementwise, [&](Backend& b) {
    Step step(4);
    const OwnedTensor copy = x.Copy();
    RunStep(b, step, {}, [&] { b.RmsNorm(copy, w, 1e-5f, copy); });
    return Values(copy);
  });
}

TEST(ElementwiseCases, AddRmsNorm) {
  for (const std::int64_t n : {200, 5000}) {
    for (const int rows : {1, 9, 40}) {
      const OwnedTensor x = RandomTensor(DType::kF32, {rows, n}, 6);
      const OwnedTensor delta = RandomTensor(DType::kF32, {rows, n}, 7);
      const OwnedTensor w = RandomTensor(DType::kF32, {n}, 8);
      ExpectAgreement("sum and norm of " + std::to_string(n), kElementwise, [&](Backend& b) {
        Step step(rows);
        const OwnedTensor sum = x.Copy();
        const OwnedTensor out = MakeTensor(DType::kF32, {rows, n});
        RunStep(b, step, {}, [&] { b.AddRmsNorm(sum, delta, w, 1e-6f, out); });
        std::vector<float> values = Values(sum);
        const std::vector<float> normed = Values(out);
        values.insert(values.end(), normed.begin(), normed.end());
        return values;
      });
    }
  }
}

// Queries [rows, heads * (nope + rope)] as LatentAppend leaves them.
std::vector<float> RotateQueries(Backend& b, Step& step, const Tensor& kv, const OwnedTensor& q,
                                 int heads, int nope, const RopeParams& rope) {
  const OwnedTensor norm = RandomTensor(DType::kF32, {1}, 21);
  const OwnedTensor rotated = q.Copy();
  RunStep(b, step, step.FreshPages(), [&] {
    b.LatentAppend({.kv = kv,
                    .norm = norm,
                    .epsilon = 1e-6f,
                    .rope = rope,
                    .layer = 0,
                    .q = rotated,
                    .heads = heads,
                    .nope = nope});
  });
  return Values(rotated);
}

TEST(ElementwiseCases, LatentAppendRotatesQueries) {
  const std::vector<float> frequencies = Frequencies(16);
  const OwnedTensor kv = RandomTensor(DType::kF32, {5, 1 + 16}, 22);
  const OwnedTensor q = RandomTensor(DType::kF32, {5, 3 * (8 + 16)}, 9);
  const OwnedTensor many = RandomTensor(DType::kF32, {5, 40 * (8 + 16)}, 9);
  // Positions far out: an angle computed in f32 would be off by 0.01.
  for (const int cached : {0, 63, 150'000}) {
    Step step({{.cached = cached, .rows = 3}, {.cached = 1, .rows = 2}}, LatentType::kF32, 1, 1, 16,
              1);
    for (const bool interleaved : {true, false}) {
      const RopeParams rope{.inverse_frequency = frequencies, .interleaved = interleaved};
      ExpectAgreement("rope at " + std::to_string(cached), kElementwise,
                      [&](Backend& b) { return RotateQueries(b, step, kv, q, 3, 8, rope); });
      if (cached > 63) continue;
      ExpectAgreement("40 heads", kElementwise,
                      [&](Backend& b) { return RotateQueries(b, step, kv, many, 40, 8, rope); });
    }
  }
}

TEST(ElementwiseCases, RotationKeepsLengthAndDependsOnDistanceOnly) {
  const std::vector<float> frequencies = Frequencies(16);
  const OwnedTensor kv = RandomTensor(DType::kF32, {2, 1 + 16}, 23);
  const OwnedTensor pair = RandomTensor(DType::kF32, {2, 16}, 10);
  const auto dot_at = [&](int shift) {
    Step step({{.cached = shift, .rows = 2}}, LatentType::kF32, 1, 1, 16, 1);
    const std::vector<float> r = RotateQueries(*Variants().front().backend, step, kv, pair, 1, 0,
                                               {.inverse_frequency = frequencies});
    return std::inner_product(r.begin(), r.begin() + 16, r.begin() + 16, 0.0);
  };
  EXPECT_NEAR(dot_at(0), dot_at(100'000), 1e-4);
}

struct CacheType {
  LatentType type;
  double tolerance;
  const char* name;
};
constexpr CacheType kCacheTypes[] = {{LatentType::kF32, kElementwise, "f32"},
                                     {LatentType::kF16, kStoredHalf, "f16"},
                                     {LatentType::kQ8, kStoredInt8, "q8"}};

TEST(ElementwiseCases, LatentAppend) {
  for (const CacheType& cache : kCacheTypes) {
    for (const int latent : {64, 256, 512}) {
      const int rope = latent == 256 ? 32 : 64;
      const std::vector<float> frequencies = Frequencies(rope);
      const OwnedTensor norm = RandomTensor(DType::kF32, {latent}, 11);
      const bool interleaved = latent != 256;
      // Positions across the border of a page, two sequences, the second of two layers.
      const OwnedTensor kv = RandomTensor(DType::kF32, {12, latent + rope}, 12, 5);
      ExpectAgreement(std::string(cache.name) + " latent " + std::to_string(latent),
                      cache.tolerance, [&](Backend& b) {
                        Step step({{.cached = 60, .rows = 9}, {.cached = 0, .rows = 3}}, cache.type,
                                  2, latent, rope, 13);
                        const LatentPages pages = step.FreshPages();
                        RunStep(b, step, pages, [&] {
                          b.LatentAppend({.kv = kv,
                                          .norm = norm,
                                          .epsilon = 1e-6f,
                                          .rope = {.inverse_frequency = frequencies,
                                                   .interleaved = interleaved},
                                          .layer = 1});
                        });
                        // The whole cache, so that a write to a wrong place shows.
                        std::vector<float> values;
                        std::vector<float> row(static_cast<std::size_t>(latent + rope));
                        const std::byte* end = pages.data + pages.page_count * pages.page_bytes();
                        for (const std::byte* at = pages.data; at < end; at += pages.row_bytes()) {
                          LoadLatentRow(pages, at, row.data());
                          values.insert(values.end(), row.begin(), row.end());
                        }
                        return values;
                      });
    }
  }
}

TEST(ElementwiseCases, LatentRowsKeepTheirPrecision) {
  Random random(14);
  std::vector<float> row(576), back(576);
  for (float& v : row) v = static_cast<float>(random.Normal());
  // Rounding to f16: relative 2^-12 rms; to int8: see kRoundedActivations.
  const struct {
    LatentType type;
    double tolerance;
  } cases[] = {{LatentType::kF32, 0}, {LatentType::kF16, 1e-7}, {LatentType::kQ8, 6e-5}};
  for (const auto& c : cases) {
    const LatentPages pages{.type = c.type, .layers = 1, .latent = 512, .rope = 64};
    std::vector<std::byte> bytes(static_cast<std::size_t>(pages.row_bytes()));
    StoreLatentRow(pages, row.data(), bytes.data());
    LoadLatentRow(pages, bytes.data(), back.data());
    EXPECT_LE(Nmse(row, back), c.tolerance);
  }
}

TEST(ElementwiseCases, GatherRows) {
  const OwnedTensor x = RandomTensor(DType::kF32, {9, 30}, 15);
  ExpectAgreement("rows 0, 3, 8", 0, [&](Backend& b) {
    Step step(9);
    step.SetOutputRows({0, 3, 8});
    const OwnedTensor out = MakeTensor(DType::kF32, {3, 30});
    RunStep(b, step, {}, [&] { b.GatherRows(x, out); });
    return Values(out);
  });
}

float Draw(Backend& b, const OwnedTensor& logits, const SamplingParams& params,
           std::span<const std::int32_t> history, std::uint64_t position) {
  Step step(1);
  const OwnedTensor token = MakeTensor(DType::kI32, {1});
  RunStep(b, step, {}, [&] { b.Sample(logits, params, history, position, token); });
  return static_cast<float>(*token.tensor.i32());
}

TEST(ElementwiseCases, SampleDrawsTheSameEverywhere) {
  const OwnedTensor logits = RandomTensor(DType::kF32, {1000}, 16, 2);
  const SamplingParams params{.temperature = 1.0f, .top_k = 40, .seed = 17};
  ExpectAgreement("20 draws", 0, [&](Backend& b) {
    std::vector<float> drawn;
    for (std::uint64_t position = 0; position < 20; ++position) {
      drawn.push_back(Draw(b, logits, params, {}, position));
    }
    return drawn;
  });
}

// So many draws from equal logits that each 64th of the vocabulary is hit.
TEST(ElementwiseCases, SampleFromFlatLogits) {
  const OwnedTensor logits = MakeTensor(DType::kF32, {1024});
  const SamplingParams params{.temperature = 1, .top_k = 0, .top_p = 1, .min_p = 0, .seed = 31};
  ExpectAgreement("400 draws", 0, [&](Backend& b) {
    std::vector<float> drawn;
    for (std::uint64_t position = 0; position < 400; ++position) {
      drawn.push_back(Draw(b, logits, params, {}, position));
    }
    std::set<int> parts;
    for (const float id : drawn) parts.insert(static_cast<int>(id) / 16);
    EXPECT_EQ(parts.size(), 64u);
    return drawn;
  });
}

// Every step of the sampler, logits that no number are or that tie, and penalties on a history with
// repetitions and ids outside the vocabulary.
TEST(ElementwiseCases, SampleWithEverySetting) {
  const SamplingParams settings[] = {
      {.temperature = 0},
      {.temperature = 0.7f, .top_p = 0.8f, .seed = 1},
      {.temperature = 1.5f, .top_p = 1, .min_p = 0.2f, .seed = 2},
      {.temperature = 1, .top_k = 7, .top_p = 0.5f, .min_p = 0.05f, .seed = 3},
      {.temperature = 1, .top_p = 0, .seed = 4},
      {.temperature = 1, .top_k = 1, .seed = 5},
      {.temperature = 1, .top_k = 22, .top_p = 1, .seed = 8},
      {.temperature = 0.8f,
       .top_p = 0.95f,
       .repetition_penalty = 1.3f,
       .presence_penalty = 0.5f,
       .frequency_penalty = 0.25f,
       .penalty_window = 9,
       .seed = 6},
  };
  const std::vector<std::int32_t> history = {5, 1, 2, 3, 3, 3, -1, 400, 7, 7, 8};
  // A card gives a thread one id of the small vocabulary and ten of the large one.
  for (const std::int64_t vocabulary : {300, 5000}) {
    const OwnedTensor logits = RandomTensor(DType::kF32, {vocabulary}, 30, 2);
    const float top = vocabulary == 300 ? 5 : 8;
    for (int i = 40; i < 60; ++i) logits.tensor.f32()[i] = top;  // ties, also far apart
    for (const int first : {3000, 3700}) {
      for (int i = first; i < first + 11 && i < vocabulary; ++i) logits.tensor.f32()[i] = top;
    }
    logits.tensor.f32()[45] = std::numeric_limits<float>::quiet_NaN();
    logits.tensor.f32()[46] = -std::numeric_limits<float>::infinity();
    ExpectAgreement(std::to_string(vocabulary) + " logits", 0, [&](Backend& b) {
      std::vector<float> drawn;
      for (const SamplingParams& params : settings) {
        for (const std::uint64_t position : {0u, 1u, 2u}) {
          drawn.push_back(Draw(b, logits, params, history, position));
        }
      }
      return drawn;
    });
  }
}

TEST(ElementwiseCases, SampleFromNothing) {
  const OwnedTensor logits = MakeTensor(DType::kF32, {40});
  for (int i = 0; i < 40; ++i) {
    logits.tensor.f32()[i] = i % 2 == 0 ? std::numeric_limits<float>::quiet_NaN()
                                        : -std::numeric_limits<float>::infinity();
  }
  ExpectAgreement("no token", 0, [&](Backend& b) {
    Step step(1);
    const OwnedTensor token = MakeTensor(DType::kI32, {1});
    RunStep(b, step, {}, [&] { b.Sample(logits, {}, {}, 0, token); });
    EXPECT_EQ(*token.tensor.i32(), -1);
    return std::vector<float>{static_cast<float>(*token.tensor.i32())};
  });
}

// After a request to stop, operations leave their output alone and Synchronise tells once.
TEST(ElementwiseCases, StoppedStepsDoNothingAndSaySo) {
  const OwnedTensor x = RandomTensor(DType::kF32, {2, 64}, 18);
  const OwnedTensor w = RandomTensor(DType::kF32, {64}, 19);
  std::vector<Backend*> backends = {&Reference()};
  for (const Variant& variant : Variants()) backends.push_back(variant.backend);
  for (Backend* b : backends) {
    Step step(2);
    std::stop_source source;
    const OwnedTensor out = MakeTensor(DType::kF32, {2, 64});
    const OwnedTensor product = MakeTensor(DType::kF32, {2, 2});
    b->RunStep(0, step.batch(), {}, source.get_token(), [&] {
      source.request_stop();
      b->RmsNorm(x, w, 1e-6f, out);
      b->MatMul(x, x, product);
    });
    const Status status = b->Synchronise();
    ASSERT_FALSE(status.has_value());
    EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
    EXPECT_TRUE(b->Synchronise().has_value());
    for (const float v : Values(out)) EXPECT_EQ(v, 0.0f);
  }
}

}  // namespace
}  // namespace paluku::op_cases
