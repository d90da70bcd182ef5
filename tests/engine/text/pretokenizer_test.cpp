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

TEST(PreTokenizer, UnknownNameIsNamed) {
  const auto pre = PreTokenizer::Create("tekken", "model.gguf");
  ASSERT_FALSE(pre.has_value());
  EXPECT_EQ(pre.error().code, ErrorCode::kUnsupportedTokenizer);
  EXPECT_EQ(pre.error().subject, "model.gguf");
  EXPECT_EQ(pre.error().detail, "tekken");
}

// Texts on which a backtracking pattern could need quadratic time: 10^10 steps each, which the
// test's time limit would not let pass.
TEST(PreTokenizer, LongRunsNeedLinearTime) {
  const std::size_t n = 1 << 18;
  for (const std::string name : {"deepseek-llm", "deepseek-v3"}) {
    for (const std::string unit :
         {"a", " ", "\n", " \n", "!", "1", "\u0C4D", "\u4E00", "\u200D", "\t", "\x01"}) {
      std::string text;
      while (text.size() < n) text += unit;
      for (const std::string tail : {"", "తె", "x", "\x01"}) {
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
  // DeepSeek Coder's list, which differs in its second step.
  const List coder = {"[\r\n]", R"(\s?\p{L}+)", R"(\s?\p{P}+)", "[一-龥]+", "digits"};
  EXPECT_EQ(PreTokenizerOfSteps(coder), std::nullopt);
  EXPECT_EQ(PreTokenizerOfSteps({}), std::nullopt);
}

}  // namespace
}  // namespace paluku
