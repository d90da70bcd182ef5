// Checkpoints of safetensors: what right ones say, and that wrong ones end in one sentence.
#include "engine/loader/safetensors/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "engine/loader/safetensors/names.h"
#include "engine/loader/safetensors/table.h"
#include "tests/engine/loader/gguf_builder.h"
#include "tests/engine/loader/safetensors_builder.h"

namespace paluku::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// --- the table of one file
// ----------------------------------------------------------------------------------

Result<SafetensorsTable> ReadTable(const std::vector<std::byte>& bytes) {
  PALUKU_ASSIGN_OR_RETURN(const auto file, MappedFile::Open(WriteFile("t.safetensors", bytes)));
  return ReadSafetensorsTable(*file);
}

TEST(SafetensorsTable, TellsNamesTypesShapesAndPlaces) {
  const auto table = ReadTable(SafetensorsBytes(
      R"({"__metadata__": {"format": "pt"},
          "b": {"dtype": "F32", "shape": [2, 3], "data_offsets": [4, 28]},
          "a": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]},
          "one": {"data_offsets": [28, 36], "shape": [], "dtype": "I64"}})",
      36));
  ASSERT_TRUE(table.has_value()) << table.error().Message();
  ASSERT_EQ(table->size(), 3u);
  EXPECT_EQ(table->at("b").type, "F32");
  EXPECT_THAT(table->at("b").shape, ElementsAre(2, 3));
  EXPECT_EQ(table->at("b").bytes.data(), table->at("a").bytes.data() + 4);
  EXPECT_EQ(table->at("one").bytes.size(), 8u);
  EXPECT_TRUE(table->at("one").shape.empty());
}

struct Hostile {
  std::string name;
  std::vector<std::byte> bytes;
  ErrorCode code;
  std::string detail;
};

// A file of one tensor "t" with these fields and 16 bytes of weights.
std::vector<std::byte> OneTensor(const std::string& fields) {
  return SafetensorsBytes("{\"t\": {" + fields + "}}", 16);
}

std::vector<Hostile> LengthCases() {
  using enum ErrorCode;
  const std::string good = R"({"t":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})";
  const auto with_length = [&](std::uint64_t length) {
    ByteWriter out;
    return out.U64(length).Chars(good).Raw(std::vector<std::byte>(16)).bytes();
  };
  std::vector<std::byte> cut = SafetensorsBytes(good, 16);
  cut.resize(40);
  return {
      {"SevenBytes", std::vector<std::byte>(7, std::byte{'{'}), kNotAModelFile, ""},
      {"NoObject", SafetensorsBytes("[1, 2]", 0), kNotAModelFile, ""},
      {"HeaderLengthWraps", with_length(~0ull), kLimitExceeded, "header"},
      {"HeaderLengthOfAnInt", with_length(1ull << 63), kLimitExceeded, "header"},
      {"HeaderBeyondTheLimit", with_length((32u << 20) + 1), kLimitExceeded, "header"},
      {"HeaderBeyondTheFile", with_length(1000), kFileTruncated, "header"},
      {"HeaderCut", cut, kFileTruncated, "header"},
      {"HeaderOfNothing", with_length(0), kFileDamaged, "JSON"},
      {"HeaderTooShort", with_length(good.size() - 1), kFileDamaged, "JSON"},
      {"WeightsCut", SafetensorsBytes(good, 15), kFileTruncated, "t"},
      {"WeightsTooLong", SafetensorsBytes(good, 17), kFileDamaged, "behind the last"},
  };
}

std::vector<Hostile> JsonCases() {
  using enum ErrorCode;
  std::string deep = R"({"t": {"shape": )" + std::string(100'000, '[');
  std::string many = "{";
  for (int i = 0; i < 70'000; ++i) {
    many += "\"" + std::to_string(i) + R"(":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},)";
  }
  return {
      {"NotUtf8", SafetensorsBytes("{\"\xff\": {}}", 0), kFileDamaged, "JSON"},
      {"NameWithLineBreak", SafetensorsBytes(R"({"a\nb": {}})", 0), kFileDamaged, "readable"},
      {"NameEmpty", SafetensorsBytes(R"({"": {}})", 0), kFileDamaged, "readable"},
      {"NameTooLong", SafetensorsBytes("{\"" + std::string(300, 'n') + "\": {}}", 0),
       kLimitExceeded, "too long"},
      {"DeepArrays", SafetensorsBytes(deep, 0), kFileDamaged, "array"},
      {"DeepObjects", SafetensorsBytes(R"({"t": {"x": {"y": {}}}})", 0), kFileDamaged, "unknown"},
      {"TooManyTensors", SafetensorsBytes(many + "\"x\":{}}", 0), kLimitExceeded, "many"},
      {"TensorOfText", SafetensorsBytes(R"({"t": "x"})", 0), kFileDamaged, "text"},
      {"NothingOfTheTensor", OneTensor(""), kFileDamaged, "missing"},
      {"NoOffsets", OneTensor(R"("dtype": "F32", "shape": [4])"), kFileDamaged, "missing"},
      {"UnknownField",
       OneTensor(R"("dtype": "F32", "shape": [4], "data_offsets": [0, 16], "x": 1)"), kFileDamaged,
       "unknown field"},
      {"FieldTwice",
       OneTensor(R"("dtype": "F32", "shape": [4], "shape": [2], "data_offsets": [0, 16])"),
       kFileDamaged, "twice"},
      {"NullShape", OneTensor(R"("dtype": "F32", "shape": null, "data_offsets": [0, 16])"),
       kFileDamaged, "null"},
      {"MetadataWithNumbers", SafetensorsBytes(R"({"__metadata__": {"a": 1}})", 0), kFileDamaged,
       "number"},
  };
}

std::vector<Hostile> TensorCases() {
  using enum ErrorCode;
  const auto shaped = [](const std::string& shape, const std::string& offsets) {
    return OneTensor(R"("dtype": "F32", "shape": [)" + shape + R"(], "data_offsets": [)" + offsets +
                     "]");
  };
  const auto two = [](const std::string& first, const std::string& second,
                      std::size_t weights = 16) {
    return SafetensorsBytes(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [)" + first +
                                R"(]}, "b": {"dtype": "F32", "shape": [2], "data_offsets": [)" +
                                second + "]}}",
                            weights);
  };
  return {
      {"NegativeDimension", shaped("-4", "0, 16"), kFileDamaged, "negative"},
      {"FractionOfADimension", shaped("4.0", "0, 16"), kFileDamaged, "fraction"},
      {"EmptyDimension", shaped("0", "0, 0"), kFileDamaged, "empty dimension"},
      {"DimensionTooLarge", shaped("4294967296", "0, 16"), kLimitExceeded, "dimension"},
      {"DimensionBeyond64Bits", shaped("18446744073709551616", "0, 16"), kFileDamaged, "fraction"},
      {"SizeWraps", shaped("2147483648, 2147483648, 4", "0, 16"), kFileDamaged, "size"},
      {"NineDimensions", shaped("1, 1, 1, 1, 1, 1, 1, 1, 4", "0, 16"), kFileDamaged, "dimensions"},
      {"SizeOfAnotherShape", shaped("3", "0, 16"), kFileDamaged, "size"},
      {"EndsBeforeItBegins", shaped("4", "16, 0"), kFileDamaged, "before it begins"},
      {"EndsBeyondTheFile", shaped("8", "0, 32"), kFileTruncated, "t"},
      {"OffsetsWrap", shaped("4", "18446744073709551600, 0"), kFileDamaged, "before it begins"},
      {"ThreeOffsets", shaped("4", "0, 8, 16"), kFileDamaged, "data_offsets"},
      {"OneOffset", shaped("4", "0"), kFileDamaged, "data_offsets"},
      {"Overlap", two("0, 8", "4, 12"), kFileDamaged, "overlaps"},
      {"SamePlace", two("0, 8", "0, 8"), kFileDamaged, "overlaps"},
      {"GapBetween", two("0, 8", "12, 20", 20), kFileDamaged, "gap"},
      {"GapAtTheFront", two("4, 12", "12, 20", 20), kFileDamaged, "gap"},
      {"SameNameTwice",
       SafetensorsBytes(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
                            "a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]}})",
                        16),
       kFileDamaged, "twice"},
  };
}

class HostileSafetensors : public testing::TestWithParam<Hostile> {};

TEST_P(HostileSafetensors, IsOneSentence) {
  const Hostile& hostile = GetParam();
  const auto table = ReadTable(hostile.bytes);
  ASSERT_FALSE(table.has_value());
  EXPECT_EQ(table.error().code, hostile.code) << table.error().Message();
  EXPECT_THAT(table.error().detail, HasSubstr(hostile.detail));
  EXPECT_EQ(table.error().Message().find('\n'), std::string::npos);
}

std::string CaseName(const testing::TestParamInfo<Hostile>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Length, HostileSafetensors, testing::ValuesIn(LengthCases()), CaseName);
INSTANTIATE_TEST_SUITE_P(Json, HostileSafetensors, testing::ValuesIn(JsonCases()), CaseName);
INSTANTIATE_TEST_SUITE_P(Tensors, HostileSafetensors, testing::ValuesIn(TensorCases()), CaseName);

TEST(SafetensorsTable, CutAnywhereIsAnError) {
  const auto whole = SafetensorsBytes(
      R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"b":{"dtype":"I8","shape":[3],"data_offsets":[16,19]}})",
      19);
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_FALSE(ReadTable({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}))
        << size;
  }
}

TEST(SafetensorsTable, AnyFlippedBitIsAnErrorOrATableWithinTheFile) {
  const auto whole = SafetensorsBytes(
      R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"b":{"dtype":"I8","shape":[3],"data_offsets":[16,19]}})",
      19);
  for (std::size_t bit = 0; bit < 8 * (whole.size() - 19); ++bit) {
    auto flipped = whole;
    flipped[bit / 8] ^= std::byte{1} << (bit % 8);
    const auto table = ReadTable(flipped);
    if (!table) continue;
    std::size_t bytes = 0;
    for (const auto& [name, tensor] : *table) bytes += tensor.bytes.size();
    EXPECT_EQ(bytes, 19u) << bit;
  }
}

// --- names
// ------------------------------------------------------------------------------------------------

TEST(SafetensorsNames, AreThoseOfGguf) {
  const auto name = [](std::string_view hf) {
    const auto found = GgufTensorName(hf);
    return found ? found->name + (found->expert < 0 ? "" : " " + std::to_string(found->expert))
                 : std::string("none");
  };
  EXPECT_EQ(name("model.embed_tokens.weight"), "token_embd.weight");
  EXPECT_EQ(name("lm_head.weight"), "output.weight");
  EXPECT_EQ(name("language_model.model.norm.weight"), "output_norm.weight");
  EXPECT_EQ(name("model.language_model.layers.7.input_layernorm.weight"), "blk.7.attn_norm.weight");
  EXPECT_EQ(name("model.layers.12.mlp.experts.63.up_proj.weight"), "blk.12.ffn_up_exps.weight 63");
  EXPECT_EQ(name("model.layers.12.mlp.up_proj.weight"), "blk.12.ffn_up.weight");
  EXPECT_EQ(name("model.layers.3.mlp.gate.e_score_correction_bias"), "blk.3.exp_probs_b.bias");
  EXPECT_EQ(name("model.layers.61.eh_proj.weight"), "blk.61.nextn.eh_proj.weight");
  for (const char* unknown :
       {"model.layers.3.up_proj.weight", "model.layers.3.mlp.experts.up_proj.weight",
        "model.layers.3.mlp.experts.-1.up_proj.weight", "model.layers.99999.input_layernorm.weight",
        "model.layers..input_layernorm.weight", "model.layers.3", "model.layers.",
        "model.layers.3.mlp.experts.1.gate.weight", "norm.bias", ""}) {
    EXPECT_EQ(name(unknown), "none") << unknown;
  }
  EXPECT_TRUE(IsNoLanguageWeight("vision_tower.encoder.blocks.0.weight"));
  EXPECT_TRUE(IsNoLanguageWeight("model.layers.0.self_attn.rotary_emb.inv_freq"));
  EXPECT_FALSE(IsNoLanguageWeight("model.layers.0.self_attn.q_proj.bias"));
}

// --- whole checkpoints
// ----------------------------------------------------------------------------------

// One file with the embedding [4, 8] and what `more` adds.
std::vector<std::byte> TinyWeights(const std::string& more = "", std::size_t bytes = 0) {
  std::string json =
      R"({"model.embed_tokens.weight": {"dtype": "F32", "shape": [4, 8], "data_offsets": [0, 128]})" +
      more + "}";
  json.resize((json.size() + 7) / 8 * 8, ' ');  // as every writer does, for the weights' sake
  return SafetensorsBytes(json, 128 + bytes);
}

TEST(Safetensors, AFileInTheDirectoryOpensIt) {
  Checkpoint made("opens");
  made.Put("config.json", TinyConfig()).Put("model.safetensors", TinyWeights());
  for (const std::string& path :
       {made.path(), made.path() + "/", made.File("model.safetensors"), made.File("config.json")}) {
    const auto file = ModelFile::Open(path);
    ASSERT_TRUE(file.has_value()) << file.error().Message();
    EXPECT_EQ((*file)->format(), "safetensors");
    EXPECT_EQ((*file)->String("general.architecture").value(), "deepseek2");
    EXPECT_EQ((*file)->Integer("deepseek2.attention.key_length", 0, 99).value(), 4u);
    EXPECT_EQ((*file)->RequireTensor("token_embd.weight")->dim(0), 4);
    EXPECT_NE((*file)->RequireTensor("token_embd.weight")->data, nullptr);
  }
}

TEST(Safetensors, ExpertsAreStackedInTheirOrder) {
  std::string more;
  std::vector<std::byte> weights = TinyWeights();
  for (int i = 0; i < 11; ++i) {
    const std::string begin = std::to_string(128 + 8 * i), end = std::to_string(136 + 8 * i);
    more += R"(, "model.layers.0.mlp.experts.)" + std::to_string(10 - i) +
            R"(.up_proj.weight": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [)" + begin +
            ", " + end + "]}";
  }
  std::vector<std::byte> bytes = TinyWeights(more, 88);
  for (std::size_t i = 0; i < 88; ++i) bytes[bytes.size() - 88 + i] = std::byte(i / 8);
  Checkpoint made("experts");
  made.Put("config.json", TinyConfig()).Put("model.safetensors", bytes);
  const auto file = OpenSafetensors(made.path());
  ASSERT_TRUE(file.has_value()) << file.error().Message();
  const Tensor up = (*file)->RequireTensor("blk.0.ffn_up_exps.weight").value();
  EXPECT_EQ(up.data, nullptr);
  EXPECT_EQ(up.dim(0), 11);
  std::vector<std::byte> rows(3 * 4);
  (*file)->CopyRows("blk.0.ffn_up_exps.weight", 7, 3, rows.data());  // the last of 3, all of 4
  EXPECT_EQ(rows[0], std::byte{10 - 3});
  EXPECT_EQ(rows[4], std::byte{10 - 4});
  EXPECT_EQ(rows[11], std::byte{10 - 4});
}

TEST(Safetensors, WhatDoesNotFitIsRefusedByName) {
  const auto tensor = [](const std::string& name, const char* type, const char* shape, int begin,
                         int end) {
    return ", \"" + name + "\": {\"dtype\": \"" + type + "\", \"shape\": " + shape +
           ", \"data_offsets\": [" + std::to_string(begin) + ", " + std::to_string(end) + "]}";
  };
  const std::string expert = "model.layers.0.mlp.experts.";
  struct Case {
    std::string more;
    std::size_t bytes;
    std::string said;
  };
  const std::vector<Case> cases = {
      {tensor(expert + "1.up_proj.weight", "F32", "[2]", 128, 136), 8, "expert 0 is missing"},
      {tensor(expert + "0.up_proj.weight", "F32", "[2]", 128, 136) +
           tensor(expert + "1.up_proj.weight", "BF16", "[4]", 136, 144),
       16, "different shapes"},
      {tensor("model.layers.0.self_attn.q_proj.bias", "F32", "[2]", 128, 136), 8,
       "self_attn.q_proj.bias"},
      {tensor("model.layers.0.self_attn.o_proj.weight", "F8_E4M3", "[2, 4]", 128, 136) +
           tensor("model.layers.0.self_attn.o_proj.weight_scale_inv", "F32", "[2]", 136, 144),
       16, "weight_scale_inv"},
      {tensor("language_model.model.embed_tokens.weight", "F32", "[2]", 128, 136), 8, "twice"},
  };
  for (const Case& wrong : cases) {
    Checkpoint made("wrong");
    made.Put("config.json", TinyConfig())
        .Put("model.safetensors", TinyWeights(wrong.more, wrong.bytes));
    const auto file = OpenSafetensors(made.path());
    ASSERT_FALSE(file.has_value()) << wrong.said;
    EXPECT_THAT(file.error().Message(), HasSubstr(wrong.said));
  }
}

TEST(Safetensors, TheIndexIsHeldAgainstItsFiles) {
  const auto open = [](std::string_view index) {
    Checkpoint made("index");
    made.Put("config.json", TinyConfig()).Put("a.safetensors", TinyWeights());
    made.Put("model.safetensors.index.json", index);
    return OpenSafetensors(made.path());
  };
  EXPECT_TRUE(open(R"({"weight_map": {"model.embed_tokens.weight": "a.safetensors"}})"));
  const auto missing = open(R"({"weight_map": {"x": "b.safetensors", "y": "c.safetensors"}})");
  EXPECT_EQ(missing.error().code, ErrorCode::kFileNotFound);
  EXPECT_THAT(missing.error().Message(), HasSubstr("b.safetensors”, “c.safetensors”"));
  const auto promised = open(R"({"weight_map": {"lm_head.weight": "a.safetensors"}})");
  EXPECT_EQ(promised.error().code, ErrorCode::kMissingTensor);
  for (const char* index :
       {R"({"weight_map": {"x": "../a.safetensors"}})",
        R"({"weight_map": {"x": "/a.safetensors"}})", R"({"weight_map": {"x": 3}})",
        R"({"weight_map": {"x": "a.bin"}})", R"({"weight_map": {}})", R"({"weight_map": [1]})",
        "{}", "[]", "", "{"}) {
    const auto file = open(index);
    ASSERT_FALSE(file.has_value()) << index;
    EXPECT_NE(file.error().code, ErrorCode::kInternal);
  }
}

TEST(Safetensors, SettingsThatChangeTheAnswerAreRefusedByName) {
  for (
      const char* extra :
      {R"("hidden_act": "gelu")", R"("attention_bias": true)", R"("rope_interleave": false)",
       R"("n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 8, "moe_layer_freq": 2)",
       R"("n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 8, "scoring_func": "x")",
       R"("rope_scaling": {"type": "dynamic", "factor": 2})", R"("rope_scaling": 7)",
       R"("rope_scaling": {"type": "yarn", "factor": 40, "mscale": 1.0, "mscale_all_dim": 0.7})",
       R"("hidden_size": -8)", R"("num_hidden_layers": "one")"}) {
    Checkpoint made("settings");
    std::string config = TinyConfig();
    config.insert(config.size() - 1, std::string(", ") + extra);
    made.Put("config.json", config).Put("model.safetensors", TinyWeights());
    const auto file = OpenSafetensors(made.path());
    ASSERT_FALSE(file.has_value()) << extra;
    EXPECT_EQ(file.error().code, ErrorCode::kBadValue) << file.error().Message();
    EXPECT_EQ(file.error().subject, made.File("config.json"));
  }
}

TEST(Safetensors, AnUnknownClassIsKnownByName) {
  Checkpoint made("class");
  made.Put("config.json", R"({"architectures": ["LongcatForCausalLM"], "model_type": "longcat"})")
      .Put("model.safetensors", TinyWeights());
  const auto file = OpenSafetensors(made.path());
  ASSERT_TRUE(file.has_value()) << file.error().Message();
  EXPECT_EQ((*file)->String("general.architecture").value(), "LongcatForCausalLM");
}

TEST(Safetensors, MissingFilesAreNamed) {
  Checkpoint made("missing");
  EXPECT_EQ(OpenSafetensors(made.path()).error().subject, made.File("config.json"));
  made.Put("config.json", TinyConfig());
  const Error error = OpenSafetensors(made.path()).error();
  EXPECT_EQ(error.code, ErrorCode::kFileNotFound);
  EXPECT_EQ(error.subject, made.File("model.safetensors"));
}

}  // namespace
}  // namespace paluku::test
