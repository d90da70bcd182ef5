// NFC, by examples of the Unicode Standard's annex 15; whole vocabularies with it are in
// golden_test.
#include "engine/text/unicode.h"

#include <gtest/gtest.h>

#include "engine/base/utf8.h"

namespace paluku {
namespace {

TEST(Unicode, Composes) {
  EXPECT_EQ(ComposeUtf8("plain"), "plain");
  EXPECT_EQ(ComposeUtf8("e\u0301"), "\u00e9");
  EXPECT_EQ(ComposeUtf8("\u212b"), "\u00c5");               // ANGSTROM SIGN
  EXPECT_EQ(ComposeUtf8("d\u0323\u0307"), "\u1e0d\u0307");  // marks in their order
  EXPECT_EQ(ComposeUtf8("d\u0307\u0323"), "\u1e0d\u0307");  // and sorted into it
  EXPECT_EQ(ComposeUtf8("\u1100\u1161\u11a8"), "\uac01");   // Hangul
  EXPECT_EQ(ComposeUtf8("\u0c46\u0c56"), "\u0c48");         // Telugu AI
  EXPECT_EQ(ComposeUtf8("\ufb01"), "\ufb01");               // compatibility characters stay
  EXPECT_EQ(ComposeUtf8("\u0958"), "\u0915\u093c");         // excluded from composition
  EXPECT_EQ(ComposeUtf8(std::string("a\0e\u0301", 5)), std::string("a\0\u00e9", 4));
}

// Sorting marks takes the square of a run's length, unless it is cut.
TEST(Unicode, HalfAMillionMarksEnd) {
  std::string marks;
  for (int i = 0; i < 250'000; ++i) marks += "\u0301\u0323";
  const std::string composed = ComposeUtf8(marks);
  EXPECT_EQ(composed.size(), marks.size());
  EXPECT_TRUE(IsValidUtf8(composed));
}

TEST(Unicode, WordsAndSpaces) {
  for (const char32_t c : {U'a', U'7', U'_', U'\u00e9', U'\u0c15', U'\u0c4d', U'\u24b6', U'\u200d'})
    EXPECT_TRUE(IsWordCharacter(c)) << static_cast<unsigned>(c);
  for (const char32_t c : {U' ', U'-', U'\u00a0', U'\u2581', U'\u20ac'})
    EXPECT_FALSE(IsWordCharacter(c)) << static_cast<unsigned>(c);
  for (const char32_t c : {U' ', U'\n', U'\u00a0', U'\u3000'}) EXPECT_TRUE(IsWhiteSpace(c));
  for (const char32_t c : {U'a', U'\u200b', U'\u180e'}) EXPECT_FALSE(IsWhiteSpace(c));
}

TEST(Unicode, ReadsBackwards) {
  const std::string text = "a\u0c15\U0001f600";
  std::size_t begin = 0;
  EXPECT_EQ(DecodeUtf8Before(text, text.size(), &begin), U'\U0001f600');
  EXPECT_EQ(DecodeUtf8Before(text, begin, &begin), U'\u0c15');
  EXPECT_EQ(DecodeUtf8Before(text, begin, &begin), U'a');
  EXPECT_EQ(begin, 0u);
}

}  // namespace
}  // namespace paluku
