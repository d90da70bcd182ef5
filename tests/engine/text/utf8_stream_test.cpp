// Whatever way the bytes are cut, the shown text is the text, and no step shows half of anything.
#include "engine/text/utf8_stream.h"

#include <gtest/gtest.h>

#include <vector>

#include "engine/base/utf8.h"

namespace paluku {
namespace {

const char* const kCorpus[] = {"తెలుగు",
                               "క్ష్మి",
                               "స్త్రీ",
                               "విజ్ఞానం",
                               "శ్రీ",
                               "జ్ఞ",
                               "ర్క",
                               "క్\u200Cష",
                               "వన్",
                               "౦౧౨",
                               "GPU లో 24 GB",
                               "हिन्दी में क्ष",
                               "தமிழ் க்",
                               "സ്ത്രീ",
                               "👩\u200D👩\u200D👧\u200D👦",
                               "😶\u200D🌫\uFE0F",
                               "👍🏽",
                               "🏳\uFE0F\u200D🌈 ok",
                               "añ🙂漢字",
                               "plain text\n"};

bool EndsInLinker(const std::string& text) {
  for (const char* linker : {"\u0C4D", "\u094D", "\u0BCD", "\u0D4D", "\u200C", "\u200D"})
    if (text.size() >= 3 && text.ends_with(linker)) return true;
  return false;
}

TEST(Utf8Stream, EveryCutOfTheCorpusGivesTheTextAndNoHalfCluster) {
  for (const std::string text : kCorpus) {
    for (std::size_t first = 0; first <= text.size(); ++first) {
      for (std::size_t second = first; second <= text.size(); ++second) {
        Utf8Stream stream;
        std::string shown;
        for (const auto& part :
             {text.substr(0, first), text.substr(first, second - first), text.substr(second)}) {
          shown += stream.Push(part);
          ASSERT_TRUE(IsValidUtf8(shown)) << text << " " << first << " " << second;
          ASSERT_FALSE(EndsInLinker(shown)) << text << " " << first << " " << second;
          ASSERT_EQ(text.compare(0, shown.size(), shown), 0);
        }
        ASSERT_EQ(shown + stream.Finish(), text) << first << " " << second;
      }
    }
  }
}

TEST(Utf8Stream, ByteByByteOverTheWholeCorpus) {
  std::string text;
  for (const char* part : kCorpus) text += std::string(part) + " ";
  Utf8Stream stream;
  std::string shown;
  for (const char byte : text) {
    shown += stream.Push({&byte, 1});
    ASSERT_TRUE(IsValidUtf8(shown));
    ASSERT_FALSE(EndsInLinker(shown));
  }
  EXPECT_EQ(shown + stream.Finish(), text);
}

TEST(Utf8Stream, HoldsTheWholeClusterAndLetsItGo) {
  Utf8Stream stream;
  EXPECT_EQ(stream.Push("విక్"), "వి");
  EXPECT_TRUE(stream.holds_cluster());
  EXPECT_EQ(stream.Push("ష్"), "");  // క్ష్ is still open
  EXPECT_EQ(stream.Push("మి"), "క్ష్మి");
  EXPECT_FALSE(stream.holds_cluster());
  EXPECT_EQ(stream.Push("👩\u200D"), "");
  EXPECT_EQ(stream.FlushCluster(), "👩\u200D");
  EXPECT_EQ(stream.FlushCluster(), "");
  EXPECT_EQ(stream.Push("👧"), "👧");
  EXPECT_EQ(stream.Push("వన్"), "వ");
  EXPECT_EQ(stream.Push(" "), "న్ ");
}

TEST(Utf8Stream, FlushKeepsIncompleteBytes) {
  Utf8Stream stream;
  EXPECT_EQ(stream.Push("\xE0\xB0"), "");
  EXPECT_EQ(stream.FlushCluster(), "");
  EXPECT_EQ(stream.Push("\x95"), "క");
}

TEST(Utf8Stream, InvalidBytesBecomeReplacementsOnlyWhenCertain) {
  Utf8Stream stream;
  EXPECT_EQ(stream.Push("\xE0\xB0"), "");
  EXPECT_EQ(stream.Push("A"), "\uFFFDA");              // cut short
  EXPECT_EQ(stream.Push("\xFF"), "\uFFFD");            // never valid
  EXPECT_EQ(stream.Push("\xE0\x80"), "\uFFFD\uFFFD");  // overlong
  EXPECT_EQ(stream.Push("\xF4\x90"), "\uFFFD\uFFFD");  // above U+10FFFF
  EXPECT_EQ(stream.Push("\xF0\x9F\x98"), "");
  EXPECT_EQ(stream.Finish(), "\uFFFD");
  EXPECT_EQ(stream.Finish(), "");
}

TEST(Utf8Stream, AnyBytesInAnyCutsEqualOneRepair) {
  std::uint32_t state = 12345;
  const auto next = [&] { return state = state * 1664525u + 1013904223u, state >> 24; };
  for (int round = 0; round < 2000; ++round) {
    std::string bytes;
    for (int i = 0; i < 40; ++i) {
      constexpr unsigned char kInteresting[] = {0xE0, 0xB0, 0x95, 0xB1, 0x8D, 0xE2, 0x80,
                                                0x8D, 0xF0, 0x9F, 0x41, 0xFF, 0xC3, 0xED};
      bytes += static_cast<char>(kInteresting[next() % sizeof kInteresting]);
    }
    Utf8Stream stream;
    std::string shown;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t length = 1 + next() % 4;
      shown += stream.Push(std::string_view(bytes).substr(at, length));
      at += length;
    }
    ASSERT_EQ(shown + stream.Finish(), RepairUtf8(bytes));
  }
}

TEST(Utf8Stream, AnEndlessClusterIsLetGo) {
  Utf8Stream stream;
  std::string text;
  std::string shown;
  for (int i = 0; i < 1000; ++i) {
    text += "క్";
    shown += stream.Push("క్");
    ASSERT_LT(text.size() - shown.size(), 200u);
  }
  EXPECT_EQ(shown + stream.Finish(), text);
}

}  // namespace
}  // namespace paluku
