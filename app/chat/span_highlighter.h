// SpanHighlighter: character formats of a QTextDocument from the spans of a block, or from the
// language of its code. It only ever sees plain text. Owned by TextStyler, interface thread.
#pragma once

#include <QColor>
#include <QSyntaxHighlighter>

#include "app/chat/block.h"
#include "app/chat/code_language.h"

namespace paluku {

struct SpanLook {
  QString codeFamily;
  int codePixelSize = 0;  // 0: that of the text
  QColor codeBackground;
  QColor linkColor;
  QList<QColor> syntax;  // by CodeKind; empty: no colours
  bool operator==(const SpanLook&) const = default;
};

class SpanHighlighter : public QSyntaxHighlighter {
  Q_OBJECT

 public:
  explicit SpanHighlighter(QTextDocument* document) : QSyntaxHighlighter(document) {}

  // Only the lines whose spans differ are formatted again.
  void setSpans(const InlineSpans& spans);
  void setLook(const SpanLook& look);
  // nullptr: the text is not code, or of an unknown language.
  void setLanguage(const CodeLanguage* language);

 protected:
  void highlightBlock(const QString& text) override;

 private:
  void colourCode(const QString& line);
  QTextCharFormat formatOf(const InlineSpan& span, QStringView text) const;

  InlineSpans spans_;
  SpanLook look_;
  const CodeLanguage* language_ = nullptr;
};

}  // namespace paluku
