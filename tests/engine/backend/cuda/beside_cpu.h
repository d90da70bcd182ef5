// What the tests of a card beside the CPU share: one conversation per backend, teacher-forced by
// the CPU's choice, and the limits of what the card's logits may differ.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <numeric>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/backend/registry.h"
#include "tests/engine/model/golden.h"

namespace paluku::test {

inline constexpr int kPrompt = 32;
inline constexpr int kSteps = 8;

// Steps of one conversation on one backend.
class Conversation {
 public:
  Conversation(const std::string& file, const EngineSetup& setup)
      : model_(LoadModel(file, setup, kPrompt + kSteps)), sequence_(model_.session->cache()) {}

  // Logits after the last of `tokens`.
  std::vector<float> Step(std::span<const std::int32_t> tokens) {
    return Step(tokens, static_cast<int>(tokens.size()) - 1);
  }
  // Logits after each of `tokens`, [tokens, vocabulary].
  std::vector<float> StepOfAll(std::span<const std::int32_t> tokens) { return Step(tokens, 0); }
  // A step that is asked to stop at once.
  Status Stopped(std::span<const std::int32_t> tokens) {
    std::stop_source stop;
    stop.request_stop();
    return model_.session->Step(sequence_, tokens, {}, stop.get_token());
  }

 private:
  std::vector<float> Step(std::span<const std::int32_t> tokens, int first_output) {
    std::vector<std::int32_t> rows(tokens.size() - static_cast<std::size_t>(first_output));
    std::iota(rows.begin(), rows.end(), first_output);
    const Status status = model_.session->Step(sequence_, tokens, rows, {});
    EXPECT_TRUE(status.has_value()) << status.error().Message();
    std::vector<float> logits(rows.size() *
                              static_cast<std::size_t>(model_.session->config().vocabulary));
    model_.session->ReadLogits(logits);
    return logits;
  }

  Loaded model_;
  LatentSequence sequence_;
};

inline std::int32_t Best(const std::vector<float>& logits) {
  return static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

// The lead of the best logit over the second.
inline float Lead(std::vector<float> logits) {
  std::nth_element(logits.begin(), logits.begin() + 1, logits.end(), std::greater<>());
  return logits[0] - logits[1];
}

inline float Difference(const std::vector<float>& a, const std::vector<float>& b) {
  float largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::fabs(a[i] - b[i]));
  return largest;
}

// The logits of a step agree, and so does the choice wherever the CPU's first two are further apart
// than twice what the logits differ. Returns the NMSE.
inline double ExpectSame(const std::vector<float>& got, const std::vector<float>& expected,
                         int vocabulary, double limit) {
  const double nmse = Nmse(got, expected, vocabulary);
  EXPECT_LE(nmse, limit);
  if (Lead(expected) > 2 * Difference(got, expected)) {
    EXPECT_EQ(Best(got), Best(expected));
  }
  return nmse;
}

// main() of such a test: 77, "skipped", where there is no card.
inline int RunWithCard(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (const auto card = paluku::CreateBackend({.name = "cuda"}); !card) {
    std::printf("SKIPPED: %s\n", card.error().Message().c_str());
    return 77;
  }
  return RUN_ALL_TESTS();
}

}  // namespace paluku::test
