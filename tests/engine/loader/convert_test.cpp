// Conversion: the types that llama.cpp's quantiser would give, files of the current generation
// whose logits are those of the source, and nothing under the final name unless it is whole.
#include "engine/loader/convert/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "engine/loader/gguf_writer.h"
#include "engine/model/model_config.h"
#include "engine/text/tokenizer.h"
#include "tests/engine/loader/tiny_model.h"
#include "tests/engine/model/golden.h"

namespace paluku::test {
namespace {

using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

// --- which type a tensor gets
// ---------------------------------------------------------------------------

// Names and shapes of DeepSeek-V2-Lite as files of 2024 have them.
std::map<std::string, std::vector<std::int64_t>> LiteTensors() {
  std::map<std::string, std::vector<std::int64_t>> tensors = {{"token_embd.weight", {102400, 2048}},
                                                              {"output.weight", {102400, 2048}},
                                                              {"output_norm.weight", {2048}}};
  for (int i = 0; i < 27; ++i) {
    const std::string blk = "blk." + std::to_string(i) + ".";
    tensors[blk + "attn_norm.weight"] = tensors[blk + "ffn_norm.weight"] = {2048};
    tensors[blk + "attn_kv_a_norm.weight"] = {512};
    tensors[blk + "attn_q.weight"] = {3072, 2048};
    tensors[blk + "attn_kv_a_mqa.weight"] = {576, 2048};
    tensors[blk + "attn_kv_b.weight"] = {4096, 512};
    tensors[blk + "attn_output.weight"] = {2048, 2048};
    if (i == 0) {
      tensors[blk + "ffn_gate.weight"] = tensors[blk + "ffn_up.weight"] = {10944, 2048};
      tensors[blk + "ffn_down.weight"] = {2048, 10944};
      continue;
    }
    tensors[blk + "ffn_gate_inp.weight"] = {64, 2048};
    tensors[blk + "ffn_gate_exps.weight"] = tensors[blk + "ffn_up_exps.weight"] = {64, 1408, 2048};
    tensors[blk + "ffn_down_exps.weight"] = {64, 2048, 1408};
    tensors[blk + "ffn_gate_shexp.weight"] = tensors[blk + "ffn_up_shexp.weight"] = {2816, 2048};
    tensors[blk + "ffn_down_shexp.weight"] = {2048, 2816};
  }
  return tensors;
}

std::map<std::string, int> CountTypes(std::string_view recipe) {
  std::map<std::string, int> counts;
  for (const auto& [name, shape] : LiteTensors()) {
    const TensorRole role = {.name = name, .shape = shape, .layers = 27, .tied = false};
    ++counts[std::string(Info(ChooseType(*FindRecipe(recipe), role)).name)];
  }
  return counts;
}

TEST(Recipe, GivesTheTypesOfPublishedFiles) {
  // The listing of a published Coder-V2-Lite Q4_K_M.
  EXPECT_THAT(CountTypes("Q4_K_M"),
              UnorderedElementsAre(Pair("F32", 108), Pair("Q5_0", 14), Pair("Q8_0", 13),
                                   Pair("Q4_K", 229), Pair("Q6_K", 13)));
  EXPECT_THAT(CountTypes("q5_k_m"),
              UnorderedElementsAre(Pair("F32", 108), Pair("Q5_1", 14), Pair("Q8_0", 13),
                                   Pair("Q5_K", 229), Pair("Q6_K", 13)));
  EXPECT_THAT(CountTypes("Q8_0"), UnorderedElementsAre(Pair("F32", 108), Pair("Q8_0", 269)));
  EXPECT_THAT(CountTypes("Q6_K"),
              UnorderedElementsAre(Pair("F32", 108), Pair("Q8_0", 27), Pair("Q6_K", 242)));
  EXPECT_THAT(CountTypes("Q4_0"),
              UnorderedElementsAre(Pair("F32", 108), Pair("Q4_0", 268), Pair("Q6_K", 1)));
  EXPECT_EQ(FindRecipe("Q4_K_X"), nullptr);
  EXPECT_EQ(FindRecipe(""), nullptr);
}

TEST(Recipe, TiedEmbeddingsAndShortRows) {
  const Recipe& recipe = *FindRecipe("Q4_K_M");
  const auto type = [&](std::string_view name, std::vector<std::int64_t> shape, bool tied) {
    return Info(ChooseType(recipe, {name, std::move(shape), 32, tied})).name;
  };
  EXPECT_EQ(type("token_embd.weight", {1000, 512}, true), "Q6_K");
  EXPECT_EQ(type("token_embd.weight", {1000, 512}, false), "Q4_K");
  EXPECT_EQ(type("output.weight", {1000, 96}, false), "Q8_0");
  EXPECT_EQ(type("blk.3.attn_k_b.weight", {16, 512, 128}, false), "Q5_0");
  EXPECT_EQ(type("blk.3.attn_q.weight", {64, 48}, false), "F16");
  EXPECT_EQ(type("blk.3.exp_probs_b.bias", {256}, false), "F32");
}

// --- files
// -----------------------------------------------------------------------------------------------

std::vector<float> Values(const Tensor& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
  Info(tensor.dtype).dequantise(tensor.data, values.data(), tensor.elements());
  return values;
}

struct OwnedTensor {
  std::vector<std::byte> bytes;
  Tensor tensor;
};

// The tensor in another type; the same bytes in its own.
OwnedTensor Requantised(const Tensor& from, DType dtype) {
  OwnedTensor made = {.bytes = {}, .tensor = from};
  made.tensor.dtype = dtype;
  made.bytes.resize(static_cast<std::size_t>(made.tensor.bytes()));
  if (dtype == from.dtype) {
    std::memcpy(made.bytes.data(), from.data, made.bytes.size());
  } else {
    Info(dtype).quantise(Values(from).data(), made.bytes.data(), from.elements());
  }
  made.tensor.data = made.bytes.data();
  return made;
}

class Convert : public testing::Test {
 protected:
  ~Convert() override {
    std::error_code ignored;
    std::filesystem::remove(out_, ignored);
    std::filesystem::remove(out_ + ".part", ignored);
  }

  Result<ConvertResult> Run(const std::string& in, std::string_view type,
                            const ConvertProgress& progress = {}, std::stop_token stop = {}) {
    std::filesystem::remove(out_);
    return ConvertModel(*ModelFile::Open(in).value(), out_,
                        {.recipe = FindRecipe(type), .threads = 2}, progress, std::move(stop));
  }
  bool Exists(const std::string& end) const { return std::filesystem::exists(out_ + end); }

  // NMSE of the new file's logits against those that Hugging Face has for the old one's weights.
  double LogitError(const std::string& golden_name, const std::string& in, std::string_view type) {
    const Golden golden = LoadGolden(golden_name);
    const auto result = Run(in, type);
    EXPECT_TRUE(result.has_value()) << result.error().Message();
    const GoldenRun& run = golden.Run("prompt");
    const EngineSetup setup = {.backend = "reference"};
    const Loaded model = LoadModel(out_, setup, static_cast<int>(run.ids.size()));
    const auto logits = ComputeLogits(*model.session, run.ids, run.positions, setup.chunk);
    const double nmse = Nmse(logits, run.logits, golden.vocabulary);
    std::printf("  NMSE %.3g: %s as %s\n", nmse, in.substr(in.rfind('/') + 1).c_str(),
                std::string(type).c_str());
    return nmse;
  }

  const std::string out_ = testing::TempDir() + "converted-" + std::to_string(getpid()) + ".gguf";
};

// Every source of the same weights gives a file of the current generation with the same logits.
TEST_F(Convert, WithoutLossTheLogitsStay) {
  for (const char* name : {"v3", "v2-lite"}) {
    for (const std::string& file : LoadGolden(name).files) {  // current and legacy
      EXPECT_LE(LogitError(name, file, "F32"), 1e-6) << file;
    }
  }
  for (const char* name : {"checkpoints/v3", "checkpoints/v2-bf16", "checkpoints/v3-fp8"}) {
    EXPECT_LE(LogitError(name, LoadGolden(name).files[0], "F32"), 1e-6) << name;
  }
  EXPECT_LE(LogitError("checkpoints/v2-bf16", LoadGolden("checkpoints/v2-bf16").files[0], "BF16"),
            1e-6);
}

TEST_F(Convert, TheFileIsOfTheCurrentGeneration) {
  ASSERT_TRUE(Run(LoadGolden("v3").files[1], "F32"));
  const auto made = ModelFile::Open(out_).value();
  const auto golden = ModelFile::Open(LoadGolden("v3").files[0]).value();
  EXPECT_EQ(made->tensors().size(), golden->tensors().size());
  for (const auto& [name, tensor] : golden->tensors()) {
    const Tensor* own = made->FindTensor(name);
    ASSERT_NE(own, nullptr) << name;
    ASSERT_EQ(own->shape, tensor.shape) << name;
    EXPECT_EQ(std::memcmp(own->data, tensor.data, static_cast<std::size_t>(tensor.bytes())), 0)
        << name;
  }
  for (const auto& [key, value] : golden->entries()) {
    if (key == "general.name") continue;
    ASSERT_TRUE(made->Has(key)) << key;
    if (std::holds_alternative<std::uint64_t>(value)) {
      EXPECT_EQ(made->Integer(key, 0, ~0ull).value(), std::get<std::uint64_t>(value)) << key;
    }
    if (std::holds_alternative<double>(value)) {
      EXPECT_EQ(made->Number(key).value(), std::get<double>(value)) << key;
    }
    if (std::holds_alternative<std::string_view>(value)) {
      EXPECT_EQ(made->String(key).value(), std::get<std::string_view>(value)) << key;
    }
    if (std::holds_alternative<std::vector<std::string_view>>(value)) {
      EXPECT_TRUE(std::ranges::equal(made->Strings(key).value(), golden->Strings(key).value()))
          << key;
    }
  }
}

TEST_F(Convert, WhatTheSourceLeavesToBeKnownIsSaid) {
  const std::string source = LoadGolden("kimi-k2").files[0];
  ASSERT_FALSE(ModelFile::Open(source).value()->Has("deepseek2.rope.scaling.yarn_beta_fast"));
  ASSERT_TRUE(Run(source, "F32"));
  const auto made = ModelFile::Open(out_).value();
  EXPECT_EQ(made->Number("deepseek2.rope.scaling.yarn_beta_fast").value(), 1);
  EXPECT_EQ(made->Number("deepseek2.rope.scaling.yarn_beta_slow").value(), 1);
}

// Those that Hugging Face's converter makes of the same tiktoken.model.
TEST_F(Convert, MergesThatTheIdsTellAreListed) {
  namespace fs = std::filesystem;
  const fs::path data = fs::path(PALUKU_SOURCE_DIR) / "tests/data/tokenizers";
  const fs::path folder = testing::TempDir() + "kimi-" + std::to_string(getpid());
  fs::copy(LoadGolden("checkpoints/v3").files[0], folder, fs::copy_options::recursive);
  fs::remove(folder / "tokenizer.json");
  for (const char* name : {"tiktoken.model", "tokenizer_config.json"})
    fs::copy(data / "tiktoken" / name, folder / name, fs::copy_options::overwrite_existing);
  ASSERT_FALSE(ModelFile::Open(folder).value()->Has("tokenizer.ggml.merges"));
  const auto result = Run(folder, "F16");
  fs::remove_all(folder);
  ASSERT_TRUE(result) << result.error().Message();

  const auto made = ModelFile::Open(out_).value();
  std::ifstream golden(data / "tiktoken" / "merges.txt");
  std::vector<std::string> lines;
  for (std::string line; std::getline(golden, line);) lines.push_back(line);
  ASSERT_GT(lines.size(), 400u);
  EXPECT_TRUE(std::ranges::equal(made->Strings("tokenizer.ggml.merges").value(), lines));
  const auto own = Tokenizer::Create(VocabularyFromGguf(*made).value()).value();
  const auto kimi = ModelFile::Open(data / "kimi-k2.gguf").value();
  const auto other = Tokenizer::Create(VocabularyFromGguf(*kimi).value()).value();
  for (const char* text : {"The quick brown fox, 12345 times.", "పలుకు", "汉字と private"})
    EXPECT_EQ(own->Encode(text, SpecialTokens::kAsText),
              other->Encode(text, SpecialTokens::kAsText));
}

struct TypeLimit {
  const char* type;
  double limit;
};

// Rows of 256, so that every type is taken as it is; the source's own weights are Q6_K. A type of b
// bits a weight makes an error of about 4^-b of the weights; tiny random models pass all of it on.
// The bounds are twice what was measured.
TEST_F(Convert, EveryTypeStaysCloseToItsSource) {
  const std::string wide = LoadGolden("wide-q6_k").files[0];
  for (const TypeLimit& expected :
       {TypeLimit{"F16", 2e-6}, TypeLimit{"BF16", 1e-4}, TypeLimit{"Q8_0", 1e-3},
        TypeLimit{"Q6_K", 1e-6}, TypeLimit{"Q5_K_M", 0.03}, TypeLimit{"Q5_0", 0.05},
        TypeLimit{"Q4_K_M", 0.14}, TypeLimit{"IQ4_XS", 0.15}, TypeLimit{"Q4_0", 0.22}}) {
    EXPECT_LE(LogitError("wide-q6_k", wide, expected.type), expected.limit) << expected.type;
  }
}

TEST_F(Convert, AFileOfItsOwnTypeIsCopied) {
  const std::string source = LoadGolden("narrow-q8_0").files[0];
  ASSERT_TRUE(Run(source, "Q8_0"));
  const auto made = ModelFile::Open(out_).value();
  const auto from = ModelFile::Open(source).value();
  for (const auto& [name, tensor] : from->tensors()) {
    const Tensor own = made->RequireTensor(name).value();
    ASSERT_EQ(own.dtype, tensor.dtype) << name;
    EXPECT_EQ(std::memcmp(own.data, tensor.data, static_cast<std::size_t>(tensor.bytes())), 0);
  }
}

TEST_F(Convert, ProgressEndsAtTheTotal) {
  std::int64_t last = 0, whole = 0;
  ASSERT_TRUE(Run(LoadGolden("v3").files[0], "BF16", [&](std::int64_t done, std::int64_t total) {
    EXPECT_GT(done, last);
    last = done;
    whole = total;
  }));
  EXPECT_GT(whole, 0);
  EXPECT_EQ(last, whole);
}

TEST_F(Convert, StoppedInTheMiddleLeavesNothing) {
  std::stop_source source;
  const auto stop_half = [&](std::int64_t done, std::int64_t total) {
    if (done > total / 2) source.request_stop();
  };
  const auto result = Run(LoadGolden("v3").files[0], "BF16", stop_half, source.get_token());
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(Exists(""));
  EXPECT_FALSE(Exists(".part"));
}

TEST_F(Convert, KilledInTheMiddleLeavesNothingUnderTheName) {
  const std::string in = LoadGolden("v3").files[0];
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto die_half = [](std::int64_t done, std::int64_t total) {
      if (done > total / 2) kill(getpid(), SIGKILL);
    };
    (void)Run(in, "BF16", die_half);
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(Exists(""));
  EXPECT_TRUE(Exists(".part"));  // what the next conversion writes over
  ASSERT_TRUE(Run(in, "BF16"));
  EXPECT_TRUE(Exists(""));
  EXPECT_FALSE(Exists(".part"));
}

TEST_F(Convert, WhatIsThereStays) {
  ASSERT_TRUE(Run(LoadGolden("v3").files[0], "BF16"));
  const auto size = std::filesystem::file_size(out_);
  const auto again =
      ConvertModel(*ModelFile::Open(out_).value(), out_, {.recipe = FindRecipe("Q8_0")}, {}, {});
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(std::filesystem::file_size(out_), size);
  const auto nowhere = ConvertModel(*ModelFile::Open(out_).value(), "/nowhere/x.gguf",
                                    {.recipe = FindRecipe("Q8_0")}, {}, {});
  EXPECT_EQ(nowhere.error().code, ErrorCode::kFileNotFound);
}

// What the loader reads from a converted file is what the type makes of the source's values, tensor
// by tensor, in every type that can be written.
TEST_F(Convert, EveryTypeIsReadBackAsItWasMade) {
  const auto from = ModelFile::Open(LoadGolden("wide-q6_k").files[0]).value();
  for (const Recipe& recipe : Recipes()) {
    ASSERT_TRUE(Run(from->path(), recipe.name)) << recipe.name;
    const auto made = ModelFile::Open(out_).value();
    int compared = 0;
    for (const auto& [name, tensor] : made->tensors()) {
      const Tensor* source = from->FindTensor(name);
      if (source == nullptr || source->shape != tensor.shape) continue;
      ++compared;
      ASSERT_EQ(Values(tensor), Values(Requantised(*source, tensor.dtype).tensor))
          << name << " as " << recipe.name;
    }
    EXPECT_EQ(compared, static_cast<int>(made->tensors().size())) << recipe.name;
  }
}

// Writes `patch` over the bytes at `at` of the tensor `name` of the file.
template <class T>
void Patch(const std::string& path, std::string_view name, std::int64_t at, T patch) {
  const auto file = ModelFile::Open(path).value();
  const std::byte* first = file->mappings().front()->bytes().data();
  std::FILE* out = std::fopen(path.c_str(), "r+b");
  std::fseek(out, file->RequireTensor(name)->data - first + at, SEEK_SET);
  std::fwrite(&patch, sizeof patch, 1, out);
  std::fclose(out);
}

TEST_F(Convert, WeightsThatAreNoNumbersAreRefusedByName) {
  const std::string path = MakeTinyModel().Write("nan.gguf");
  Patch(path, "output.weight", 40, std::nanf(""));
  for (const char* type : {"Q8_0", "F32"}) {  // made anew, and copied
    const auto result = Run(path, type);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kBadValue);
    EXPECT_THAT(result.error().detail, HasSubstr("output.weight: a weight that is not a finite"));
    EXPECT_FALSE(Exists(""));
  }
}

TEST_F(Convert, AScaleThatIsInfiniteIsRefusedByName) {
  const std::string path = testing::TempDir() + "scale-" + std::to_string(getpid()) + ".gguf";
  std::filesystem::copy_file(LoadGolden("narrow-q8_0").files[0], path,
                             std::filesystem::copy_options::overwrite_existing);
  constexpr std::uint16_t kInfinity = 0x7C00;  // f16
  Patch(path, "blk.0.attn_output.weight", 0, kInfinity);
  const auto result = Run(path, "Q8_0");
  std::filesystem::remove(path);
  ASSERT_FALSE(result.has_value());
  EXPECT_THAT(result.error().detail, HasSubstr("blk.0.attn_output.weight"));
  EXPECT_FALSE(Exists(""));
}

}  // namespace
}  // namespace paluku::test
