// The engine through its facade: answers, reuse, stops, limits and damage, on a tiny random model.
#include "engine/session/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "engine/base/utf8.h"
#include "tests/engine/loader/tiny_model.h"
#include "tests/engine/session/recording_sink.h"

namespace paluku::test {
namespace {

using testing::HasSubstr;

std::vector<std::int32_t> Prompt(int count, int seed = 1) {
  std::vector<std::int32_t> ids = {kTinyBos};
  while (static_cast<int>(ids.size()) < count) {
    const int i = static_cast<int>(ids.size());
    ids.push_back((i * 37 + seed * 101 + i * i) % 256);
  }
  return ids;
}

class EngineTest : public testing::Test {
 protected:
  void SetUp() override { Reload(); }
  void Reload(int context = 2048) {
    engine_ = Engine::Create({}).value();
    const Status status =
        engine_->Load(path_, {.context_tokens = context, .latent_type = LatentType::kF32}, {}, {});
    ASSERT_TRUE(status.has_value()) << status.error().Message();
  }
  Result<GenerationResult> Generate(std::vector<std::int32_t> prompt, int max_tokens,
                                    std::stop_token stop = {}) {
    sink_ = RecordingSink();
    sink_.on_prefill = on_prefill_;
    sink_.on_text = on_text_;
    GenerationRequest request = {
        .prompt = std::move(prompt), .max_tokens = max_tokens, .sampling = {}};
    request.sampling.temperature = 0;
    return engine_->Generate(request, sink_, stop);
  }

  const std::string path_ = MakeTinyModel().Write("engine.gguf");
  std::unique_ptr<Engine> engine_;
  RecordingSink sink_;
  std::function<void(int)> on_prefill_;
  std::function<void(int)> on_text_;
};

TEST_F(EngineTest, SaysWhatItLoaded) {
  const auto model = engine_->model();
  EXPECT_EQ(model->card.name, "Tiny");
  EXPECT_EQ(model->context_tokens, 2048);
  EXPECT_EQ(model->latent_bytes_per_token, 3 * 4 * (32 + 8));
  EXPECT_EQ(model->plain_bytes_per_token, 3 * 4 * 4 * (16 + 8 + 16));
  ASSERT_NE(model->chat_template, nullptr);
  EXPECT_TRUE(model->card.unsupported.empty());
}

TEST_F(EngineTest, AnswersAndTellsTheSink) {
  const auto result = Generate(Prompt(600), 12).value();
  EXPECT_EQ(result.reason, StopReason::kTokenLimit);
  EXPECT_EQ(result.tokens.size(), 12u);
  EXPECT_EQ(result.stats.prompt_tokens, 600);
  EXPECT_EQ(result.stats.generated_tokens, 12);
  EXPECT_GT(result.stats.decode_seconds, 0);
  EXPECT_THAT(sink_.prefill,
              testing::ElementsAre(std::pair(0, 600), std::pair(512, 600), std::pair(600, 600)));
  std::string bytes;
  for (const std::int32_t id : result.tokens) {
    if (id < 256) bytes += engine_->model()->tokenizer->Piece(id);
  }
  EXPECT_EQ(sink_.answer + sink_.reasoning, RepairUtf8(bytes));
  EXPECT_EQ(engine_->cached_tokens(), 611) << "the last token was never read by the model";
}

TEST_F(EngineTest, AKnownPrefixGivesTheSameAnswerAsAColdCache) {
  auto branch = Prompt(300);
  for (int i = 0; i < 90; ++i) branch.push_back((i * 11) % 256);
  const auto cold = Generate(branch, 20).value();
  EXPECT_EQ(cold.stats.reused_tokens, 0);
  Reload();
  ASSERT_TRUE(Generate(Prompt(400), 5).has_value());
  const auto warm = Generate(branch, 20).value();
  EXPECT_EQ(warm.stats.reused_tokens, 300);
  EXPECT_EQ(warm.tokens, cold.tokens);
  const auto again = Generate(branch, 20).value();
  EXPECT_EQ(again.stats.reused_tokens, 389);
  EXPECT_EQ(again.tokens, cold.tokens);
  auto next_turn = branch;
  next_turn.insert(next_turn.end(), cold.tokens.begin(), cold.tokens.end());
  next_turn.push_back(kTinyUser);
  EXPECT_EQ(Generate(next_turn, 1).value().stats.reused_tokens, 390 + 19);
}

TEST_F(EngineTest, AStopInPrefillKeepsWhatIsCommitted) {
  std::stop_source stop;
  on_prefill_ = [&](int done) {
    if (done == 512) stop.request_stop();
  };
  const auto stopped = Generate(Prompt(1500), 5, stop.get_token()).value();
  EXPECT_EQ(stopped.reason, StopReason::kCancelled);
  EXPECT_TRUE(stopped.tokens.empty());
  EXPECT_EQ(engine_->cached_tokens(), 512);
  on_prefill_ = nullptr;
  const auto resumed = Generate(Prompt(1500), 5).value();
  EXPECT_EQ(resumed.stats.reused_tokens, 512);
  Reload();
  EXPECT_EQ(Generate(Prompt(1500), 5).value().tokens, resumed.tokens);
}

TEST_F(EngineTest, AStopWhileAnsweringEndsIt) {
  std::stop_source stop;
  on_text_ = [&](int tokens) {
    if (tokens >= 10) stop.request_stop();
  };
  const auto result = Generate(Prompt(50), 0, stop.get_token()).value();
  EXPECT_EQ(result.reason, StopReason::kCancelled);
  EXPECT_GE(result.tokens.size(), 10u);
  EXPECT_LE(result.tokens.size(), 30u) << "text comes late only while a character is incomplete";
}

TEST_F(EngineTest, TheContextIsNeverExceededSilently) {
  Reload(128);
  const auto result = Generate(Prompt(100), 0).value();
  if (result.reason != StopReason::kEndOfTurn) {
    EXPECT_EQ(result.reason, StopReason::kContextFull);
    EXPECT_EQ(result.tokens.size(), 29u) << "28 that fit and the one they lead to";
  }
  EXPECT_EQ(Generate(Prompt(129), 1).error().code, ErrorCode::kContextFull);
  EXPECT_TRUE(Generate(Prompt(128), 1).has_value());
}

TEST_F(EngineTest, OldConversationsMakeRoomForNewOnes) {
  Reload(256);
  for (int seed = 0; seed < 12; ++seed) {
    ASSERT_TRUE(Generate(Prompt(200, seed), 20).has_value()) << seed;
    EXPECT_LE(engine_->cached_tokens(), 320);
  }
  EXPECT_EQ(Generate(Prompt(200, 11), 1).value().stats.reused_tokens, 199) << "the newest stays";
}

TEST_F(EngineTest, WhatCannotBeAnsweredIsAnError) {
  EXPECT_EQ(Generate({}, 1).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Generate({kTinyVocabulary}, 1).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Generate({-1}, 1).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(engine_->Logits({}, false).error().code, ErrorCode::kInvalidArgument);
  engine_->Unload();
  EXPECT_EQ(Generate({1}, 1).error().code, ErrorCode::kNoModel);
  EXPECT_EQ(engine_->BenchDecode(1, 0).error().code, ErrorCode::kNoModel);
  EXPECT_EQ(engine_->model(), nullptr);
}

TEST_F(EngineTest, AFileCutWhileAnsweringIsDamaged) {
  const std::string copy = path_ + ".copy";
  std::filesystem::copy_file(path_, copy, std::filesystem::copy_options::overwrite_existing);
  ASSERT_TRUE(engine_->Load(copy, {.context_tokens = 512}, {}, {}).has_value());
  on_text_ = [&](int) { std::filesystem::resize_file(copy, 4096); };
  const auto result = Generate(Prompt(20), 200);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::kFileDamaged);
  EXPECT_EQ(result.error().subject, copy);
}

TEST_F(EngineTest, LogitsOfAllPositionsEndWithThoseOfTheLast) {
  const auto ids = Prompt(150);
  const auto all = engine_->Logits(ids, true).value();
  const auto last = engine_->Logits(ids, false).value();
  ASSERT_EQ(all.size(), 150u * kTinyVocabulary);
  ASSERT_EQ(last.size(), static_cast<std::size_t>(kTinyVocabulary));
  for (std::size_t i = 0; i < last.size(); ++i) {
    EXPECT_NEAR(all[149 * kTinyVocabulary + i], last[i], 1e-4);
  }
  EXPECT_EQ(engine_->cached_tokens(), 0);
}

TEST_F(EngineTest, MeasuresItself) {
  EXPECT_GT(engine_->BenchPrefill(64, 0).value(), 0);
  EXPECT_GT(engine_->BenchPrefill(64, 100).value(), 0);
  EXPECT_GT(engine_->BenchDecode(4, 100).value(), 0);
  EXPECT_EQ(engine_->BenchDecode(4, 2048).error().code, ErrorCode::kContextFull);
  EXPECT_TRUE(Generate(Prompt(2048), 1).has_value()) << "the measured pages were given back";
}

TEST_F(EngineTest, LoadingReportsAndCanBeStopped) {
  std::vector<std::int64_t> done;
  std::int64_t total = 0;
  const LoadProgress progress = [&](std::int64_t now, std::int64_t all) {
    done.push_back(now);
    total = all;
  };
  ASSERT_TRUE(engine_->Load(path_, {}, progress, {}).has_value());
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
  EXPECT_EQ(done.back(), total);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(engine_->Load(path_, {}, {}, stop.get_token()).error().code, ErrorCode::kCancelled);
  EXPECT_EQ(engine_->model(), nullptr) << "no model is loaded after an error";
}

// Work between two looks at the stop is one tensor's, wherever it comes.
TEST_F(EngineTest, AStopIsSeenBeforeTheNextTensor) {
  int all = 0;
  ASSERT_TRUE(engine_->Load(path_, {}, [&](std::int64_t, std::int64_t) { ++all; }, {}));
  ASSERT_GT(all, 20);
  for (int at = 1; at < all; ++at) {
    std::stop_source stop;
    int calls = 0;
    const LoadProgress progress = [&](std::int64_t, std::int64_t) {
      if (++calls == at) stop.request_stop();
    };
    const Status loaded = engine_->Load(path_, {}, progress, stop.get_token());
    ASSERT_EQ(loaded.has_value(), at == all - 1) << "nothing is left to do after the last tensor";
    EXPECT_LE(calls, at + 1);
    if (loaded) continue;
    EXPECT_EQ(loaded.error().code, ErrorCode::kCancelled);
    EXPECT_EQ(calls, at);
  }
}

TEST_F(EngineTest, FilesThatCannotRunSayWhy) {
  const auto load = [&](const std::string& path) {
    return engine_->Load(path, {}, {}, {}).error();
  };
  EXPECT_EQ(load("/nowhere.gguf").code, ErrorCode::kFileNotFound);
  EXPECT_EQ(load(WriteFile("text.gguf", std::as_bytes(std::span("hello")))).code,
            ErrorCode::kNotAModelFile);
  const Error llama = load(GgufBuilder().Text("general.architecture", "llama").Write("llama.gguf"));
  EXPECT_EQ(llama.code, ErrorCode::kUnsupportedArchitecture);
  EXPECT_THAT(llama.Message(), HasSubstr("llama"));
  EXPECT_EQ(load(MakeTinyModel({.tokenizer = false}).Write("mute.gguf")).code,
            ErrorCode::kMissingKey);
}

TEST(ModelCard, SumsUpAFile) {
  const auto card = ReadModelCard(MakeTinyModel().Write("card.gguf")).value();
  EXPECT_EQ(card.architecture, "deepseek2");
  EXPECT_EQ(card.layers, 3);
  EXPECT_EQ(card.experts, 8);
  EXPECT_EQ(card.experts_chosen, 2);
  EXPECT_EQ(card.vocabulary, kTinyVocabulary);
  EXPECT_EQ(card.tokenizer, "deepseek-v3");
  EXPECT_EQ(card.chat_template, "deepseek-v3");
  EXPECT_EQ(card.type_name, "F32");
  // Six of eight experts of two layers and the embedding are left untouched by a token.
  EXPECT_EQ(card.parameters - card.active_parameters, 2 * 6 * 3 * 32 * 64 + kTinyVocabulary * 64);
  EXPECT_TRUE(card.unsupported.empty());
}

TEST(ModelCard, TellsEveryReasonWhyAFileCannotRun) {
  const auto card = ReadModelCard(V2LiteMetadata().Write("odd.gguf")).value();
  EXPECT_EQ(card.layers, 27);
  ASSERT_EQ(card.unsupported.size(), 2u);
  EXPECT_THAT(card.unsupported[0].Message(), HasSubstr("TQ1_0, 2 tensors"));
  EXPECT_THAT(card.unsupported[1].Message(), HasSubstr("tokenizer"));
}

}  // namespace
}  // namespace paluku::test
