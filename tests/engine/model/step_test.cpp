// Properties of a step that no golden file holds: several sequences at once, chunks of any size,
// weights that are wrong, a request to stop.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/engine/loader/tiny_model.h"
#include "tests/engine/model/golden.h"

namespace paluku::test {
namespace {

using testing::HasSubstr;

std::vector<std::int32_t> Ids(int count, int seed) {
  std::vector<std::int32_t> ids;
  for (int i = 0; i < count; ++i) ids.push_back((i * 37 + seed * 101 + i * i) % 256);
  return ids;
}

class Steps : public testing::TestWithParam<EngineSetup> {
 protected:
  Loaded Load(int context) {
    return LoadModel(MakeTinyModel().Write("step.gguf"), GetParam(), context);
  }
};

TEST_P(Steps, ChunksOfAnySizeGiveTheSame) {
  const auto ids = Ids(150, 1);
  const Loaded model = Load(150);
  const std::vector<std::int32_t> positions = {0, 63, 64, 100, 149};
  const auto expected = ComputeLogits(*model.session, ids, positions, 150);
  for (const int chunk : {1, 7, 64, 65}) {
    const auto logits = ComputeLogits(*model.session, ids, positions, chunk);
    EXPECT_LE(Nmse(logits, expected, kTinyVocabulary), 1e-9) << chunk;
  }
}

// The last tensor lies in a second file; it is drawn last, so the others are the same without it.
TEST_P(Steps, ASplitModelAnswersLikeTheWholeOne) {
  const auto whole = ModelFile::Open(MakeTinyModel().Write("whole.gguf"));
  ASSERT_TRUE(whole.has_value());
  const auto count = static_cast<std::uint32_t>((*whole)->tensors().size());
  const auto part = [&](GgufBuilder builder, std::uint32_t number) {
    builder.U32("split.no", number).U32("split.count", 2).U32("split.tensors.count", count);
    return builder.Write("split-0000" + std::to_string(number + 1) + "-of-00002.gguf");
  };
  const std::string name = "blk.2.ffn_down_shexp.weight";
  const Tensor moved = *(*whole)->FindTensor(name);
  const auto bytes = std::span(moved.data, static_cast<std::size_t>(moved.bytes()));
  const std::string first = part(MakeTinyModel({.leave_out = name}), 0);
  part(GgufBuilder().Tensor(name, {moved.dim(0), moved.dim(1)}, bytes), 1);

  const auto ids = Ids(20, 4);
  const std::vector<std::int32_t> last = {19};
  const auto expected = ComputeLogits(*Load(64).session, ids, last, kPrefillChunk);
  const Loaded split = LoadModel(first, GetParam(), 64);
  EXPECT_EQ(ComputeLogits(*split.session, ids, last, kPrefillChunk), expected);
}

// Two sequences of different lengths, one in prefill and one in decode, share a step.
TEST_P(Steps, SeveralSequencesInOneStepEqualSeparateOnes) {
  const Loaded model = Load(600);
  const auto long_ids = Ids(90, 2);
  const auto short_ids = Ids(21, 3);
  const std::vector<std::int32_t> last_long = {89};
  const std::vector<std::int32_t> last_short = {20};
  auto expected = ComputeLogits(*model.session, long_ids, last_long, kPrefillChunk);
  const auto second = ComputeLogits(*model.session, short_ids, last_short, kPrefillChunk);
  expected.insert(expected.end(), second.begin(), second.end());

  LatentSequence a(model.session->cache());
  LatentSequence b(model.session->cache());
  ASSERT_TRUE(model.session->Step(a, std::span(long_ids).first(60), {}, {}).has_value());
  ASSERT_TRUE(model.session->Step(b, std::span(short_ids).first(20), {}, {}).has_value());
  const Session::Part parts[] = {{&a, std::span(long_ids).subspan(60)},
                                 {&b, std::span(short_ids).subspan(20)}};
  const std::int32_t outputs[] = {29, 30};
  ASSERT_TRUE(model.session->Step(parts, outputs, {}).has_value());
  EXPECT_EQ(a.length(), 90);
  EXPECT_EQ(b.length(), 21);
  std::vector<float> logits(expected.size());
  model.session->ReadLogits(logits);
  EXPECT_LE(Nmse(logits, expected, kTinyVocabulary), 1e-9);
}

TEST_P(Steps, AStopLeavesTheLastCommittedLength) {
  const Loaded model = Load(2048);
  LatentSequence sequence(model.session->cache());
  const auto ids = Ids(512, 4);
  ASSERT_TRUE(model.session->Step(sequence, ids, {}, {}).has_value());
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  Status status;
  while (status) {
    sequence.Truncate(512);
    status = model.session->Step(sequence, ids, {}, stop.get_token());
  }
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(sequence.length(), 512);
  // The next step is computed as if nothing had happened.
  std::vector<std::int32_t> both = ids;
  both.push_back(5);
  const std::int32_t row = 0;
  ASSERT_TRUE(model.session->Step(sequence, std::span(both).last(1), {&row, 1}, {}).has_value());
  std::vector<float> logits(kTinyVocabulary);
  model.session->ReadLogits(logits);
  const std::vector<std::int32_t> last = {512};
  EXPECT_LE(Nmse(logits, ComputeLogits(*model.session, both, last, kPrefillChunk), kTinyVocabulary),
            1e-9);
}

TEST_P(Steps, TheContextEndsWithAnError) {
  const Loaded model = Load(100);
  LatentSequence sequence(model.session->cache());
  ASSERT_TRUE(model.session->Step(sequence, Ids(100, 1), {}, {}).has_value());
  const Status status = model.session->Step(sequence, Ids(1, 1), {}, {});
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::kContextFull);
  EXPECT_EQ(sequence.length(), 100);
}

std::string SetupName(const testing::TestParamInfo<EngineSetup>& info) {
  return NameOf(info.param);
}
INSTANTIATE_TEST_SUITE_P(Backends, Steps, testing::ValuesIn(AllSetups()), SetupName);

// --- weights that are wrong
// -------------------------------------------------------------------------

Status LoadError(const GgufBuilder& builder, std::stop_token stop = {}) {
  const auto file = ModelFile::Open(builder.Write("weights.gguf")).value();
  const auto backend = CreateBackend({.name = "reference"}).value();
  const auto config = ModelConfig::Parse(*file);
  if (!config) return tl::unexpected(config.error());
  const auto weights = Weights::Load(file, *config, *backend, {}, std::move(stop));
  if (!weights) return tl::unexpected(weights.error());
  return {};
}

TEST(Weights, AMissingTensorIsNamed) {
  for (const char* name : {"blk.1.ffn_gate_exps.weight", "blk.2.attn_output.weight",
                           "blk.0.ffn_up.weight", "blk.1.attn_kv_a_mqa.weight"}) {
    const Status status = LoadError(MakeTinyModel({.leave_out = name}));
    ASSERT_FALSE(status.has_value()) << name;
    EXPECT_EQ(status.error().code, ErrorCode::kMissingTensor);
    EXPECT_EQ(status.error().detail, name);
  }
}

TEST(Weights, AWrongShapeIsNamed) {
  for (const char* name : {"blk.1.ffn_gate_exps.weight", "blk.2.attn_output.weight",
                           "blk.1.attn_kv_b.weight", "output.weight"}) {
    const Status status = LoadError(MakeTinyModel({.misshape = name}));
    ASSERT_FALSE(status.has_value()) << name;
    EXPECT_EQ(status.error().code, ErrorCode::kBadValue);
    EXPECT_THAT(status.error().detail, HasSubstr(name + std::string(": shape [")));
  }
}

TEST(Weights, WithoutAnOutputTheEmbeddingServes) {
  EXPECT_TRUE(LoadError(MakeTinyModel({.leave_out = "output.weight"})).has_value());
}

TEST(Weights, LoadsAreCancelled) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(LoadError(MakeTinyModel(), stop.get_token()).error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace paluku::test
