// Checkpoints that Hugging Face wrote, loaded as they are: logits of every position against those
// of Hugging Face (tests/data/make_checkpoints.py), tokens against the vocabulary of the same
// model.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "engine/loader/model_card.h"
#include "engine/text/tokenizer.h"
#include "engine/text/vocabulary.h"
#include "tests/engine/loader/safetensors_builder.h"
#include "tests/engine/model/golden.h"

namespace paluku::test {
namespace {

// Floats are multiplied as they are; see golden_test. The weights of FP8 are those of BF16.
constexpr double kLimit = 1e-6;

class Checkpoints : public testing::TestWithParam<const char*> {};

TEST_P(Checkpoints, LogitsOfEveryPosition) {
  const Golden golden = LoadGolden(std::string("checkpoints/") + GetParam());
  const GoldenRun& run = golden.Run("prompt");
  for (const char* backend : {"reference", "cpu"}) {
    const EngineSetup setup = {.backend = backend};
    const Loaded model = LoadModel(golden.files[0], setup, static_cast<int>(run.ids.size()));
    const auto logits = ComputeLogits(*model.session, run.ids, run.positions, setup.chunk);
    const double nmse = Nmse(logits, run.logits, golden.vocabulary);
    EXPECT_LE(nmse, kLimit);
    std::printf("  NMSE %.3g: %s on %s\n", nmse, GetParam(), backend);
  }
}

std::string CaseName(const testing::TestParamInfo<const char*>& checkpoint) {
  std::string name = checkpoint.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(HuggingFace, Checkpoints, testing::Values("v3", "v2-bf16", "v3-fp8"),
                         CaseName);

std::shared_ptr<const Tokenizer> TokenizerOf(const std::string& path) {
  const auto file = ModelFile::Open(path).value();
  return Tokenizer::Create(VocabularyFromGguf(*file).value()).value();
}

TEST(CheckpointTokenizer, IsThatOfTheGgufFile) {
  const auto own = TokenizerOf(LoadGolden("checkpoints/v3").files[0]);
  const auto other = TokenizerOf(LoadGolden("v3").files[0]);
  for (const char* text : {"The quick brown fox, 12345 times.", "పలుకు", "a\n\nb", ""}) {
    EXPECT_EQ(own->EncodePrompt(text, SpecialTokens::kParse),
              other->EncodePrompt(text, SpecialTokens::kParse));
  }
  EXPECT_NE(own->chat_template_source().find("<｜User｜>"), std::string::npos);
}

std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Through the metadata of GGUF every kind of vocabulary stays what its tokenizer.json says.
TEST(CheckpointTokenizer, EveryKindSurvivesTheKeysOfGguf) {
  for (const char* name :
       {"deepseek-llm", "deepseek-v3", "deepseek-coder", "kimi-k2", "glm4", "llama-bpe", "youtu",
        "qwen2", "tekken", "gpt-2", "gpt-4o", "minicpm3", "composing", "unigram", "unigram-words",
        "unigram-unknown", "unigram-unknown-words", "pieces-first", "pieces-never"}) {
    SCOPED_TRACE(name);
    const std::string json =
        PALUKU_SOURCE_DIR "/tests/data/tokenizers/" + std::string(name) + ".tokenizer.json";
    Checkpoint made("tokenizer");
    made.Put("config.json", R"({"architectures": ["OfNoFamily"]})")
        .Put("model.safetensors", SafetensorsBytes("{}", 0))
        .Put("tokenizer.json", ReadAll(json));
    const auto direct = Tokenizer::Create(VocabularyFromTokenizerJson(json).value()).value();
    const auto through = TokenizerOf(made.path());
    for (const char* text :
         {"The quick brown fox, 12345 times.", "పలుకు అంటే మాట", "a\n\n  b\tc", "汉字とかな 한글",
          "I'm WE'LL don't", "x = (1+2)*3;  // 👩‍👩‍👧", "", " ",
          " a  <left> b<both>  c zwords zword", "zcaf\u00e9 e\u0301 <right> \n"}) {
      EXPECT_EQ(direct->Encode(text, SpecialTokens::kParse),
                through->Encode(text, SpecialTokens::kParse))
          << text;
    }
  }
}

// Ids beside the vocabulary, as GLM has three of them, and the template in a file of its own.
TEST(CheckpointTokenizer, TheFolderTellsEndsAndTemplate) {
  Checkpoint made("folder");
  made.Put("config.json", R"({"architectures": ["OfNoFamily"]})")
      .Put("model.safetensors", SafetensorsBytes("{}", 0))
      .Put("tokenizer.json",
           ReadAll(PALUKU_SOURCE_DIR "/tests/data/tokenizers/composing.tokenizer.json"))
      .Put("tokenizer_config.json", R"({"eos_token": "<plain>", "chat_template": "old"})")
      .Put("chat_template.jinja", "new");
  const auto before = TokenizerOf(made.path());
  EXPECT_EQ(before->chat_template_source(), "new");
  const auto id = [&](const char* text) { return *before->SpecialId(text); };
  EXPECT_TRUE(before->IsEndOfGeneration(id("<plain>")));
  EXPECT_FALSE(before->IsEndOfGeneration(id("<left>")));
  std::string ends = "{\"eos_token_id\": [5";  // an ordinary letter, which never ends an answer
  for (const char* text : {"<plain>", "<left>", "<right>", "<both>"}) {
    ends += ", " + std::to_string(id(text));
  }
  made.Put("generation_config.json", ends + "]}");
  const auto after = TokenizerOf(made.path());
  EXPECT_FALSE(after->IsEndOfGeneration(5));
  for (const char* text : {"<plain>", "<left>", "<right>", "<both>"}) {
    EXPECT_TRUE(after->IsEndOfGeneration(id(text))) << text;
  }
}

TEST(CheckpointTokenizer, TiktokenStandsInForTokenizerJson) {
  const std::string data = PALUKU_SOURCE_DIR "/tests/data/tokenizers/";
  Checkpoint made("tiktoken");
  made.Put("config.json", R"({"architectures": ["OfNoFamily"]})")
      .Put("model.safetensors", SafetensorsBytes("{}", 0))
      .Put("tiktoken.model", ReadAll(data + "tiktoken/tiktoken.model"))
      .Put("tokenizer_config.json", ReadAll(data + "tiktoken/tokenizer_config.json"));
  const auto own = TokenizerOf(made.path());
  const auto other = TokenizerOf(data + "kimi-k2.gguf");
  for (const char* text : {"The quick brown fox, 12345 times.", "పలుకు", "汉字と private"}) {
    EXPECT_EQ(own->Encode(text, SpecialTokens::kParse), other->Encode(text, SpecialTokens::kParse));
  }
  EXPECT_EQ(own->bos(), other->bos());
}

TEST(CheckpointTokenizer, AStopEndsTheReading) {
  std::stop_source stop;
  stop.request_stop();
  const std::string path = LoadGolden("checkpoints/v3").files[0];
  EXPECT_EQ(ModelFile::Open(path, stop.get_token()).error().code, ErrorCode::kCancelled);
}

TEST(CheckpointCard, TellsWhatTheGgufFileTells) {
  const ModelCard own = ReadModelCard(LoadGolden("checkpoints/v3").files[0]).value();
  const ModelCard other = ReadModelCard(LoadGolden("v3").files[1]).value();  // legacy: one kv_b
  EXPECT_EQ(own.name, "v3");
  EXPECT_EQ(own.architecture, other.architecture);
  EXPECT_EQ(own.parameters, other.parameters);
  EXPECT_EQ(own.active_parameters, other.active_parameters);
  EXPECT_EQ(own.tokenizer, other.tokenizer);
  EXPECT_EQ(own.layers, other.layers);
  EXPECT_EQ(own.experts, other.experts);
  EXPECT_EQ(own.context_length, other.context_length);
  EXPECT_TRUE(own.unsupported.empty());
}

}  // namespace
}  // namespace paluku::test
