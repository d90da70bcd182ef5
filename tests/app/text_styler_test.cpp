// TextStyler fills a PlainText document piece by piece and styles it without markup.
#include "app/chat/text_styler.h"

#include <gtest/gtest.h>

#include <QQmlComponent>
#include <QQmlEngine>
#include <QQuickItem>
#include <QTextBlock>
#include <QTextDocument>
#include <QTextLayout>

#include "tests/app/app_test_util.h"

namespace paluku {
namespace {

class TextStylerTest : public testing::Test {
 protected:
  TextStylerTest() {
    QQmlComponent component(&engine_);
    component.setData(
        "import QtQuick\nTextEdit { readOnly: true; textFormat: TextEdit.PlainText; "
        "width: 400; wrapMode: TextEdit.Wrap }",
        {});
    edit_.reset(qobject_cast<QQuickItem*>(component.create()));
    EXPECT_NE(edit_, nullptr) << component.errorString().toStdString();
    quick_ = edit_->property("textDocument").value<QQuickTextDocument*>();
    styler_.setLineHeight(27);
    styler_.setDocument(quick_);
  }
  QTextDocument* document() { return quick_->textDocument(); }
  QTextCharFormat formatAt(int position) {
    QCoreApplication::processEvents();
    const QTextBlock block = document()->findBlock(position);
    for (const QTextLayout::FormatRange& range : block.layout()->formats()) {
      const int at = position - block.position();
      if (at >= range.start && at < range.start + range.length) return range.format;
    }
    return {};
  }

  QQmlEngine engine_;
  std::unique_ptr<QQuickItem> edit_;
  QQuickTextDocument* quick_ = nullptr;
  TextStyler styler_;
};

TEST_F(TextStylerTest, TheEditShowsTheText) {
  styler_.setText(u"one\ntwo"_qs);
  EXPECT_EQ(edit_->property("text").toString(), u"one\ntwo"_qs);
  styler_.setText(u"one\nthree"_qs);
  EXPECT_EQ(edit_->property("text").toString(), u"one\nthree"_qs);
  styler_.setText({});
  EXPECT_EQ(edit_->property("text").toString(), QString());
}

TEST_F(TextStylerTest, GrowingKeepsEarlierLines) {
  styler_.setText(u"one\ntwo\nthr"_qs);
  QList<int> positions;
  const QObject watcher;
  QObject::connect(document(), &QTextDocument::contentsChange, &watcher,
                   [&positions](int position, int, int) { positions += position; });
  styler_.setText(u"one\ntwo\nthree"_qs);
  ASSERT_FALSE(positions.isEmpty());
  for (const int position : positions) EXPECT_GE(position, 8) << "the last line alone changes";
}

TEST_F(TextStylerTest, EveryLineHasTheFixedHeight) {
  styler_.setText(u"one\nరెండు\nthree"_qs);
  styler_.setText(u"one\nరెండు\nthree\nfour"_qs);
  for (QTextBlock block = document()->begin(); block.isValid(); block = block.next()) {
    EXPECT_EQ(block.blockFormat().lineHeightType(), QTextBlockFormat::FixedHeight);
    EXPECT_EQ(block.blockFormat().lineHeight(), 27);
  }
}

TEST_F(TextStylerTest, AComposerKeepsTheHeightAfterItIsCleared) {
  edit_->setProperty("text", u"typed"_qs);
  edit_->setProperty("text", QString());
  EXPECT_EQ(document()->begin().blockFormat().lineHeight(), 27);
}

TEST_F(TextStylerTest, SpansAreFormats) {
  styler_.setLinkColor(Qt::blue);
  styler_.setCodeFamily(u"Noto Sans Mono"_qs);
  styler_.setText(u"a bold link code"_qs);
  styler_.setSpans(QVariant::fromValue(
      InlineSpans{{2, 4, kBold, {}}, {7, 4, kLink, u"https://x.org"_qs}, {12, 4, kCode, {}}}));
  EXPECT_EQ(formatAt(0).fontWeight(), QTextCharFormat().fontWeight());
  EXPECT_EQ(formatAt(3).fontWeight(), QFont::Bold);
  EXPECT_EQ(formatAt(8).foreground().color(), QColor(Qt::blue));
  EXPECT_TRUE(formatAt(8).fontUnderline());
  EXPECT_EQ(formatAt(13).fontFamilies().toStringList(), QStringList{u"Noto Sans Mono"_qs});
  styler_.setSpans({});
  EXPECT_NE(formatAt(3).fontWeight(), QFont::Bold) << "styles go with their spans";
}

TEST_F(TextStylerTest, TeluguEmphasisIsBold) {
  styler_.setText(u"slanted తెలుగు"_qs);
  styler_.setSpans(QVariant::fromValue(InlineSpans{{0, 7, kItalic, {}}, {8, 6, kItalic, {}}}));
  EXPECT_TRUE(formatAt(0).fontItalic());
  EXPECT_FALSE(formatAt(9).fontItalic());
  EXPECT_EQ(formatAt(9).fontWeight(), QFont::Bold);
}

TEST_F(TextStylerTest, SpansBeyondTheTextDoNoHarm) {
  styler_.setText(u"ab"_qs);
  styler_.setSpans(QVariant::fromValue(InlineSpans{{1, 50, kBold, {}}, {60, 5, kCode, {}}}));
  EXPECT_EQ(formatAt(1).fontWeight(), QFont::Bold);
}

TEST_F(TextStylerTest, MarkupIsText) {
  const QString hostile = u"<b>x</b><img src='file:///nonexistent.png' width='999999999'>"_qs;
  styler_.setText(hostile);
  EXPECT_EQ(edit_->property("text").toString(), hostile);
}

TEST_F(TextStylerTest, TheNaturalWidthIsThatOfTheLongestLine) {
  edit_->setProperty("wrapMode", 0);  // TextEdit.NoWrap
  styler_.setText(u"int a;\nint longer = 1;"_qs);
  const double width = styler_.naturalWidth();
  styler_.setText(u"int a;\nint longer = 1;\nint"_qs);
  EXPECT_EQ(styler_.naturalWidth(), width);
  styler_.setText(u"int a;\nint longer = 1;\nint the_longest = 2;"_qs);
  EXPECT_GT(styler_.naturalWidth(), width);
  edit_->setProperty("width", edit_->implicitWidth() * 100);
  EXPECT_NEAR(styler_.naturalWidth(), edit_->implicitWidth(), 1);
  QFont larger = document()->defaultFont();
  larger.setPixelSize(60);
  edit_->setProperty("font", larger);
  EXPECT_GT(styler_.naturalWidth(), 2 * width) << "another size of text";
}

TEST_F(TextStylerTest, TheDocumentMayDieFirst) {
  styler_.setText(u"x"_qs);
  edit_.reset();
  styler_.setText(u"y"_qs);
  EXPECT_EQ(styler_.text(), u"y"_qs);
}

}  // namespace
}  // namespace paluku
