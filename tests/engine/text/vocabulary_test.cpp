#include "engine/text/vocabulary.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "engine/loader/model_file.h"
#include "tests/engine/text/vocabularies.h"

namespace paluku {
namespace {

using Json = nlohmann::json;

class VocabularyFiles : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::temp_directory_path() /
              ("paluku_vocabulary_" + std::string(info->name()) + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& bytes) {
    const std::string path = (folder_ / name).string();
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  std::filesystem::path folder_;
};

// A tokenizer.json with the V3 steps over 256 bytes and one merge.
Json TinyJson() {
  Json json;
  for (int byte = 0; byte < 256; ++byte) json["model"]["vocab"][StoredByte(byte)] = byte;
  json["model"]["vocab"]["ab"] = 256;
  json["model"]["type"] = "BPE";
  json["model"]["merges"] = Json::array({Json::array({"a", "b"})});
  json["added_tokens"] =
      Json::array({{{"id", 257}, {"content", "<｜begin▁of▁sentence｜>"}, {"special", true}},
                   {{"id", 258}, {"content", "<｜end▁of▁sentence｜>"}, {"special", true}},
                   {{"id", 300}, {"content", "<think>"}, {"special", false}}});
  const auto split = [](const std::string& regex) {
    return Json{{"type", "Split"},
                {"pattern", {{"Regex", regex}}},
                {"behavior", "Isolated"},
                {"invert", false}};
  };
  json["pre_tokenizer"] = {
      {"type", "Sequence"},
      {"pretokenizers",
       {split(R"(\p{N}{1,3})"),
        split("[一-龥\u3040-ゟ゠-ヿ]+"),
        split(R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^)"
              "\r\n"
              R"(\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+)"),
        {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}}}};
  return json;
}

TEST_F(VocabularyFiles, ReadsATokenizerJson) {
  const std::string path = Write("tokenizer.json", TinyJson().dump());
  const auto vocabulary = VocabularyFromTokenizerJson(path);
  ASSERT_TRUE(vocabulary.has_value()) << vocabulary.error().Message();
  EXPECT_EQ(vocabulary->pre_tokenizer, "deepseek-v3");
  EXPECT_EQ(vocabulary->tokens.size(), 301u);
  EXPECT_EQ(vocabulary->types[270], TokenType::kUnused);  // a hole
  EXPECT_EQ(vocabulary->types[300], TokenType::kUserDefined);
  EXPECT_EQ(vocabulary->bos, 257);
  EXPECT_EQ(vocabulary->eos, 258);
  EXPECT_TRUE(vocabulary->add_bos);
  const auto tokenizer = Tokenizer::Create(*vocabulary);
  ASSERT_TRUE(tokenizer.has_value()) << tokenizer.error().Message();
  EXPECT_EQ((*tokenizer)->EncodePrompt("ab<think>", SpecialTokens::kParse),
            (std::vector<std::int32_t>{257, 256, 300}));
}

TEST_F(VocabularyFiles, ReadsOldMergesAndTheConfigurationBeside) {
  Json json = TinyJson();
  json["model"]["merges"] = Json::array({"a b"});
  const std::string path = Write("tokenizer.json", json.dump());
  Write("tokenizer_config.json", Json{{"add_bos_token", false},
                                      {"bos_token", {{"content", "<think>"}}},
                                      {"eos_token", "<｜end▁of▁sentence｜>"},
                                      {"chat_template", "{{ x }}"}}
                                     .dump());
  const auto vocabulary = VocabularyFromTokenizerJson(path);
  ASSERT_TRUE(vocabulary.has_value()) << vocabulary.error().Message();
  ASSERT_EQ(vocabulary->merges.size(), 1u);
  EXPECT_EQ(vocabulary->merges[0].right, "b");
  EXPECT_FALSE(vocabulary->add_bos);
  EXPECT_EQ(vocabulary->bos, 300);
  EXPECT_EQ(vocabulary->chat_template, "{{ x }}");
}

TEST_F(VocabularyFiles, NamesThePreTokenizerThatIsNotKnown) {
  Json json = TinyJson();
  json["pre_tokenizer"]["pretokenizers"][3]["use_regex"] = true;
  const auto vocabulary = VocabularyFromTokenizerJson(Write("tokenizer.json", json.dump()));
  ASSERT_TRUE(vocabulary.has_value());
  const auto tokenizer = Tokenizer::Create(*vocabulary);
  ASSERT_FALSE(tokenizer.has_value());
  EXPECT_EQ(tokenizer.error().code, ErrorCode::kUnsupportedTokenizer);
  EXPECT_EQ(tokenizer.error().detail, "ByteLevel");
}

TEST_F(VocabularyFiles, BadTokenizerJsonIsOneClearError) {
  const auto refused = [&](const std::function<void(Json&)>& spoil) {
    Json json = TinyJson();
    spoil(json);
    const auto vocabulary = VocabularyFromTokenizerJson(Write("tokenizer.json", json.dump()));
    return vocabulary ? ErrorCode::kInternal : vocabulary.error().code;
  };
  EXPECT_EQ(refused([](Json& j) { j["model"]["type"] = "Unigram"; }),
            ErrorCode::kUnsupportedTokenizer);
  EXPECT_EQ(refused([](Json& j) { j["model"].erase("vocab"); }), ErrorCode::kMissingKey);
  EXPECT_EQ(refused([](Json& j) { j["model"]["vocab"]["zz"] = -1; }), ErrorCode::kBadValue);
  EXPECT_EQ(refused([](Json& j) { j["model"]["vocab"]["zz"] = 1ull << 40; }), ErrorCode::kBadValue);
  EXPECT_EQ(refused([](Json& j) { j["model"]["vocab"]["zz"] = 7; }), ErrorCode::kBadValue);
  EXPECT_EQ(refused([](Json& j) { j["model"]["vocab"]["zz"] = 1'000'000; }), ErrorCode::kBadValue);
  EXPECT_EQ(refused([](Json& j) { j["model"]["vocab"][std::string(70'000, 'z')] = 260; }),
            ErrorCode::kLimitExceeded);
  EXPECT_EQ(refused([](Json& j) { j["model"]["merges"] = "a b"; }), ErrorCode::kMissingKey);
  EXPECT_EQ(refused([](Json& j) { j["model"]["merges"] = Json::array({"ab"}); }),
            ErrorCode::kBadValue);
  EXPECT_EQ(refused([](Json& j) { j["model"]["merges"] = Json::array({7}); }),
            ErrorCode::kBadValue);
  EXPECT_EQ(refused([](Json& j) { j["added_tokens"] = Json::array({1}); }), ErrorCode::kBadValue);
  EXPECT_EQ(refused([](Json& j) { j = Json::array(); }), ErrorCode::kFileDamaged);
}

// A tokenizer.json of the kind that Llama 2 has, over the bytes and three pieces.
Json SentencePieceJson() {
  Json json;
  int id = 0;
  for (const char* name : {"<unk>", "<s>", "</s>"}) json["model"]["vocab"][name] = id++;
  for (unsigned byte = 0; byte < 256; ++byte) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", byte);
    json["model"]["vocab"][name] = id++;
  }
  for (const char* piece : {"\u2581", "a", "\u2581a"}) json["model"]["vocab"][piece] = id++;
  json["model"]["type"] = "BPE";
  json["model"]["byte_fallback"] = true;
  json["model"]["merges"] = Json::array({Json::array({"\u2581", "a"})});
  json["added_tokens"] = Json::array({{{"id", 1}, {"content", "<s>"}, {"special", true}},
                                      {{"id", 2}, {"content", "</s>"}, {"special", true}}});
  json["normalizer"] = {
      {"type", "Sequence"},
      {"normalizers",
       Json::array(
           {{{"type", "Prepend"}, {"prepend", "\u2581"}},
            {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "\u2581"}}})}};
  return json;
}

TEST_F(VocabularyFiles, ReadsASentencePieceTokenizerJson) {
  const Json metaspace = {{"type", "Metaspace"},
                          {"replacement", "\u2581"},
                          {"prepend_scheme", "always"},
                          {"split", false}};
  Json by_metaspace = SentencePieceJson();
  by_metaspace.erase("normalizer");
  by_metaspace["pre_tokenizer"] = metaspace;
  for (const Json& json : {SentencePieceJson(), by_metaspace}) {
    const auto vocabulary = VocabularyFromTokenizerJson(Write("tokenizer.json", json.dump()));
    ASSERT_TRUE(vocabulary.has_value()) << vocabulary.error().Message();
    EXPECT_EQ(vocabulary->kind, VocabularyKind::kSentencePiece);
    EXPECT_EQ(vocabulary->bos, 1);
    EXPECT_EQ(vocabulary->types[3], TokenType::kByte);
    const auto tokenizer = Tokenizer::Create(*vocabulary);
    ASSERT_TRUE(tokenizer.has_value()) << tokenizer.error().Message();
    EXPECT_EQ((*tokenizer)->Encode("a ab", SpecialTokens::kParse),
              (std::vector<std::int32_t>{261, 261, 3 + 'b'}));
  }
}

TEST_F(VocabularyFiles, StepsThatAreNotThereAreRefusedByName) {
  const auto reason = [&](Json json, const std::function<void(Json&)>& change) {
    change(json);
    const auto vocabulary = VocabularyFromTokenizerJson(Write("tokenizer.json", json.dump()));
    if (vocabulary) return std::string("taken");
    EXPECT_EQ(vocabulary.error().code, ErrorCode::kUnsupportedTokenizer);
    return vocabulary.error().detail;
  };
  const Json bytes = TinyJson();
  const Json pieces = SentencePieceJson();
  EXPECT_EQ(reason(bytes, [](Json& j) { j["normalizer"] = {{"type", "NFC"}}; }), "taken");
  EXPECT_EQ(reason(bytes,
                   [](Json& j) {
                     j["normalizer"] = {{"type", "NFKC"}};
                   }),
            "normalizer NFKC");
  EXPECT_EQ(reason(bytes, [](Json& j) { j["model"]["type"] = "Unigram"; }),
            "Unigram without byte_fallback and unk_id");
  EXPECT_EQ(reason(bytes, [](Json& j) { j["normalizer"] = 7; }),
            "normalizer a step without a type");
  EXPECT_EQ(reason(bytes, [](Json& j) { j["model"]["dropout"] = 0.1; }), "BPE with dropout");
  EXPECT_EQ(reason(bytes, [](Json& j) { j["model"]["end_of_word_suffix"] = "</w>"; }),
            "BPE with end_of_word_suffix");
  EXPECT_EQ(reason(bytes, [](Json& j) { j["model"]["type"] = "WordPiece"; }), "WordPiece");
  EXPECT_EQ(reason(bytes, [](Json& j) { j["model"]["type"] = std::string(9'000, 'x'); }).size(),
            64u);
  EXPECT_EQ(reason(pieces,
                   [](Json& j) {
                     j["normalizer"] = {{"type", "Precompiled"}};
                   }),
            "normalizer Precompiled");
  EXPECT_EQ(reason(pieces,
                   [](Json& j) {
                     Json& list = j["normalizer"]["normalizers"];
                     for (int i = 0; i < 1000; ++i) list.push_back(list[0]);
                   }),
            "normalizer Prepend");
  EXPECT_EQ(reason(pieces, [](Json& j) { j.erase("normalizer"); }),
            "SentencePiece without a mark for spaces");
  EXPECT_EQ(reason(pieces,
                   [](Json& j) {
                     j["pre_tokenizer"] = {{"type", "Whitespace"}};
                   }),
            "SentencePiece with Whitespace");
}

TEST_F(VocabularyFiles, AMillionSmallValuesAreRefusedAndNotKept) {
  std::string json = "{\"model\":[";
  for (int i = 0; i < 1'500'000; ++i) json += "[],";
  const auto vocabulary = VocabularyFromTokenizerJson(Write("tokenizer.json", json + "[]]}"));
  ASSERT_FALSE(vocabulary.has_value());
  EXPECT_EQ(vocabulary.error().code, ErrorCode::kUnsupportedTokenizer);
  std::string more = "{\"model\":[";
  for (int i = 0; i < 2'200'000; ++i) more += "[],";
  const auto refused = VocabularyFromTokenizerJson(Write("tokenizer.json", more + "[]]}"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kLimitExceeded);
}

// A line of tiktoken.model for each of the 256 bytes, in order.
std::string TiktokenOfBytes() {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string lines;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    lines += {kDigits[byte >> 2], kDigits[(byte & 3) << 4], '=', '=', ' '};
    lines += std::to_string(byte) + "\n";
  }
  return lines;
}

TEST_F(VocabularyFiles, TiktokenLinesAreChecked) {
  const auto read = [&](const std::string& text) {
    return VocabularyFromTiktoken(Write("tiktoken.model", text));
  };
  const std::string good = TiktokenOfBytes();
  const auto vocabulary = read(good);
  ASSERT_TRUE(vocabulary.has_value()) << vocabulary.error().Message();
  EXPECT_EQ(vocabulary->tokens.size(), 512u);
  EXPECT_EQ(vocabulary->tokens[511], "<|reserved_token_511|>");
  ASSERT_TRUE(Tokenizer::Create(*vocabulary).has_value());
  for (const char* line : {"QQ== 257", "QQ== 255", "QQ==", "QQ 256", "Q*== 256", " 256", "QQ== x",
                           "QQ== 256 7", "==== 256"}) {
    const auto refused = read(good + line);
    ASSERT_FALSE(refused.has_value()) << line;
    EXPECT_EQ(refused.error().code, ErrorCode::kFileDamaged);
    EXPECT_EQ(refused.error().detail, "line 257");
  }
  EXPECT_EQ(read("").error().code, ErrorCode::kFileDamaged);
  for (const char* id : {"255", "512", "-1", "x"}) {
    Write("tokenizer_config.json",
          Json({{"added_tokens_decoder", {{id, {{"content", "<a>"}}}}}}).dump());
    EXPECT_EQ(read(good).error().code, ErrorCode::kBadValue) << id;
  }
}

// A text of many pages, so that the parser of JSON looks at the stop itself: it ends before it
// finds that the text is none.
TEST_F(VocabularyFiles, AStopEndsTheReading) {
  std::stop_source stop;
  stop.request_stop();
  const std::string json = Write("tokenizer.json", "[" + std::string(100'000, ' ') + "x");
  EXPECT_EQ(VocabularyFromTokenizerJson(json).error().code, ErrorCode::kFileDamaged);
  EXPECT_EQ(VocabularyFromTokenizerJson(json, stop.get_token()).error().code,
            ErrorCode::kCancelled);
  const std::string ranks = Write("tiktoken.model", TiktokenOfBytes());
  EXPECT_EQ(VocabularyFromTiktoken(ranks, stop.get_token()).error().code, ErrorCode::kCancelled);
}

TEST_F(VocabularyFiles, UnigramListsAreChecked) {
  Json json = SentencePieceJson();
  json["model"] = {{"type", "Unigram"}, {"byte_fallback", true}, {"vocab", Json::array()}};
  const auto with = [&](const Json& entry) {
    Json list = Json::array({Json::array({"<unk>", 0.0})});
    for (int byte = 0; byte < 256; ++byte) {
      char name[8];
      std::snprintf(name, sizeof name, "<0x%02X>", static_cast<unsigned>(byte));
      list.push_back(Json::array({name, 0.0}));
    }
    list.push_back(entry);
    json["model"]["vocab"] = list;
    json["added_tokens"] = Json::array();
    return VocabularyFromTokenizerJson(Write("tokenizer.json", json.dump()));
  };
  const auto good = with(Json::array({"ab", -1.5}));
  ASSERT_TRUE(good.has_value()) << good.error().Message();
  EXPECT_EQ(good->kind, VocabularyKind::kUnigram);
  const auto tokenizer = Tokenizer::Create(*good);
  ASSERT_TRUE(tokenizer.has_value()) << tokenizer.error().Message();
  EXPECT_EQ((*tokenizer)->Encode("ab", SpecialTokens::kAsText).back(), 257);
  EXPECT_FALSE(with(Json::array({"ab"})).has_value());
  EXPECT_FALSE(with(Json::array({1, -1.5})).has_value());
  EXPECT_FALSE(with("ab").has_value());
  EXPECT_FALSE(Tokenizer::Create(with(Json::array({"ab", 1e300})).value()).has_value());
  // Every place of a text is compared as far as the longest token goes.
  const auto longest = Tokenizer::Create(with(Json::array({std::string(257, 'a'), -1.0})).value());
  ASSERT_FALSE(longest.has_value());
  EXPECT_EQ(longest.error().code, ErrorCode::kLimitExceeded);
}

// A parser that looks at all members of an array again behind each of them does not come back.
TEST_F(VocabularyFiles, ObjectsInAnArrayNeedLinearTime) {
  std::string json = "{\"added_tokens\":[";
  for (int i = 0; i < 1'900'000; ++i) json += "{},";
  const auto vocabulary = VocabularyFromTokenizerJson(Write("tokenizer.json", json + "{}]}"));
  ASSERT_FALSE(vocabulary.has_value());
  EXPECT_EQ(vocabulary.error().code, ErrorCode::kUnsupportedTokenizer);
}

TEST_F(VocabularyFiles, BadFilesAreOneClearError) {
  const auto code = [&](const std::string& path) {
    return VocabularyFromTokenizerJson(path).error().code;
  };
  EXPECT_EQ(code((folder_ / "none.json").string()), ErrorCode::kFileNotFound);
  EXPECT_EQ(code(Write("empty.json", "")), ErrorCode::kFileDamaged);
  EXPECT_EQ(code(Write("half.json", "{\"model\": {\"vocab\"")), ErrorCode::kFileDamaged);
  EXPECT_EQ(code(Write("binary.json", std::string("\0\xFF\xFE", 3))), ErrorCode::kFileDamaged);
  const std::string opened(100'000, '[');
  EXPECT_EQ(code(Write("open.json", opened)), ErrorCode::kFileDamaged);
  EXPECT_EQ(code(Write("deep.json", opened + std::string(100'000, ']'))),
            ErrorCode::kLimitExceeded);
  std::string many = "{\"a\":[0";
  while (many.size() < 2 * kVocabularyLimits.json_values + 16) many += ",0";
  EXPECT_EQ(code(Write("many.json", many + "]}")), ErrorCode::kLimitExceeded);
  EXPECT_FALSE(VocabularyFromTokenizerJson(folder_.string()).has_value());
}

// Writes a GGUF of metadata only.
class GgufWriter {
 public:
  void String(const std::string& key, const std::string& value) {
    Key(key, 8);
    Text(value);
  }
  void U32(const std::string& key, std::uint32_t value) {
    Key(key, 4);
    Number(value);
  }
  void Strings(const std::string& key, const std::vector<std::string>& values) {
    Key(key, 9);
    Number(std::uint32_t{8});
    Number(static_cast<std::uint64_t>(values.size()));
    for (const std::string& value : values) Text(value);
  }
  void Types(const std::string& key, const std::vector<std::int32_t>& values) {
    Key(key, 9);
    Number(std::uint32_t{5});
    Number(static_cast<std::uint64_t>(values.size()));
    for (const std::int32_t value : values) Number(value);
  }
  std::string Bytes() const {
    GgufWriter head;
    head.bytes_ = "GGUF";
    head.Number(std::uint32_t{3});
    head.Number(std::uint64_t{0});
    head.Number(count_);
    return head.bytes_ + bytes_ + std::string(64, '\0');
  }

 private:
  void Key(const std::string& key, std::uint32_t type) {
    ++count_;
    Text(key);
    Number(type);
  }
  void Text(const std::string& text) {
    Number(static_cast<std::uint64_t>(text.size()));
    bytes_ += text;
  }
  template <class T>
  void Number(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }

  std::string bytes_;
  std::uint64_t count_ = 0;
};

struct GgufParts {
  Vocabulary vocabulary = TinyVocabulary({{"a", "b"}}, {});
  std::string model = "gpt2";
  std::vector<std::string> merges = {"a b"};
  std::uint32_t eos = 258;
  std::size_t types = 0;  // 0: as many as tokens
};

std::string GgufOf(const GgufParts& parts) {
  GgufWriter writer;
  writer.String("general.architecture", "anything");
  writer.String("tokenizer.ggml.model", parts.model);
  writer.String("tokenizer.ggml.pre", parts.vocabulary.pre_tokenizer);
  writer.Strings("tokenizer.ggml.tokens", parts.vocabulary.tokens);
  std::vector<std::int32_t> types;
  for (const TokenType type : parts.vocabulary.types)
    types.push_back(static_cast<std::int32_t>(type));
  if (parts.types != 0) types.resize(parts.types, 99);
  writer.Types("tokenizer.ggml.token_type", types);
  writer.Strings("tokenizer.ggml.merges", parts.merges);
  writer.U32("tokenizer.ggml.bos_token_id", 257);
  writer.U32("tokenizer.ggml.eos_token_id", parts.eos);
  return writer.Bytes();
}

TEST_F(VocabularyFiles, ReadsAVocabularyOnlyGguf) {
  const auto file = ModelFile::Open(Write("v.gguf", GgufOf({})));
  ASSERT_TRUE(file.has_value()) << file.error().Message();
  const auto vocabulary = VocabularyFromGguf(**file);
  ASSERT_TRUE(vocabulary.has_value()) << vocabulary.error().Message();
  EXPECT_EQ(vocabulary->bos, 257);
  EXPECT_EQ(vocabulary->eos, 258);
  EXPECT_EQ(vocabulary->pad, std::nullopt);
  const auto tokenizer = Tokenizer::Create(*vocabulary);
  ASSERT_TRUE(tokenizer.has_value()) << tokenizer.error().Message();
  EXPECT_EQ((*tokenizer)->EncodePrompt("abc", SpecialTokens::kParse),
            (std::vector<std::int32_t>{257, 256, 'c'}));
}

TEST_F(VocabularyFiles, BadGgufVocabulariesAreOneClearError) {
  const auto refused = [&](const GgufParts& parts) {
    const auto file = ModelFile::Open(Write("v.gguf", GgufOf(parts)));
    if (!file) return file.error().code;
    const auto vocabulary = VocabularyFromGguf(**file);
    return vocabulary ? ErrorCode::kInternal : vocabulary.error().code;
  };
  EXPECT_EQ(refused({.model = "bert"}), ErrorCode::kUnsupportedTokenizer);
  EXPECT_EQ(refused({.model = "llama"}), ErrorCode::kMissingKey);  // scores
  EXPECT_EQ(refused({.merges = {"ab"}}), ErrorCode::kBadValue);
  EXPECT_EQ(refused({.merges = {"a "}}), ErrorCode::kBadValue);
  EXPECT_EQ(refused({.merges = {""}}), ErrorCode::kBadValue);
  EXPECT_EQ(refused({.eos = 259}), ErrorCode::kBadValue);
  EXPECT_EQ(refused({.types = 3}), ErrorCode::kBadValue);
  EXPECT_EQ(refused({.types = 300}), ErrorCode::kBadValue);
  GgufParts none;
  none.vocabulary.tokens.clear();
  EXPECT_EQ(refused(none), ErrorCode::kBadValue);
  GgufParts huge;
  huge.vocabulary.tokens[7] = std::string(70'000, 'x');
  EXPECT_EQ(refused(huge), ErrorCode::kLimitExceeded);
  EXPECT_EQ(refused({.eos = 0xFFFFFFFF}), ErrorCode::kInternal);  // "none": accepted
}

}  // namespace
}  // namespace paluku
