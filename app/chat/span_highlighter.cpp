#include "app/chat/span_highlighter.h"

#include <QTextDocument>
#include <algorithm>

namespace paluku {
namespace {

bool hasTelugu(QStringView text) {
  return std::any_of(text.begin(), text.end(),
                     [](QChar c) { return c.script() == QChar::Script_Telugu; });
}

}  // namespace

void SpanHighlighter::setSpans(const InlineSpans& spans) {
  const auto [before, now] =
      std::mismatch(spans_.begin(), spans_.end(), spans.begin(), spans.end());
  if (before == spans_.end() && now == spans.end()) return;
  int from = before == spans_.end() ? now->start : before->start;
  if (now != spans.end()) from = std::min(from, now->start);
  spans_ = spans;
  const QTextDocument* const text = document();
  const int start = std::clamp(from, 0, std::max(0, text->characterCount() - 1));
  for (QTextBlock block = text->findBlock(start); block.isValid(); block = block.next())
    rehighlightBlock(block);
}

void SpanHighlighter::setLook(const SpanLook& look) {
  if (look == look_) return;
  look_ = look;
  if (!spans_.isEmpty() || language_ != nullptr) rehighlight();
}

void SpanHighlighter::setLanguage(const CodeLanguage* language) {
  if (language == language_) return;
  language_ = language;
  rehighlight();
}

void SpanHighlighter::colourCode(const QString& line) {
  int state = std::max(0, previousBlockState());
  for (const CodeToken& token : codeTokens(*language_, line, state)) {
    QTextCharFormat format;
    format.setForeground(look_.syntax.value(static_cast<int>(token.kind)));
    setFormat(token.start, token.length, format);
  }
  setCurrentBlockState(state);
}

void SpanHighlighter::highlightBlock(const QString& text) {
  if (language_ != nullptr && look_.syntax.size() == kCodeKinds) return colourCode(text);
  const int begin = currentBlock().position();
  const int end = begin + static_cast<int>(text.size());
  const auto first = std::partition_point(
      spans_.begin(), spans_.end(),
      [begin](const InlineSpan& span) { return span.start + span.length <= begin; });
  for (auto span = first; span != spans_.end() && span->start < end; ++span) {
    const int from = std::max(span->start, begin) - begin;
    const int to = std::min(span->start + span->length, end) - begin;
    setFormat(from, to - from, formatOf(*span, QStringView(text).sliced(from, to - from)));
  }
}

QTextCharFormat SpanHighlighter::formatOf(const InlineSpan& span, QStringView text) const {
  QTextCharFormat format;
  // Telugu has no italics; emphasis there is bold (interface.md 2).
  const bool slanted = (span.style & kItalic) && !hasTelugu(text);
  if ((span.style & kBold) || ((span.style & kItalic) && !slanted))
    format.setFontWeight(QFont::Bold);
  if (slanted) format.setFontItalic(true);
  if (span.style & kStrike) format.setFontStrikeOut(true);
  if (span.style & kCode) {
    if (!look_.codeFamily.isEmpty()) format.setFontFamilies({look_.codeFamily});
    if (look_.codePixelSize > 0)
      format.setProperty(QTextFormat::FontPixelSize, look_.codePixelSize);
    if (look_.codeBackground.isValid()) format.setBackground(look_.codeBackground);
  }
  if (span.style & kLink) {
    if (look_.linkColor.isValid()) format.setForeground(look_.linkColor);
    format.setFontUnderline(true);
  }
  return format;
}

}  // namespace paluku
