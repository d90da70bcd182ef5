// Token ids against Hugging Face tokenizers: 2,000 strings on each of two small vocabularies of our
// own, 10,000 on one of every other family, 10,000 and 2,000 on the published ones, and the 46
// strings published with three vocabularies.
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "engine/loader/model_file.h"
#include "engine/text/pretokenizer.h"
#include "engine/text/tokenizer.h"
#include "tests/engine/text/vocabularies.h"

namespace paluku {
namespace {

using Ids = std::vector<std::int32_t>;

struct GoldenCase {
  std::string text;
  Ids ids;
};

std::string DataFile(const std::string& name) {
  return PALUKU_SOURCE_DIR "/tests/data/tokenizers/" + name;
}

std::uint64_t ReadVarint(const std::string& bytes, std::size_t& at) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.at(at++));
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
}

// The format is told in tests/data/README.md, as those below are.
std::vector<GoldenCase> ReadGolden(const std::string& name) {
  const std::string bytes = ReadFile(DataFile(name + ".golden"));
  std::size_t at = 8;
  const auto varint = [&] { return ReadVarint(bytes, at); };
  if (bytes.substr(0, 4) != "PTG1") return {};
  std::vector<GoldenCase> cases;
  while (at < bytes.size()) {
    GoldenCase one;
    const std::size_t length = varint();
    one.text = bytes.substr(at, length);
    at += length;
    for (std::size_t left = varint(); left > 0; --left)
      one.ids.push_back(static_cast<std::int32_t>(varint()));
    cases.push_back(std::move(one));
  }
  return cases;
}

std::shared_ptr<const Tokenizer> FromGguf(const std::string& path) {
  const auto file = ModelFile::Open(path);
  if (!file) return ADD_FAILURE() << file.error().Message(), nullptr;
  auto vocabulary = VocabularyFromGguf(**file);
  if (!vocabulary) return ADD_FAILURE() << vocabulary.error().Message(), nullptr;
  auto tokenizer = Tokenizer::Create(std::move(*vocabulary));
  if (!tokenizer) return ADD_FAILURE() << tokenizer.error().Message(), nullptr;
  return *tokenizer;
}

std::shared_ptr<const Tokenizer> FromJson(const std::string& path) {
  auto vocabulary = VocabularyFromTokenizerJson(path);
  if (!vocabulary) return ADD_FAILURE() << vocabulary.error().Message(), nullptr;
  auto tokenizer = Tokenizer::Create(std::move(*vocabulary));
  if (!tokenizer) return ADD_FAILURE() << tokenizer.error().Message(), nullptr;
  return *tokenizer;
}

void ExpectEqual(const Tokenizer& tokenizer, const std::string& golden, std::size_t at_least) {
  const std::vector<GoldenCase> cases = ReadGolden(golden);
  ASSERT_GE(cases.size(), at_least) << golden;
  int wrong = 0;
  for (const GoldenCase& one : cases) {
    const Ids ids = tokenizer.Encode(one.text, SpecialTokens::kParse);
    if (ids != one.ids && ++wrong <= 5)
      ADD_FAILURE() << "“" << one.text << "”: " << testing::PrintToString(ids) << ", not "
                    << testing::PrintToString(one.ids);
    ASSERT_EQ(tokenizer.Decode(ids), one.text);
  }
  EXPECT_EQ(wrong, 0) << "of " << cases.size();
}

// V3's file, unpacked beside the test; empty when the data or xz is missing.
std::string UnpackedV3() {
  const std::string packed = SharedData("tokenizers/deepseek-v3/tokenizer.json.xz");
  if (!std::filesystem::exists(packed)) return {};
  const auto folder =
      std::filesystem::temp_directory_path() / ("paluku_v3_" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const std::string path = (folder / "tokenizer.json").string();
  const std::string command = "xz -dc '" + packed + "' > '" + path + "'";
  return std::system(command.c_str()) == 0 ? path : std::string();
}

TEST(GoldenIds, SmallVocabularies) {
  for (const std::string name : {"deepseek-llm", "deepseek-v3"}) {
    const std::string base = PALUKU_SOURCE_DIR "/tests/data/tokenizers/" + name;
    const auto from_gguf = FromGguf(base + ".gguf");
    const auto from_json = FromJson(base + ".tokenizer.json");
    ASSERT_TRUE(from_gguf && from_json);
    EXPECT_EQ(from_gguf->pre_tokenizer(), name);
    EXPECT_EQ(from_json->pre_tokenizer(), name);
    ExpectEqual(*from_gguf, name, 2000);
    ExpectEqual(*from_json, name, 2000);
  }
}

std::vector<std::string> FamilyStrings() {
  const std::string bytes = ReadFile(DataFile("families.strings"));
  std::vector<std::string> strings;
  for (std::size_t at = 8; at < bytes.size();) {
    const std::size_t length = ReadVarint(bytes, at);
    strings.push_back(bytes.substr(at, length));
    at += length;
  }
  return strings;
}

// FNV-1a of 64 bits, as make_family_tokenizers.py has it.
class Digest {
 public:
  void Add(std::uint32_t number) {
    for (int shift = 0; shift < 32; shift += 8)
      value_ = (value_ ^ (number >> shift & 0xFF)) * 0x100000001B3u;
  }
  std::string Hex() const {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value_));
    return text;
  }

 private:
  std::uint64_t value_ = 0xCBF29CE484222325u;
};

constexpr std::size_t kDigestOf = 100;

// `encode` gives the numbers of a string; the digests of every hundred strings are `golden`.
void ExpectDigests(const std::vector<std::string>& strings, const nlohmann::json& golden,
                   const std::function<std::vector<std::uint32_t>(const std::string&)>& encode) {
  ASSERT_EQ(golden.size() * kDigestOf, strings.size());
  for (std::size_t group = 0; group < golden.size(); ++group) {
    Digest digest;
    for (std::size_t i = group * kDigestOf; i < (group + 1) * kDigestOf; ++i) {
      for (const std::uint32_t number : encode(strings[i])) digest.Add(number);
      digest.Add(0xFFFFFFFFu);
    }
    EXPECT_EQ(digest.Hex(), golden[group].get<std::string>())
        << "strings from " << group * kDigestOf;
  }
}

void ExpectFamily(const Tokenizer& tokenizer, const std::vector<std::string>& strings,
                  const nlohmann::json& golden) {
  ExpectDigests(strings, golden, [&](const std::string& text) {
    const Ids ids = tokenizer.Encode(text, SpecialTokens::kParse);
    return std::vector<std::uint32_t>(ids.begin(), ids.end());
  });
}

const char* const kFamilies[] = {"deepseek-coder", "kimi-k2", "glm4",   "llama-bpe", "qwen2",
                                 "youtu",          "gpt-2",   "gpt-4o", "tekken",    "minicpm3"};

class Families : public testing::TestWithParam<const char*> {
 protected:
  const std::string name_ = GetParam();
  const std::vector<std::string> strings_ = FamilyStrings();
  const nlohmann::json golden_ = nlohmann::json::parse(ReadFile(DataFile("families.json")))[name_];
};

TEST_P(Families, FromGguf) {
  ASSERT_EQ(strings_.size(), 10'000u);
  const auto tokenizer = FromGguf(DataFile(name_ + ".gguf"));
  ASSERT_TRUE(tokenizer);
  EXPECT_EQ(tokenizer->pre_tokenizer(), name_ == "minicpm3" ? "" : name_);
  ExpectFamily(*tokenizer, strings_, golden_["ids"]);
}

TEST_P(Families, FromTokenizerJson) {
  const auto tokenizer = FromJson(DataFile(name_ + ".tokenizer.json"));
  ASSERT_TRUE(tokenizer);
  ExpectFamily(*tokenizer, strings_, golden_["ids"]);
}

TEST_P(Families, TextSurvives) {
  const auto tokenizer = FromGguf(DataFile(name_ + ".gguf"));
  ASSERT_TRUE(tokenizer);
  for (const std::string& text : strings_) {
    // SentencePiece keeps spaces as this character.
    if (name_ == "minicpm3" && text.find("\u2581") != std::string::npos) continue;
    ASSERT_EQ(tokenizer->Decode(tokenizer->Encode(text, SpecialTokens::kAsText)), text);
  }
}

TEST_P(Families, Pieces) {
  if (name_ == "minicpm3") return;  // has no pieces
  const auto pre_tokenizer = PreTokenizer::Create(name_, "test");
  ASSERT_TRUE(pre_tokenizer.has_value());
  ExpectDigests(strings_, golden_["pieces"], [&](const std::string& text) {
    std::vector<std::size_t> ends;
    pre_tokenizer->Split(text, ends);
    return std::vector<std::uint32_t>(ends.begin(), ends.end());
  });
}

INSTANTIATE_TEST_SUITE_P(GoldenIds, Families, testing::ValuesIn(kFamilies), [](const auto& family) {
  std::string name = family.param;
  std::erase_if(name, [](char c) { return c == '-'; });
  return name;
});

// The texts of make_tokenizer_options.py: two strings with an added token between them.
std::vector<std::string> OptionTexts(const std::vector<std::string>& strings) {
  const std::string separators[] = {"", " ", "\u00a0 \n", "a", "\u0c15", "_"};
  const std::string added[] = {"<left>",      "<right>", "<both>", "zword",
                               "zcafe\u0301", "<plain>", "zlone"};
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < strings.size(); ++i) {
    texts.push_back(strings[i] + separators[i % 6] + added[i % 7] + separators[i / 6 % 6] +
                    strings[(i + 1) % strings.size()]);
  }
  return texts;
}

// NFC, every flag of an added token, unigram models, and the ways that Metaspace marks spaces.
class Options : public testing::TestWithParam<const char*> {};

TEST_P(Options, EqualHuggingFace) {
  const std::string name = GetParam();
  const auto tokenizer = FromJson(DataFile(name + ".tokenizer.json"));
  ASSERT_TRUE(tokenizer);
  const auto golden = nlohmann::json::parse(ReadFile(DataFile("options.json")));
  ExpectFamily(*tokenizer, OptionTexts(FamilyStrings()), golden[name]);
}

INSTANTIATE_TEST_SUITE_P(GoldenIds, Options,
                         testing::Values("composing", "unigram", "unigram-words", "unigram-unknown",
                                         "unigram-unknown-words", "pieces-first", "pieces-never"),
                         [](const auto& option) {
                           std::string name = option.param;
                           std::erase_if(name, [](char c) { return c == '-'; });
                           return name;
                         });

// unigram.gguf has the same tokens without the added ones, which these texts do not hold.
TEST(GoldenIds, UnigramFromGguf) {
  const auto from_gguf = FromGguf(DataFile("unigram.gguf"));
  const auto from_json = FromJson(DataFile("unigram.tokenizer.json"));
  ASSERT_TRUE(from_gguf && from_json);
  for (const std::string& text : FamilyStrings()) {
    const Ids ids = from_gguf->Encode(text, SpecialTokens::kAsText);
    ASSERT_EQ(ids, from_json->Encode(text, SpecialTokens::kAsText)) << text;
    if (text.find("\u2581") == std::string::npos) {
      ASSERT_EQ(from_gguf->Decode(ids), text);
    }
  }
}

TEST(GoldenIds, TiktokenHasTheIdsOfKimi) {
  auto vocabulary = VocabularyFromTiktoken(DataFile("tiktoken/tiktoken.model"));
  ASSERT_TRUE(vocabulary) << vocabulary.error().Message();
  const auto tokenizer = Tokenizer::Create(std::move(*vocabulary));
  ASSERT_TRUE(tokenizer) << tokenizer.error().Message();
  const auto golden = nlohmann::json::parse(ReadFile(DataFile("families.json")))["kimi-k2"]["ids"];
  ExpectFamily(**tokenizer, FamilyStrings(), golden);
  EXPECT_EQ((*tokenizer)->bos(), (*tokenizer)->SpecialId("<|begin|>"));
}

TEST(GoldenIds, PublishedV3) {
  const std::string path = UnpackedV3();
  if (path.empty()) GTEST_SKIP() << "needs shared data: tokenizers/deepseek-v3, and xz";
  const auto tokenizer = FromJson(path);
  std::filesystem::remove_all(std::filesystem::path(path).parent_path());
  ASSERT_TRUE(tokenizer);
  ExpectEqual(*tokenizer, "deepseek-v3-published", 10'000);
}

TEST(GoldenIds, PublishedV2) {
  const std::string path = SharedData("tokenizers/deepseek-v2/ggml-vocab-deepseek-llm.gguf");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs shared data: tokenizers/deepseek-v2";
  const auto tokenizer = FromGguf(path);
  ASSERT_TRUE(tokenizer);
  ExpectEqual(*tokenizer, "deepseek-llm-published", 2000);
}

// The strings and ids that llama.cpp publishes beside its vocabularies; the ids are Hugging Face's.
class PublishedStrings : public testing::TestWithParam<const char*> {};

TEST_P(PublishedStrings, All46) {
  const std::string path = SharedData(std::string("tokenizers/") + GetParam());
  if (!std::filesystem::exists(path))
    GTEST_SKIP() << "needs shared data: tokenizers/" << GetParam();
  const auto tokenizer = FromGguf(path);
  ASSERT_TRUE(tokenizer);
  const std::string mark = "\n__ggml_vocab_test__\n";
  const std::string input = ReadFile(path + ".inp");
  std::istringstream output(ReadFile(path + ".out"));
  int count = 0;
  for (std::size_t begin = 0, end; (end = input.find(mark, begin)) != std::string::npos;
       begin = end + mark.size(), ++count) {
    std::string line;
    std::getline(output, line);
    std::istringstream numbers(line);
    const Ids expected{std::istream_iterator<std::int32_t>(numbers), {}};
    const std::string text = input.substr(begin, end - begin);
    EXPECT_EQ(tokenizer->Encode(text, SpecialTokens::kAsText), expected) << "“" << text << "”";
    EXPECT_EQ(tokenizer->Decode(expected), text);
  }
  EXPECT_EQ(count, 46);
}

INSTANTIATE_TEST_SUITE_P(GoldenIds, PublishedStrings,
                         testing::Values("deepseek-v2/ggml-vocab-deepseek-llm.gguf",
                                         "deepseek-coder/ggml-vocab-deepseek-coder.gguf",
                                         "llama-spm/ggml-vocab-llama-spm.gguf"));

}  // namespace
}  // namespace paluku
