#include "engine/text/pretokenizer.h"

#include <gtest/gtest.h>

namespace paluku {
namespace {

std::vector<std::string> Pieces(const std::string& name, const std::string& text) {
  const auto pre = PreTokenizer::Create(name, "test");
  EXPECT_TRUE(pre.has_value());
  std::vector<std::size_t> ends;
  pre->Split(text, ends);
  std::vector<std::string> pieces;
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    pieces.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  EXPECT_EQ(begin, text.size());
  return pieces;
}

using List = std::vector<std::string>;

TEST(PreTokenizer, DeepSeekV3) {
  const std::string name = "deepseek-v3";
  EXPECT_EQ(Pieces(name, ""), List{});
  EXPECT_EQ(Pieces(name, "Hello world"), (List{"Hello", " world"}));
  EXPECT_EQ(Pieces(name, "12345 67"), (List{"123", "45", " ", "67"}));
  EXPECT_EQ(Pieces(name, "a  b"), (List{"a", " ", " b"}));
  EXPECT_EQ(Pieces(name, "x;\n\ny  \n z"), (List{"x", ";\n\n", "y", "  \n", " z"}));
  EXPECT_EQ(Pieces(name, "don't"), (List{"don", "'t"}));
  EXPECT_EQ(Pieces(name, "漢字かな・ok"), (List{"漢字かな", "・", "ok"}));
  EXPECT_EQ(Pieces(name, "తెలుగు భాష"), (List{"తెలుగు", " భాష"}));
  EXPECT_EQ(Pieces(name, "end   "), (List{"end", "   "}));
}

TEST(PreTokenizer, DeepSeekLlm) {
  const std::string name = "deepseek-llm";
  EXPECT_EQ(Pieces(name, "Hello world\r\n"), (List{"Hello", " world", "\r", "\n"}));
  EXPECT_EQ(Pieces(name, "1234"), (List{"1", "2", "3", "4"}));
  EXPECT_EQ(Pieces(name, "a  b"), (List{"a", " ", " b"}));
  EXPECT_EQ(Pieces(name, "it's (x)"), (List{"it", "'", "s", " (", "x", ")"}));
  // Ấ is a letter of step 2 and lies in the wide range of step 5, which cuts it out again.
  EXPECT_EQ(Pieces(name, "Việt"), (List{"Vi", "ệ", "t"}));
  EXPECT_EQ(Pieces(name, "తెలుగు  "), (List{"తెలుగు", "  "}));
  EXPECT_EQ(Pieces(name, " 。"), (List{" ", "。"}));
}

// White space is Unicode's: U+180E is none, U+3000 and U+0085 are.
TEST(PreTokenizer, WhiteSpaceIsUnicodes) {
  EXPECT_EQ(Pieces("deepseek-llm", "\u180Ea"), (List{"\u180E", "a"}));
  EXPECT_EQ(Pieces("deepseek-llm", "\u0085a"), (List{"\u0085a"}));
  EXPECT_EQ(Pieces("deepseek-v3", "\u3000\u3000a"), (List{"\u3000", "\u3000a"}));
}

// Han ends a word, but not digits or symbols that began before it.
TEST(PreTokenizer, KimiLeavesHanOutOfWords) {
  const std::string name = "kimi-k2";
  EXPECT_EQ(Pieces(name, "abc漢字def"), (List{"abc", "漢字", "def"}));
  EXPECT_EQ(Pieces(name, "1〇2"), (List{"1〇2"}));
  EXPECT_EQ(Pieces(name, "!⺀"), (List{"!⺀"}));
  EXPECT_EQ(Pieces(name, "⺀!"), (List{"⺀", "!"}));
  EXPECT_EQ(Pieces(name, "camelCase XMLParser's"), (List{"camel", "Case", " XMLParser's"}));
  EXPECT_EQ(Pieces(name, "12345"), (List{"123", "45"}));
}

TEST(PreTokenizer, FamiliesDifferWhereTheyShould) {
  EXPECT_EQ(Pieces("glm4", "I'Ll don't'ſ"), (List{"I", "'Ll", " don", "'t", "'ſ"}));
  EXPECT_EQ(Pieces("gpt-2", "I'Ll don't"), (List{"I", "'", "Ll", " don", "'t"}));
  EXPECT_EQ(Pieces("gpt-4o", "I'Ll a1234/\n"), (List{"I'Ll", " a", "123", "4", "/\n"}));
  EXPECT_EQ(Pieces("tekken", "I'll 12"), (List{"I", "'ll", " ", "1", "2"}));
  EXPECT_EQ(Pieces("youtu", "가나！…漢かㄅ"), (List{"가나", "！…", "漢か", "ㄅ"}));
  EXPECT_EQ(Pieces("deepseek-coder", "x = 12;\n"), (List{"x", " = ", "1", "2", ";", "\n"}));
}

TEST(PreTokenizer, OtherNamesOfTheSameRules) {
  EXPECT_EQ(Pieces("kanana2", "XMLParser's"), Pieces("gpt-4o", "XMLParser's"));
  EXPECT_EQ(Pieces("gigachat", "don't 12"), Pieces("gpt-2", "don't 12"));
  EXPECT_EQ(Pieces("joyai-llm", "漢字かな"), Pieces("deepseek-v3", "漢字かな"));
}

TEST(PreTokenizer, UnknownNameIsNamed) {
  const auto pre = PreTokenizer::Create("superbpe", "model.gguf");
  ASSERT_FALSE(pre.has_value());
  EXPECT_EQ(pre.error().code, ErrorCode::kUnsupportedTokenizer);
  EXPECT_EQ(pre.error().subject, "model.gguf");
  EXPECT_EQ(pre.error().detail, "superbpe");
}

// Texts on which a backtracking pattern could need quadratic time: 10^10 steps each, which the
// test's time limit would not let pass.
TEST(PreTokenizer, LongRunsNeedLinearTime) {
  const std::size_t n = 1 << 17;
  for (const std::string name : {"deepseek-llm", "deepseek-v3", "deepseek-coder", "kimi-k2", "glm4",
                                 "qwen2", "youtu", "gpt-2", "gpt-4o", "tekken"}) {
    for (const std::string unit : {"a", "A", "aA", "A\u0301", " ", "\n", " \n", "!", "1", "'",
                                   "\u0C4D", "\u4E00", "\u200D", "\t", "\x01", "/"}) {
      std::string text;
      while (text.size() < n) text += unit;
      for (const std::string tail : {"", "x"}) {
        List pieces = Pieces(name, text + tail);
        EXPECT_FALSE(pieces.empty());
      }
    }
  }
}

TEST(PreTokenizer, RecognisesTheStepsOfPublishedFiles) {
  const List v3 = {R"(\p{N}{1,3})", "[一-龥\u3040-ゟ゠-ヿ]+",
                   R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^)"
                   "\r\n"
                   R"(\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[)"
                   "\r\n"
                   R"(]*|\s*[)"
                   "\r\n"
                   R"(]+|\s+(?!\S)|\s+)"};
  EXPECT_EQ(PreTokenizerOfSteps(v3), "deepseek-v3");
  const List llm = {"[\r\n]",  R"(\s?[A-Za-zµÀ-Ö]+)", R"(\s?[!-/:-~]+)",
                    R"(\s+$)", "[一-龥ࠀ-一]+",        "digits"};
  EXPECT_EQ(PreTokenizerOfSteps(llm), "deepseek-llm");
  const List coder = {"[\r\n]", R"(\s?\p{L}+)", R"(\s?\p{P}+)", "[一-龥]+", "digits"};
  EXPECT_EQ(PreTokenizerOfSteps(coder), "deepseek-coder");
  const List tail_missing = {coder.begin(), coder.end() - 1};
  EXPECT_EQ(PreTokenizerOfSteps(tail_missing), std::nullopt);
  EXPECT_EQ(PreTokenizerOfSteps({R"(\p{N})"}), std::nullopt);
  EXPECT_EQ(PreTokenizerOfSteps({}), std::nullopt);
}

}  // namespace
}  // namespace paluku
