// safeText: what may be shown of a hostile text.
#include <gtest/gtest.h>

#include <QTextBoundaryFinder>

#include "app/chat/markdown.h"
#include "tests/app/app_test_util.h"

namespace paluku {
namespace {

TEST(SafeText, ControlsVanish) {
  EXPECT_EQ(safeText(u"a\u0007b\u001b[31mc\u0085d\u007fe"_qs), u"ab[31mcde"_qs);
  EXPECT_EQ(safeText(u"a\tb\nc"_qs), u"a\tb\nc"_qs);
  EXPECT_EQ(safeText(u"a\u2028b\u2029c"_qs), u"a\nb\nc"_qs);
}

TEST(SafeText, BidirectionalControlsAreSeen) {
  EXPECT_EQ(safeText(u"exe\u202Egpj.\u2066x\u2069"_qs), u"exe[U+202E]gpj.[U+2066]x[U+2069]"_qs);
}

TEST(SafeText, JoinersStay) {
  const QString text = u"క్\u200Cష న్\u200D 👨‍👩‍👧"_qs;
  EXPECT_EQ(safeText(text), text);
}

TEST(SafeText, CharactersOfTheDocumentAreReplaced) {
  EXPECT_EQ(safeText(u"a\uFDD0\uFDD1\uFFFCb"_qs), u"a\uFFFD\uFFFD\uFFFDb"_qs);
}

TEST(SafeText, LongRunsAreBrokenAtClusters) {
  const QString cluster = u"క్ష్మి"_qs;
  const QString run = cluster.repeated(10'000);
  const QString safe = safeText(run);
  EXPECT_EQ(QString(safe).remove(u'\n'), run);
  for (const QString& line : safe.split(u'\n')) {
    EXPECT_LE(line.size(), kMaxRun);
    EXPECT_EQ(line.size() % cluster.size(), 0) << "no cluster is cut";
  }
}

TEST(SafeText, AMillionCharactersInOneLine) {
  const QString safe = safeText(QString(1'000'000, u'x'));
  for (const QString& line : safe.split(u'\n')) EXPECT_LE(line.size(), kMaxRun);
}

TEST(SafeText, WordsAreNotBroken) {
  const QString text = QString(u"word "_qs).repeated(5000);
  EXPECT_EQ(safeText(text), text);
}

}  // namespace
}  // namespace paluku
