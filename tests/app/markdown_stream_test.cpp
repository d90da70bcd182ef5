// A text that arrives in pieces gives the blocks of the whole, and closed blocks are never touched.
#include "app/chat/markdown_stream.h"

#include <gtest/gtest.h>

#include "app/chat/markdown.h"
#include "tests/app/app_test_util.h"

namespace paluku {
namespace {

const QStringList& documents() {
  static const QStringList kDocuments{
      u"Hello **world**.\n\nSecond paragraph with `code`.\n"_qs,
      u"# Head\n\n1. one\n2. two\n   - in\n   - in too\n3. three\n\nAfter.\n"_qs,
      u"Text\n\n```python\nprint('x')\n\n# not a heading\n```\n\nMore\n"_qs,
      u"| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\nEnd\n"_qs,
      u"> quote\n> more\n\n---\n\nవేమన 17వ శతాబ్దపు కవి. **ఉప్పు** కప్పురంబు\nనొక్క పోలిక\n"_qs,
      u"Line\n===\n\nLine two\n---\n\n- a\n\n  b\n- c\n"_qs,
      u"- [ ] todo\n- [x] done\n\n* * *\n\n```\nopen fence"_qs,
      u"A\n\n```make\n\n\nall:\n\tgcc\n\n\n```\n\nB\n\n~~~\n```\n~~~\n\nC"_qs,
      u"no newline at the end | with a bar"_qs,
  };
  return kDocuments;
}

std::vector<Block> wholeOf(const QString& source) {
  MarkdownStream stream;
  stream.set(source);
  return stream.blocks();
}

TEST(MarkdownStream, PiecesOfAnySizeGiveTheWhole) {
  for (const QString& source : documents()) {
    for (qsizetype size = 1; size <= 7; ++size) {
      MarkdownStream stream;
      for (qsizetype i = 0; i < source.size(); i += size) stream.append(source.mid(i, size));
      stream.finish();
      EXPECT_EQ(stream.blocks(), wholeOf(source)) << source.toStdString() << " by " << size;
      EXPECT_EQ(stream.source(), source);
    }
  }
}

TEST(MarkdownStream, TheLastParseChangesNothingThatWasShown) {
  for (const QString& source : documents()) {
    MarkdownStream stream;
    for (const QChar c : source) stream.append(QStringView(&c, 1));
    const std::vector<Block> shown = stream.blocks();
    stream.finish();
    ASSERT_GE(stream.blocks().size(), shown.size());
    for (std::size_t i = 0; i + 1 < shown.size(); ++i)
      EXPECT_EQ(shown[i], stream.blocks()[i]) << source.toStdString() << " block " << i;
  }
}

// A kind once shown stays: no paragraph turns into a table, a heading or a list item.
TEST(MarkdownStream, KindsAreDecidedBeforeTheyAreShown) {
  for (const QString& source : documents()) {
    MarkdownStream stream;
    std::vector<BlockKind> kinds;
    for (const QChar c : source) {
      stream.append(QStringView(&c, 1));
      for (std::size_t i = 0; i < stream.blocks().size(); ++i) {
        if (i == kinds.size()) kinds.push_back(stream.blocks()[i].kind);
        // An underlined heading is a paragraph until its second line.
        const bool underlined =
            stream.blocks()[i].kind == BlockKind::kHeading && source.contains(u"===");
        EXPECT_TRUE(underlined || stream.blocks()[i].kind == kinds[i]) << source.toStdString();
      }
      ASSERT_GE(stream.blocks().size(), kinds.size()) << "no row is taken back";
    }
  }
}

TEST(MarkdownStream, OnlyTheLastBlockChanges) {
  MarkdownStream stream;
  stream.append(u"first paragraph\n\nsecond paragraph\n\nthird");
  ASSERT_EQ(stream.blocks().size(), 3U);
  for (int i = 0; i < 100; ++i) {
    const BlockChange change = stream.append(u" word");
    EXPECT_EQ(change.before, 3);
    EXPECT_EQ(change.kept, 2);
  }
  const BlockChange next = stream.append(u"\n\nfourth");
  EXPECT_EQ(next.kept, 3);
  EXPECT_EQ(next.before, 3);
  EXPECT_EQ(stream.blocks().size(), 4U);
}

TEST(MarkdownStream, FinishingAnUnchangedTextReportsNothing) {
  MarkdownStream stream;
  stream.append(u"one\n\ntwo");
  const BlockChange change = stream.finish();
  EXPECT_EQ(change.kept, 2);
  EXPECT_EQ(change.before, 2);
}

TEST(MarkdownStream, AMarkerIsHeldBackUntilItIsDecided) {
  MarkdownStream stream;
  stream.append(u"text\n-");
  ASSERT_EQ(stream.blocks().size(), 1U);
  EXPECT_EQ(stream.blocks()[0].kind, BlockKind::kParagraph) << "not an underlined heading";
  stream.append(u" item");
  ASSERT_EQ(stream.blocks().size(), 2U);
  EXPECT_EQ(stream.blocks()[1].kind, BlockKind::kListItem);
  stream.append(u"\n\n2");
  stream.finish();
  EXPECT_EQ(stream.blocks().back().text, u"2"_qs) << "nothing held back is lost";
}

TEST(MarkdownStream, ShowAllRemovesTheLimit) {
  MarkdownStream stream;
  stream.set(u"short\n\n" + QString(u"word "_qs).repeated(20'000));
  ASSERT_EQ(stream.blocks().size(), 2U);
  ASSERT_TRUE(stream.blocks()[1].cut);
  stream.showAll(1);
  EXPECT_FALSE(stream.blocks()[1].cut);
  EXPECT_GT(stream.blocks()[1].text.size(), kMaxBlockText);
}

}  // namespace
}  // namespace paluku
