#include <gtest/gtest.h>

#include "app/conversation/conversation_service.h"
#include "engine/base/utf8.h"

namespace paluku {
namespace {

TEST(TitleFromText, IsTheTextWhenItIsShort) {
  EXPECT_EQ(TitleFromText("What is MLA?"), "What is MLA?");
  EXPECT_EQ(TitleFromText("వేమన పద్యం"), "వేమన పద్యం");
}

TEST(TitleFromText, IsOneLineWithSingleSpaces) {
  EXPECT_EQ(TitleFromText("  Hello\n\n  there\t friend \n"), "Hello there friend");
  EXPECT_EQ(TitleFromText(" \n "), "");
}

TEST(TitleFromText, CutsAtAWord) {
  std::string text;
  for (int i = 0; i < 30; ++i) text += "పలుకు ";
  const std::string title = TitleFromText(text);
  EXPECT_TRUE(title.ends_with("పలుకు…")) << title;
  EXPECT_LE(title.size(), 61 * 3u);
}

TEST(TitleFromText, KeepsAnEndlessWordBoundedAndWhole) {
  const std::string title = TitleFromText(std::string(100'000, 'x'));
  EXPECT_LE(title.size(), 300u);
  EXPECT_TRUE(IsValidUtf8(title));
}

}  // namespace
}  // namespace paluku
