// Metadata of models: figures of published ones, defaults of old files, refusals by name.
#include "engine/model/model_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/model/rope.h"
#include "tests/engine/loader/tiny_model.h"

namespace paluku::test {
namespace {

using testing::HasSubstr;

Result<ModelConfig> Parse(const GgufBuilder& builder) {
  const auto file = ModelFile::Open(builder.Write("config.gguf"));
  if (!file) return tl::unexpected(file.error());
  return ModelConfig::Parse(**file);
}

GgufBuilder V2Lite() { return V2LiteMetadata().U32("deepseek2.expert_count", 64); }

GgufBuilder Yarn(float factor, float log_multiplier) {
  return V2LiteMetadata()
      .Text("deepseek2.rope.scaling.type", "yarn")
      .F32("deepseek2.rope.scaling.factor", factor)
      .U32("deepseek2.rope.scaling.original_context_length", 4096)
      .F32("deepseek2.rope.scaling.yarn_log_multiplier", log_multiplier);
}

TEST(ModelConfig, ReadsTheShapesOfV2Lite) {
  const ModelConfig config = Parse(V2Lite()).value();
  EXPECT_EQ(config.layers, 27);
  EXPECT_EQ(config.dense_layers, 1);
  EXPECT_EQ(config.vocabulary, 102'400);
  EXPECT_EQ(config.q_lora, 0);
  EXPECT_EQ(config.nope, 128);
  EXPECT_EQ(config.rope, 64);
  EXPECT_EQ(config.value, 128);
  EXPECT_EQ(config.experts, 64);
  EXPECT_EQ(config.experts_chosen, 6);
  EXPECT_TRUE(config.HasExperts(1));
  EXPECT_FALSE(config.HasExperts(0));
}

TEST(ModelConfig, DefaultsOfOldFiles) {
  const ModelConfig config = Parse(V2Lite()).value();
  EXPECT_EQ(config.gate, GateFunction::kSoftmax);
  EXPECT_EQ(config.group_score, GroupScore::kMax);
  EXPECT_EQ(config.groups, 1);
  EXPECT_FALSE(config.normalise_weights);
  EXPECT_EQ(config.expert_scale, 1.0f);
  EXPECT_EQ(Parse(V2Lite().F32("deepseek2.expert_weights_scale", 0)).value().expert_scale, 1.0f);
}

TEST(ModelConfig, ABiasMeansSigmoidWhenTheFileDoesNotSay) {
  const auto with_bias = [] {
    return V2Lite().RawTensor("blk.1.exp_probs_b.bias", {256}, 34, 64).Tail(64);
  };
  EXPECT_EQ(Parse(with_bias()).value().gate, GateFunction::kSigmoid);
  EXPECT_EQ(Parse(with_bias()).value().group_score, GroupScore::kTopTwoSum);
  EXPECT_EQ(Parse(with_bias().U32("deepseek2.expert_gating_func", 1)).value().gate,
            GateFunction::kSoftmax);
}

TEST(ModelConfig, GroupsOfModelsWhoseFilesLackThem) {
  const ModelConfig v2 = Parse(V2LiteMetadata().U32("deepseek2.expert_count", 160)).value();
  EXPECT_EQ(v2.groups, 8);
  EXPECT_EQ(v2.groups_chosen, 3);
  GgufBuilder v3 = V2LiteMetadata().U32("deepseek2.expert_count", 256);
  EXPECT_EQ(Parse(v3).value().groups, 1) << "27 layers are no V3";
  const ModelConfig said = Parse(V2LiteMetadata()
                                     .U32("deepseek2.expert_count", 160)
                                     .U32("deepseek2.expert_group_count", 4)
                                     .U32("deepseek2.expert_group_used_count", 2))
                               .value();
  EXPECT_EQ(said.groups, 4);
  EXPECT_EQ(said.groups_chosen, 2);
}

TEST(ModelConfig, AttentionScaleCarriesMscaleSquared) {
  const auto scale = [](float factor, float multiplier) {
    return Parse(Yarn(factor, multiplier).U32("deepseek2.expert_count", 64))
        .value()
        .attention_scale;
  };
  EXPECT_NEAR(scale(40, 0.0707f), 0.114721, 1e-6);  // V2-Lite
  EXPECT_NEAR(scale(40, 0.1f), 0.135234, 1e-6);     // V3
  EXPECT_NEAR(scale(32, 0.1f), 0.130861, 1e-6);     // Kimi K2
  EXPECT_NEAR(Parse(V2Lite()).value().attention_scale, 1 / std::sqrt(192.0), 1e-7);
}

TEST(ModelConfig, YarnSlowsThePairsOfItsRamp) {
  const auto config = Parse(Yarn(40, 0.1f).U32("deepseek2.expert_count", 64)).value();
  const auto plain = InverseFrequencies(64, 10'000, {});
  ASSERT_EQ(config.inverse_frequency.size(), 32u);
  for (std::size_t i = 0; i < 32; ++i) {
    const double slowed = config.inverse_frequency[i] / plain[i];
    const double ramp = std::clamp((static_cast<double>(i) - 10) / 13, 0.0, 1.0);  // 10 to 23
    EXPECT_NEAR(slowed, 1 - ramp + ramp / 40, 1e-6) << i;
  }
}

TEST(ModelConfig, KimiK2IsAStepWhetherTheFileSaysItOrNot) {
  const auto k2 = Parse(Yarn(32, 0.1f).U32("deepseek2.expert_count", 384)).value();
  const auto said = Parse(Yarn(32, 0.1f)
                              .U32("deepseek2.expert_count", 64)
                              .F32("deepseek2.rope.scaling.yarn_beta_fast", 1)
                              .F32("deepseek2.rope.scaling.yarn_beta_slow", 1))
                        .value();
  const auto plain = InverseFrequencies(64, 10'000, {});
  EXPECT_EQ(k2.inverse_frequency, said.inverse_frequency);
  // corr(1) for theta 10,000 and 4,096 tokens lies between pairs 22 and 23.
  EXPECT_FLOAT_EQ(k2.inverse_frequency[22], plain[22]);
  EXPECT_FLOAT_EQ(k2.inverse_frequency[23], plain[23] / 32);
}

TEST(ModelConfig, LegacyHeadWidthsWithoutTheMlaKeys) {
  const ModelConfig config =
      ModelConfig::Parse(**ModelFile::Open(MakeTinyModel().Write("tiny.gguf"))).value();
  EXPECT_EQ(config.nope, 16);
  EXPECT_EQ(config.value, 16);
}

TEST(ModelConfig, BlocksForMultiTokenPredictionAreNoLayers) {
  const ModelConfig config =
      Parse(V2Lite().RawTensor("blk.26.nextn.eh_proj.weight", {256}, 34, 64).Tail(64)).value();
  EXPECT_EQ(config.layers, 26);
}

TEST(ModelConfig, DenseModelsHaveNoExperts) {
  const ModelConfig config = Parse(V2LiteMetadata()).value();  // no expert_count
  EXPECT_EQ(config.experts, 0);
  EXPECT_EQ(config.dense_layers, 27);
  EXPECT_FALSE(config.HasExperts(26));
}

// A count of such blocks, in a file that left them out.
TEST(ModelConfig, PredictionBlocksThatAreCountedButAbsent) {
  const auto counted = [] { return V2Lite().U32("deepseek2.nextn_predict_layers", 1); };
  EXPECT_EQ(Parse(counted()).value().layers, 26);
  const auto present = counted().RawTensor("blk.26.attn_norm.weight", {16}, 0, 64).Tail(64);
  EXPECT_EQ(Parse(present).value().layers, 27) << "a whole layer is there";
}

// What was taken for absent keys, as `key: value`.
std::vector<std::string> Assumed(const GgufBuilder& builder) {
  std::vector<std::string> assumed;
  const ModelConfig config = Parse(builder).value();
  for (const ModelNote& note : config.notes) {
    if (note.code == ModelNoteCode::kValueAssumed) {
      assumed.push_back(note.subject + ": " + note.detail);
    }
  }
  return assumed;
}

TEST(ModelConfig, ValuesForAbsentKeysAreNoted) {
  EXPECT_THAT(Assumed(V2Lite()),
              testing::UnorderedElementsAre("deepseek2.expert_weights_norm: no",
                                            "deepseek2.expert_weights_scale: 1",
                                            "deepseek2.expert_gating_func: softmax"));
  EXPECT_THAT(Assumed(V2LiteMetadata().U32("deepseek2.expert_count", 160)),
              testing::IsSupersetOf({"deepseek2.expert_group_count: 8 (DeepSeek-V2)",
                                     "deepseek2.expert_group_used_count: 3 (DeepSeek-V2)"}));
  EXPECT_THAT(Assumed(Yarn(32, 0.1f).U32("deepseek2.expert_count", 384)),
              testing::IsSupersetOf({"deepseek2.rope.scaling.yarn_beta_fast: 1 (Kimi K2)",
                                     "deepseek2.rope.scaling.yarn_beta_slow: 1"}));
  EXPECT_THAT(Assumed(V2Lite()
                          .Bool("deepseek2.expert_weights_norm", false)
                          .F32("deepseek2.expert_weights_scale", 1)
                          .U32("deepseek2.expert_gating_func", 1)),
              testing::IsEmpty());
}

TEST(ModelConfig, MembersOfAFamilyAreNamed) {
  EXPECT_EQ(Parse(V2Lite()).value().family, "DeepSeek-V2-Lite");
  EXPECT_EQ(Parse(V2LiteMetadata().U32("deepseek2.expert_count", 160)).value().family,
            "DeepSeek-V2");
  EXPECT_EQ(Parse(V2LiteMetadata().U32("deepseek2.expert_count", 12)).value().family,
            "DeepSeek-V2/V3");
}

// Metadata of MiniCPM3-4B as its files have it: no value length, no scales, no rope keys.
GgufBuilder MiniCpm3() {
  GgufBuilder builder;
  builder.Text("general.architecture", "minicpm3")
      .U32("minicpm3.block_count", 62)
      .U32("minicpm3.context_length", 32'768)
      .U32("minicpm3.embedding_length", 2560)
      .U32("minicpm3.feed_forward_length", 6400)
      .U32("minicpm3.attention.head_count", 40)
      .U32("minicpm3.attention.q_lora_rank", 768)
      .U32("minicpm3.attention.kv_lora_rank", 256)
      .U32("minicpm3.attention.key_length", 96)
      .F32("minicpm3.attention.layer_norm_rms_epsilon", 1e-5f)
      .U32("minicpm3.rope.dimension_count", 32)
      .RawTensor("token_embd.weight", {256, 73'448}, 34, 0);
  return builder;
}

TEST(ModelConfig, MiniCpm3CarriesItsScalesInEmbeddingEpsilonAndOutput) {
  const ModelConfig config = Parse(MiniCpm3().Tail(32)).value();
  EXPECT_EQ(config.family, "MiniCPM3-4B");
  EXPECT_EQ(config.value, 64);
  EXPECT_EQ(config.nope, 64);
  EXPECT_FALSE(config.interleaved_rope);
  const double branch = 1.4 / std::sqrt(62.0);
  EXPECT_NEAR(config.embedding_scale, 12 / branch, 1e-3);
  EXPECT_NEAR(config.epsilon / (1e-5 / branch / branch), 1, 1e-5);
  EXPECT_FLOAT_EQ(config.latent_epsilon, 1e-5f);
  EXPECT_FLOAT_EQ(config.output_scale, 0.1f);
  EXPECT_THAT(Assumed(MiniCpm3().Tail(32)),
              testing::IsSupersetOf({"minicpm3.embedding_scale: 12 (MiniCPM3)",
                                     "minicpm3.logit_scale: 10 (MiniCPM3)",
                                     "minicpm3.attention.value_length: 64"}));
  const ModelConfig said = Parse(MiniCpm3().F32("minicpm3.logit_scale", 4).Tail(32)).value();
  EXPECT_FLOAT_EQ(said.output_scale, 0.25f);
}

TEST(ModelConfig, LongRopeGoesByTheLengthOfTheContext) {
  const std::vector<float> short_factors(16, 2.0f), long_factors(16, 8.0f);
  GgufBuilder builder = MiniCpm3();
  builder.Tail(32)
      .Tensor("rope_factors_short.weight", {16}, std::as_bytes(std::span(short_factors)))
      .Tensor("rope_factors_long.weight", {16}, std::as_bytes(std::span(long_factors)));
  ModelConfig config = Parse(builder).value();
  EXPECT_FLOAT_EQ(config.inverse_frequency[0], 1 / 2.0f);
  config.FitContext(32'768);
  EXPECT_FLOAT_EQ(config.inverse_frequency[0], 1 / 2.0f);
  config.FitContext(32'769);
  EXPECT_FLOAT_EQ(config.inverse_frequency[0], 1 / 8.0f);
  const std::vector<float> zero(16);
  GgufBuilder wrong = MiniCpm3();
  wrong.Tail(32)
      .Tensor("rope_factors_short.weight", {16}, std::as_bytes(std::span(zero)))
      .Tensor("rope_factors_long.weight", {16}, std::as_bytes(std::span(zero)));
  EXPECT_THAT(Parse(wrong).error().detail, HasSubstr("rope_factors_short"));
}

TEST(ModelConfig, TemperatureGoesByTheContextBeforeYarn) {
  const auto yarn = [] {
    return Yarn(128, 0.1f)
        .U32("deepseek2.expert_count", 128)
        .F32("deepseek2.attention.temperature_scale", 0.1f);
  };
  EXPECT_EQ(Parse(yarn()).value().temperature_length, 4096);
  EXPECT_FLOAT_EQ(Parse(yarn()).value().temperature, 0.1f);
  EXPECT_EQ(
      Parse(yarn().U32("deepseek2.attention.temperature_length", 8192)).value().temperature_length,
      8192);
}

TEST(ModelConfig, OtherFamiliesAreRefusedByName) {
  const Error error = Parse(GgufBuilder().Text("general.architecture", "llama")).error();
  EXPECT_EQ(error.code, ErrorCode::kUnsupportedArchitecture);
  EXPECT_EQ(error.detail, "llama");
  for (const char* known : {"deepseek", "deepseek2-ocr", "deepseek4", "glm-dsa", "kimi-linear",
                            "longcat-flash", "minicpm"}) {
    const Error refused = Parse(GgufBuilder().Text("general.architecture", known)).error();
    EXPECT_EQ(refused.code, ErrorCode::kModelNotRunnable);
    EXPECT_THAT(refused.detail, testing::StartsWith(std::string(known) + ": "));
  }
  EXPECT_EQ(Parse(GgufBuilder().U32("x", 1)).error().code, ErrorCode::kMissingKey);
}

struct BadCase {
  const char* key;
  GgufBuilder builder;
};

TEST(ModelConfig, ValuesOutOfRangeNameTheirKey) {
  const auto text = [](const char* key, const char* value) { return V2Lite().Text(key, value); };
  const auto number = [](const char* key, float value) { return V2Lite().F32(key, value); };
  const BadCase cases[] = {
      {"rope.scaling.type", text("deepseek2.rope.scaling.type", "longrope")},
      {"temperature_length", number("deepseek2.attention.temperature_scale", 0.1f)},
      {"expert_gating_func", V2Lite().U32("deepseek2.expert_gating_func", 4)},
      {"expert_group_count",
       V2Lite().U32("deepseek2.expert_group_count", 7).U32("deepseek2.expert_group_used_count", 2)},
      {"expert_group_used_count", V2Lite()
                                      .U32("deepseek2.expert_group_count", 32)
                                      .U32("deepseek2.expert_group_used_count", 2)},
      {"expert_count", V2LiteMetadata().U32("deepseek2.expert_count", 1'000'000)},
      {"expert_used_count", V2LiteMetadata().U32("deepseek2.expert_count", 4)},
      {"yarn_ext_factor", Yarn(40, 0.1f)
                              .U32("deepseek2.expert_count", 64)
                              .F32("deepseek2.rope.scaling.yarn_ext_factor", 0.5f)},
      {"value_length", MiniCpm3().U32("minicpm3.attention.value_length", 30).Tail(32)},
      {"yarn_log_multiplier", Yarn(40, -1).U32("deepseek2.expert_count", 64)},
  };
  for (const BadCase& bad : cases) {
    const auto config = Parse(bad.builder);
    ASSERT_FALSE(config.has_value()) << bad.key;
    EXPECT_EQ(config.error().code, ErrorCode::kBadValue) << bad.key;
    EXPECT_THAT(config.error().detail, HasSubstr(bad.key));
  }
}

}  // namespace
}  // namespace paluku::test
