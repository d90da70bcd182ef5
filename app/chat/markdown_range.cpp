// Markdown of a part of a block, for copying a selection; see markdown.h.
#include "app/chat/markdown.h"

namespace paluku {
namespace {

// The fence of inline code must be longer than any run of backticks inside it.
QString codeFence(QStringView text) {
  int longest = 0;
  int run = 0;
  for (const QChar c : text) {
    run = c == u'`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return QString(longest + 1, u'`');
}

QString styled(const InlineSpan& span, const QString& text) {
  if (text.isEmpty()) return text;
  QString result = text;
  if (span.style & kCode) {
    const QString fence = codeFence(text);
    result = fence + result + fence;
  }
  if (span.style & kItalic) result = u'*' + result + u'*';
  if (span.style & kBold) result = u"**" + result + u"**";
  if (span.style & kStrike) result = u"~~" + result + u"~~";
  if (span.style & kLink) result = u'[' + result + u"](" + span.url + u')';
  return result;
}

}  // namespace

QString markdownOfRange(const Block& block, int from, int to) {
  QString result;
  int position = from;
  for (const InlineSpan& span : block.spans) {
    const int begin = std::max(span.start, position);
    const int end = std::min(span.start + span.length, to);
    if (end <= begin) continue;
    result += QStringView(block.text).sliced(position, begin - position);
    result += styled(span, block.text.sliced(begin, end - begin));
    position = end;
  }
  if (position < to) result += QStringView(block.text).sliced(position, to - position);
  return result;
}

}  // namespace paluku
