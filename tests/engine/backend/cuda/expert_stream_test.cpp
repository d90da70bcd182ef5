// Experts that pass through the card, on the emulator: the answer is the one of a card that has
// them all, to the bit, and of the processor where there is no memory for them; a request to stop
// ends a step in the middle of a layer.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "engine/backend/registry.h"
#include "engine/base/log.h"
#include "engine/session/session.h"
#include "tests/support/cuda_emulator/cuda_emulator.h"

namespace paluku {
namespace {

constexpr char kStarter[] = PALUKU_SOURCE_DIR "/resources/starter/paluku-starter.gguf";
constexpr int kRows = 24, kSteps = 2;  // each of so many rows, with logits of the last
constexpr int kContext = kRows * kSteps;

std::vector<std::int32_t> Tokens(int step) {
  std::vector<std::int32_t> tokens(kRows);
  for (int i = 0; i < kRows; ++i) tokens[static_cast<std::size_t>(i)] = 7 * i + 31 * step + 300;
  return tokens;
}

// Launches whose kernel has `part` in its name.
int Launches(std::string_view part) {
  int count = 0;
  for (std::size_t i = 0; i < paluku_emu_launch_count(); ++i) {
    if (std::string_view(paluku_emu_launch(i).kernel).find(part) != std::string_view::npos) ++count;
  }
  return count;
}

class ExpertStream : public ::testing::Test {
 protected:
  void SetUp() override {
    paluku_emu_set("shadow", "0");  // hybrid_test has it on
    paluku_emu_reset_counters();
    auto backend = CreateBackend({.name = "cuda", .threads = 2});
    ASSERT_TRUE(backend.has_value()) << backend.error().Message();
    backend_ = std::move(*backend);
  }
  void TearDown() override {
    paluku_emu_set("fault", "");
    backend_.reset();
    EXPECT_EQ(paluku_emu_report_count(), 0U);
  }

  std::unique_ptr<Session> Load(int expert_layers, int stream_rows) {
    auto file = ModelFile::Open(kStarter);
    EXPECT_TRUE(file.has_value());
    auto config = ModelConfig::Parse(**file);
    EXPECT_TRUE(config.has_value());
    auto session = Session::Create(*backend_, *file, *config,
                                   {.context_tokens = kContext,
                                    .expert_layers_on_card = expert_layers,
                                    .stream_rows = stream_rows},
                                   {}, {});
    EXPECT_TRUE(session.has_value());
    return std::move(*session);
  }

  // Logits of the last row of all steps.
  std::vector<float> Logits(Session& session) {
    LatentSequence sequence(session.cache());
    const auto vocabulary = static_cast<std::size_t>(session.config().vocabulary);
    std::vector<float> logits(kSteps * vocabulary);
    for (std::size_t step = 0; step < kSteps; ++step) {
      const std::int32_t last = kRows - 1;
      const Status done = session.Step(sequence, Tokens(static_cast<int>(step)), {&last, 1}, {});
      EXPECT_TRUE(done.has_value()) << done.error().Message();
      session.ReadLogits(std::span(logits).subspan(step * vocabulary, vocabulary));
    }
    return logits;
  }

  std::unique_ptr<Backend> backend_;
};

TEST_F(ExpertStream, AnswersAsACardThatHasThemAll) {
  constexpr int kSlices = 4;  // of sixteen experts
  auto session = Load(kAllLayers, 0);
  const ModelConfig config = session->config();
  int layers = 0;
  for (int i = 0; i < config.layers; ++i) layers += config.HasExperts(i) ? 1 : 0;
  ASSERT_GE(layers, 3);
  // The last layer has but one row, which is the processor's in both.
  session = Load(layers - 1, 0);
  paluku_emu_reset_counters();
  const std::vector<float> expected = Logits(*session);
  const int products = Launches("ProductKernel");
  session = Load(0, kRows);
  paluku_emu_reset_counters();
  EXPECT_EQ(Logits(*session), expected);
  EXPECT_EQ(Launches("ProductKernel") - products, kSteps * (layers - 1) * 2 * (kSlices - 1));
}

TEST_F(ExpertStream, WithoutMemoryForThemTheProcessorAnswersAndTheLogSaysSo) {
  const std::filesystem::path log =
      std::filesystem::path(::testing::TempDir()) / "paluku_expert_stream_test.log";
  std::filesystem::remove(log);
  ASSERT_TRUE(OpenLog(log).has_value());
  std::vector<float> expected;
  {
    const auto session = Load(1, 0);
    expected = Logits(*session);  // and all other working memory is there
  }
  const auto session = Load(1, kRows);
  paluku_emu_set("fault", ("memory:" + std::to_string(paluku_emu_memory_used())).c_str());
  EXPECT_EQ(Logits(*session), expected);
  std::ifstream lines(log);
  const std::string text((std::istreambuf_iterator<char>(lines)), {});
  const std::size_t said = text.find("no memory for experts to pass through");
  EXPECT_NE(said, std::string::npos);
  EXPECT_EQ(text.find("no memory for experts", said + 1), std::string::npos) << "once";
}

TEST_F(ExpertStream, StopsInTheMiddleOfALayer) {
  const auto session = Load(0, kRows);
  const std::vector<float> expected = Logits(*session);
  const std::size_t whole = paluku_emu_launch_count();
  paluku_emu_reset_counters();
  LatentSequence sequence(session->cache());
  std::stop_source stop;
  const std::jthread other([&] {
    while (Launches("GroupKernel") == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    stop.request_stop();
  });
  const std::int32_t last = kRows - 1;
  const Status done = session->Step(sequence, Tokens(0), {&last, 1}, stop.get_token());
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, ErrorCode::kCancelled);
  EXPECT_LT(paluku_emu_launch_count(), whole / kSteps);
  EXPECT_EQ(sequence.length(), 0);
  EXPECT_EQ(Logits(*session), expected) << "nothing of it is left";
}

}  // namespace
}  // namespace paluku
