// The forward pass against Hugging Face: every family, every weight type, every backend and
// instruction set of this machine, both attention paths, both generations of files.
#include "tests/engine/model/golden.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <map>

#include "engine/loader/gguf_writer.h"
#include "engine/model/family.h"

namespace paluku::test {
namespace {

constexpr const char* kFamilies[] = {"v2-lite",   "v2-236b",       "v3",       "v3.2",  "moonlight",
                                     "kimi-k2",   "glm-4.7-flash", "minicpm3", "youtu", "mistral4",
                                     "gigachat3", "kanana-2",      "joyai",    "plm"};
// Those with a second, longer run: beyond an original context of 4,096 tokens, or with LongRoPE's
// other factors.
constexpr const char* kLongFamilies[] = {"v2-lite", "v2-236b", "v3", "minicpm3"};

// With f32 weights, latents and accumulation nothing is left but rounding: the files' own record
// of Hugging Face in f32 is 1e-12, and the smallest mistake in a formula is 6e-3.
constexpr double kF32Limit = 1e-6;

class Families : public testing::TestWithParam<std::tuple<const char*, EngineSetup>> {
 protected:
  Golden golden_ = LoadGolden(std::get<0>(GetParam()));
  EngineSetup setup_ = std::get<1>(GetParam());

  void ExpectRun(const std::string& file, const GoldenRun& run, double limit) {
    SCOPED_TRACE(file + " " + run.name);
    const Loaded model = LoadModel(file, setup_, static_cast<int>(run.ids.size()));
    const auto logits = ComputeLogits(*model.session, run.ids, run.positions, setup_.chunk);
    const double nmse = Nmse(logits, run.logits, golden_.vocabulary);
    EXPECT_LE(nmse, limit);
    std::printf("  NMSE %.3g: %s of %s\n", nmse, run.name.c_str(), golden_.name.c_str());
  }
};

TEST_P(Families, LogitsOfEveryPosition) {
  for (const std::string& file : golden_.files) ExpectRun(file, golden_.Run("prompt"), kF32Limit);
}

TEST_P(Families, LogitsTokenByToken) {
  setup_.chunk = 1;
  ExpectRun(golden_.files[0], golden_.Run("prompt"), kF32Limit);
}

// Not on the reference backend, whose naive attention takes minutes for 4,300 tokens.
class LongFamilies : public Families {};

TEST_P(LongFamilies, LogitsBeyondTheOriginalContext) {
  ExpectRun(golden_.files[0], golden_.Run("long"), kF32Limit);
}

TEST_P(Families, GreedyContinuation) {
  const GoldenRun& run = golden_.Run("prompt");
  const int count = static_cast<int>(golden_.greedy.size());
  ASSERT_GE(count, 64);
  for (const std::string& file : golden_.files) {
    SCOPED_TRACE(file);
    const Loaded model = LoadModel(file, setup_, static_cast<int>(run.ids.size()) + count);
    EXPECT_EQ(Greedy(*model.session, run.ids, count), golden_.greedy);
  }
}

std::string PlainName(std::string name) {
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

std::string FamilyName(const testing::TestParamInfo<std::tuple<const char*, EngineSetup>>& info) {
  return PlainName(std::get<0>(info.param) + ("_" + NameOf(std::get<1>(info.param))));
}

INSTANTIATE_TEST_SUITE_P(Golden, Families,
                         testing::Combine(testing::ValuesIn(kFamilies),
                                          testing::ValuesIn(AllSetups())),
                         FamilyName);

TEST(KnownModels, WhatIsToldOfAModelsProofIsTestedHere) {
  for (const KnownModel& model : KnownModels()) {
    EXPECT_NE(std::ranges::find(kFamilies, model.proof.checkpoint), std::end(kFamilies))
        << model.name;
  }
}

std::vector<EngineSetup> FastSetups() {
  std::vector<EngineSetup> setups = AllSetups();
  std::erase_if(setups, [](const EngineSetup& setup) { return setup.backend == "reference"; });
  return setups;
}

INSTANTIATE_TEST_SUITE_P(Golden, LongFamilies,
                         testing::Combine(testing::ValuesIn(kLongFamilies),
                                          testing::ValuesIn(FastSetups())),
                         FamilyName);

// The entries of `file` as another architecture's.
std::map<std::string, MetadataValue, std::less<>> EntriesAs(const ModelFile& file,
                                                            std::string_view architecture) {
  const std::string old = std::string(file.String("general.architecture").value()) + ".";
  std::map<std::string, MetadataValue, std::less<>> entries;
  for (const auto& [key, value] : file.entries()) {
    const bool of_the_model = key.starts_with(old);
    entries[of_the_model ? std::string(architecture) + key.substr(old.size() - 1) : key] = value;
  }
  entries["general.architecture"] = architecture;
  return entries;
}

// Files of Mistral-Large-3 say deepseek2, those of Mistral-Small-4 mistral4; they compute the same.
TEST(MistralLarge3, IsMistral4UnderTheNameOfDeepSeek) {
  const Golden golden = LoadGolden("mistral4");
  const auto file = ModelFile::Open(golden.files[0]).value();
  std::vector<GgufTensorInfo> tensors;
  for (const auto& [name, tensor] : file->tensors()) {
    tensors.push_back({name, tensor.dtype, ShapeOf(*file, name)});
  }
  const std::string path = testing::TempDir() + "large-3-" + std::to_string(getpid()) + ".gguf";
  auto writer = GgufWriter::Create(path, EntriesAs(*file, "deepseek2"), tensors);
  ASSERT_TRUE(writer.has_value()) << writer.error().Message();
  for (const auto& [name, tensor] : file->tensors()) {
    ASSERT_TRUE(writer->Write({tensor.data, static_cast<std::size_t>(tensor.bytes())}));
  }
  ASSERT_TRUE(writer->Finish());
  const GoldenRun& run = golden.Run("prompt");
  const Loaded model = LoadModel(path, {}, static_cast<int>(run.ids.size()));
  const auto logits = ComputeLogits(*model.session, run.ids, run.positions, kPrefillChunk);
  EXPECT_LE(Nmse(logits, run.logits, golden.vocabulary), kF32Limit);
  std::filesystem::remove(path);
}

// --- weight types
// -----------------------------------------------------------------------------------

struct TypeCase {
  const char* name;
  double limit;
};
// Golden logits are those of the dequantised weights. Floats are multiplied as they are. For the
// others the CPU rounds activations to 8 bits a block: (1/127)^2 / 12 for each of the dozen
// products on the way, a few times more where one value dominates its block: 5e-4 as measured,
// twice that allowed. W_UK and W_UV rounded to f16 are the 2e-7 that the reference backend keeps.
constexpr double kInt8Activations = 1e-3;
constexpr TypeCase kTypes[] = {
    {"narrow-bf16", kF32Limit},        {"narrow-f16", kF32Limit},
    {"narrow-q8_0", kInt8Activations}, {"narrow-q5_0", kInt8Activations},
    {"narrow-q4_0", kInt8Activations}, {"wide-q6_k", kInt8Activations},
    {"wide-q5_k", kInt8Activations},   {"wide-q4_k", kInt8Activations},
    {"mixed", 2 * kInt8Activations},  // of two layers, where the wide ones have one
};

class WeightTypes : public testing::TestWithParam<std::tuple<TypeCase, EngineSetup>> {};

TEST_P(WeightTypes, LogitsOfEveryPosition) {
  const auto& [type, setup] = GetParam();
  const Golden golden = LoadGolden(type.name);
  for (const GoldenRun& run : golden.runs) {
    for (const int chunk : {kPrefillChunk, 1}) {
      const Loaded model = LoadModel(golden.files[0], setup, static_cast<int>(run.ids.size()));
      const auto logits = ComputeLogits(*model.session, run.ids, run.positions, chunk);
      const double nmse = Nmse(logits, run.logits, golden.vocabulary);
      EXPECT_LE(nmse, setup.backend == "reference" ? kF32Limit : type.limit);
      std::printf("  NMSE %.3g: %s in steps of %d\n", nmse, type.name, chunk);
    }
  }
}

std::string TypeName(const testing::TestParamInfo<std::tuple<TypeCase, EngineSetup>>& info) {
  return PlainName(std::get<0>(info.param).name + ("_" + NameOf(std::get<1>(info.param))));
}

INSTANTIATE_TEST_SUITE_P(Golden, WeightTypes,
                         testing::Combine(testing::ValuesIn(kTypes),
                                          testing::ValuesIn(AllSetups())),
                         TypeName);

// --- latent types
// -----------------------------------------------------------------------------------

struct LatentCase {
  LatentType type;
  const char* name;
  double limit;
};
// f16 rounds to 2^-11: (2^-11)^2 / 3, 8e-8 for each of the layers' caches, and 8e-7 in the logits.
// q8 rounds to 1/127 of the largest of 32 values; that moves the choice of an expert at a few
// positions (routing_gap in the golden files), which is most of the 4e-3 of every backend.
constexpr LatentCase kLatents[] = {
    {LatentType::kF16, "f16", 2e-6},
    {LatentType::kQ8, "q8", 1e-2},
};

class LatentTypes : public testing::TestWithParam<std::tuple<LatentCase, EngineSetup>> {};

TEST_P(LatentTypes, LogitsOfEveryPosition) {
  const auto& [latent, base] = GetParam();
  EngineSetup setup = base;
  setup.latent = latent.type;
  for (const char* family : {"v2-lite", "v2-236b", "v3"}) {
    const Golden golden = LoadGolden(family);
    const GoldenRun& run = golden.Run("prompt");
    const Loaded model = LoadModel(golden.files[0], setup, static_cast<int>(run.ids.size()));
    const auto logits = ComputeLogits(*model.session, run.ids, run.positions, setup.chunk);
    const double nmse = Nmse(logits, run.logits, golden.vocabulary);
    EXPECT_LE(nmse, latent.limit) << family;
    EXPECT_GT(nmse, 0) << "the latent type changed nothing";
    std::printf("  NMSE %.3g: %s with a latent of %s\n", nmse, family, latent.name);
  }
}

std::string LatentName(const testing::TestParamInfo<std::tuple<LatentCase, EngineSetup>>& info) {
  return PlainName(std::get<0>(info.param).name + ("_" + NameOf(std::get<1>(info.param))));
}

INSTANTIATE_TEST_SUITE_P(Golden, LatentTypes,
                         testing::Combine(testing::ValuesIn(kLatents),
                                          testing::ValuesIn(AllSetups())),
                         LatentName);

}  // namespace
}  // namespace paluku::test
