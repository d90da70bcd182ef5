// Markdown of answers becomes blocks of plain text; nothing hostile gets through.
#include "app/chat/markdown.h"

#include <gtest/gtest.h>

#include "tests/app/app_test_util.h"

namespace paluku {
namespace {

std::vector<Block> blocksOf(const QString& source) { return parseMarkdown(source).blocks; }

InlineSpans spansOf(const QString& source) {
  const auto blocks = blocksOf(source);
  return blocks.empty() ? InlineSpans() : blocks.front().spans;
}

TEST(Markdown, ParagraphsHeadingsAndRules) {
  const auto blocks = blocksOf(u"# One\n\nfirst\nsecond\n\n***\n\n### Three"_qs);
  ASSERT_EQ(blocks.size(), 4U);
  EXPECT_EQ(blocks[0].kind, BlockKind::kHeading);
  EXPECT_EQ(blocks[0].level, 1);
  EXPECT_EQ(blocks[0].text, u"One"_qs);
  EXPECT_EQ(blocks[1].kind, BlockKind::kParagraph);
  EXPECT_EQ(blocks[1].text, u"first\nsecond"_qs) << "verses keep their lines";
  EXPECT_EQ(blocks[2].kind, BlockKind::kRule);
  EXPECT_EQ(blocks[3].level, 3);
}

TEST(Markdown, StylesBecomeSpansOfPlainText) {
  const auto blocks = blocksOf(u"a **bold** and *slanted* `code` ~~gone~~ ***both***"_qs);
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_EQ(blocks[0].text, u"a bold and slanted code gone both"_qs);
  const InlineSpans expected{{2, 4, kBold, {}},
                             {11, 7, kItalic, {}},
                             {19, 4, kCode, {}},
                             {24, 4, kStrike, {}},
                             {29, 4, kBold | kItalic, {}}};
  EXPECT_EQ(blocks[0].spans, expected);
}

TEST(Markdown, NestedListsKeepDepthAndMarkers) {
  const auto blocks = blocksOf(u"3. three\n4. four\n   - inner\n     more\n\n   - [x] done\n"_qs);
  ASSERT_EQ(blocks.size(), 4U);
  EXPECT_EQ(blocks[0].kind, BlockKind::kListItem);
  EXPECT_EQ(blocks[0].marker, u"3."_qs);
  EXPECT_EQ(blocks[1].marker, u"4."_qs);
  EXPECT_EQ(blocks[2].marker, u"•"_qs);
  EXPECT_EQ(blocks[2].listDepth, 2);
  EXPECT_EQ(blocks[2].text, u"inner\nmore"_qs);
  EXPECT_EQ(blocks[3].marker, u"☑"_qs);
}

TEST(Markdown, LaterParagraphsOfAnItemHaveNoMarker) {
  const auto blocks = blocksOf(u"- one\n\n  two\n\nout"_qs);
  ASSERT_EQ(blocks.size(), 3U);
  EXPECT_EQ(blocks[1].kind, BlockKind::kParagraph);
  EXPECT_EQ(blocks[1].listDepth, 1);
  EXPECT_TRUE(blocks[1].marker.isEmpty());
  EXPECT_EQ(blocks[2].listDepth, 0);
}

TEST(Markdown, AnEmptyItemIsARow) {
  const auto blocks = blocksOf(u"- a\n-\n- c"_qs);
  ASSERT_EQ(blocks.size(), 3U);
  EXPECT_EQ(blocks[1].kind, BlockKind::kListItem);
  EXPECT_TRUE(blocks[1].text.isEmpty());
}

TEST(Markdown, CodeKeepsEveryByteOfItsLines) {
  const QString source =
      u"text\n\n```python\ndef f(x):\n\treturn '<b>' # **no**\n\n    x\n```\nafter"_qs;
  const auto blocks = blocksOf(source);
  ASSERT_EQ(blocks.size(), 3U);
  EXPECT_EQ(blocks[1].kind, BlockKind::kCode);
  EXPECT_EQ(blocks[1].language, u"python"_qs);
  EXPECT_EQ(blocks[1].text, u"def f(x):\n\treturn '<b>' # **no**\n\n    x"_qs);
  EXPECT_TRUE(blocks[1].spans.isEmpty());
  EXPECT_TRUE(blocks[1].closed);
  EXPECT_EQ(source.sliced(blocks[1].sourceBegin, blocks[1].sourceEnd - blocks[1].sourceBegin),
            u"```python\ndef f(x):\n\treturn '<b>' # **no**\n\n    x\n```"_qs);
}

TEST(Markdown, BlankLinesBelongToTheCode) {
  const QString source = u"```\n\n\n  a\n\n```\n\nafter\n\n~~~~ c++\n```\n~~~~"_qs;
  const ParsedMarkdown parsed = parseMarkdown(source);
  ASSERT_EQ(parsed.blocks.size(), 3U);
  EXPECT_EQ(parsed.blocks[0].text, u"\n\n  a\n"_qs);
  EXPECT_EQ(parsed.blocks[0].sourceBegin, 0);
  EXPECT_EQ(parsed.blocks[2].text, u"```"_qs);
  EXPECT_EQ(parsed.blocks[2].language, u"c++"_qs);
  EXPECT_EQ(source.sliced(parsed.lastBegin), u"~~~~ c++\n```\n~~~~"_qs);
}

TEST(Markdown, CodeInsideAList) {
  const auto blocks = blocksOf(u"- item\n\n  ```sh\n  ls\n\n    -l\n  ```\n\nout"_qs);
  ASSERT_EQ(blocks.size(), 3U);
  EXPECT_EQ(blocks[1].text, u"ls\n\n  -l"_qs);
  EXPECT_EQ(blocks[1].listDepth, 1);
  EXPECT_TRUE(blocks[1].closed);
}

TEST(Markdown, AnOpenFenceIsAnOpenCodeBlock) {
  const auto blocks = blocksOf(u"```cpp\nint x;\n"_qs);
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_EQ(blocks[0].kind, BlockKind::kCode);
  EXPECT_EQ(blocks[0].text, u"int x;"_qs);
  EXPECT_FALSE(blocks[0].closed);
}

TEST(Markdown, TablesKeepCellsAndAlignment) {
  const QString source = u"| a | b |\n|:--|--:|\n| 1 | **2** |\n| తెలుగు | |\n"_qs;
  const auto blocks = blocksOf(source);
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_EQ(blocks[0].kind, BlockKind::kTable);
  EXPECT_EQ(blocks[0].columns, 2);
  EXPECT_EQ(blocks[0].cells,
            (QStringList{u"a"_qs, u"b"_qs, u"1"_qs, u"2"_qs, u"తెలుగు"_qs, QString()}));
  EXPECT_EQ(blocks[0].alignments, (QList<int>{Qt::AlignLeft, Qt::AlignRight}));
  EXPECT_EQ(blocks[0].text, u"a\tb\n1\t2\nతెలుగు\t"_qs);
  EXPECT_EQ(source.sliced(blocks[0].sourceBegin, blocks[0].sourceEnd - blocks[0].sourceBegin),
            source.chopped(1));
}

TEST(Markdown, QuotesCountTheirDepth) {
  const auto blocks = blocksOf(u"> one\n> > two\n\nthree"_qs);
  ASSERT_EQ(blocks.size(), 3U);
  EXPECT_EQ(blocks[0].quoteDepth, 1);
  EXPECT_EQ(blocks[1].quoteDepth, 2);
  EXPECT_EQ(blocks[2].quoteDepth, 0);
}

TEST(Markdown, EntitiesAreDecodedOnce) {
  EXPECT_EQ(blocksOf(u"a &lt; b &amp;lt; &#8805; &#x41; &bogus; &#0; &#xD800;"_qs)[0].text,
            u"a < b &lt; ≥ A &bogus; \uFFFD \uFFFD"_qs);
}

TEST(Markdown, OnlyWebAndMailLinksAreLinks) {
  const InlineSpans web = spansOf(u"[a](https://example.org/x?y=1)"_qs);
  ASSERT_EQ(web.size(), 1);
  EXPECT_EQ(web[0].style, kLink);
  EXPECT_EQ(web[0].url, u"https://example.org/x?y=1"_qs);
  EXPECT_EQ(spansOf(u"<mailto:me@example.org>"_qs).size(), 1);
  EXPECT_EQ(spansOf(u"see https://example.org/."_qs).size(), 1) << "bare addresses, too";
  for (const QString& hostile :
       {u"[a](javascript:alert(1))"_qs, u"[a](file:///etc/passwd)"_qs, u"[a](data:text/html,x)"_qs,
        u"[a](//evil.example)"_qs, u"[a](C:\\x)"_qs, u"[a](https://)"_qs, u"[a](mailto:)"_qs}) {
    const InlineSpans spans = spansOf(hostile);
    EXPECT_TRUE(spans.isEmpty()) << hostile.toStdString();
  }
}

TEST(Markdown, ImagesAreWordsThatLink) {
  const auto blocks = blocksOf(u"![a cat](http://evil.example/?q=secret)"_qs);
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_EQ(blocks[0].text, u"a cat"_qs);
  EXPECT_EQ(blocks[0].spans, (InlineSpans{{0, 5, kLink, u"http://evil.example/?q=secret"_qs}}));
  EXPECT_TRUE(spansOf(u"![a](file:///nonexistent.png)"_qs).isEmpty());
}

TEST(Markdown, HtmlIsText) {
  for (const QString& html :
       {u"<b>a</b><img src='file:///nonexistent.png' width='999999999' height='999999999'>"_qs,
        u"<script>alert(1)</script>"_qs, u"<!-- gone -->"_qs,
        u"<table background=\"http://evil.example/x\">"_qs}) {
    const auto blocks = blocksOf(html);
    ASSERT_EQ(blocks.size(), 1U);
    EXPECT_EQ(blocks[0].text, html) << "shown as it was written";
    EXPECT_TRUE(blocks[0].spans.isEmpty());
  }
}

TEST(Markdown, NestingHasALimit) {
  const auto blocks = blocksOf(QString(5000, u'>') + u" deep");
  ASSERT_FALSE(blocks.empty());
  for (const Block& block : blocks) EXPECT_LE(block.quoteDepth, kMaxNesting);
  QString lists;
  for (int depth = 0; depth < 300; ++depth) lists += QString(2 * depth, u' ') + u"- x\n";
  for (const Block& block : blocksOf(lists)) EXPECT_LE(block.listDepth, kMaxNesting);
}

TEST(Markdown, LongBlocksAreCutAtAClusterAndSaySo) {
  const QString cluster = u"క్ష్మి"_qs;
  const QString source = QString(cluster + u' ').repeated(kMaxBlockText / 4);
  const auto blocks = blocksOf(source);
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_TRUE(blocks[0].cut);
  EXPECT_LE(blocks[0].text.size(), kMaxBlockText);
  EXPECT_GT(blocks[0].text.size(), kMaxBlockText - 16);
  EXPECT_TRUE(blocks[0].text.endsWith(cluster) || blocks[0].text.endsWith(u' '));
  EXPECT_FALSE(parseMarkdown(source, true).blocks[0].cut);
}

TEST(Markdown, CutTextCutsItsSpans) {
  const auto blocks = blocksOf(u"**" + QString(u"word "_qs).repeated(20'000) + u"x** tail `y`");
  ASSERT_EQ(blocks.size(), 1U);
  for (const InlineSpan& span : blocks[0].spans)
    EXPECT_LE(span.start + span.length, blocks[0].text.size());
}

TEST(Markdown, EveryBlockKnowsItsLines) {
  const QString source = u"# A\n\nb *c*\nd\n\n- e\n- 𝄞 తెలుగు\n\n> q\n"_qs;
  const auto blocks = blocksOf(source);
  const QStringList lines{u"# A"_qs, u"b *c*\nd"_qs, u"- e"_qs, u"- 𝄞 తెలుగు"_qs, u"> q"_qs};
  ASSERT_EQ(blocks.size(), static_cast<std::size_t>(lines.size()));
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_EQ(source.sliced(blocks[i].sourceBegin, blocks[i].sourceEnd - blocks[i].sourceBegin),
              lines[static_cast<qsizetype>(i)]);
  }
}

TEST(Markdown, LastBeginSeparatesClosedBlocks) {
  const QString source = u"one\n\n- two\n- three\n\n```\nfour"_qs;
  const ParsedMarkdown parsed = parseMarkdown(source);
  EXPECT_EQ(source.sliced(parsed.lastBegin), u"```\nfour"_qs);
  EXPECT_EQ(parsed.closedBlocks, 3U);
}

TEST(Markdown, RangesAreWrittenWithTheirStyles) {
  const Block block = blocksOf(u"a **bold** [link](https://x.org) `c``d`"_qs)[0];
  EXPECT_EQ(block.text, u"a bold link c``d"_qs);
  const int end = static_cast<int>(block.text.size());
  EXPECT_EQ(markdownOfRange(block, 0, end), u"a **bold** [link](https://x.org) ```c``d```"_qs);
  EXPECT_EQ(markdownOfRange(block, 4, 9), u"**ld** [li](https://x.org)"_qs);
  EXPECT_EQ(markdownOfRange(block, 0, 1), u"a"_qs);
  EXPECT_EQ(markdownOfRange(block, 3, 3), QString());
}

// No text may crash the parser or give spans outside of the text.
TEST(Markdown, HostilePatterns) {
  const QStringList patterns{u"["_qs,    u"![]("_qs, u"*_"_qs,   u"`"_qs,      u"<"_qs,  u"&#"_qs,
                             u"~~"_qs,   u"|\n"_qs,  u"> - "_qs, u"\u202E"_qs, u"\0"_qs, u"\t"_qs,
                             u"1.\n"_qs, u"#\n"_qs,  u"**a"_qs,  u"[a]:\n"_qs};
  for (const QString& pattern : patterns) {
    for (const Block& block : blocksOf(pattern.repeated(2000))) {
      int last = 0;
      for (const InlineSpan& span : block.spans) {
        EXPECT_GE(span.start, last);
        last = span.start + span.length;
      }
      EXPECT_LE(last, block.text.size());
      EXPECT_LE(block.text.size(), kMaxBlockText);
    }
  }
}

}  // namespace
}  // namespace paluku
