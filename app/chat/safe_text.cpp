// What may be shown of a hostile text, see markdown.h.
#include <QTextBoundaryFinder>
#include <QUrl>

#include "app/chat/markdown.h"

namespace paluku {
namespace {

bool isBidiControl(char16_t c) {
  return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069);
}

bool isControl(char16_t c) {
  return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c <= 0x9F);
}

// Characters that QTextDocument uses for frames and inline objects.
bool isDocumentCharacter(char16_t c) { return (c >= 0xFDD0 && c <= 0xFDEF) || c >= 0xFFFC; }

bool isBreak(char16_t c) { return c == '\n' || c == ' ' || c == '\t'; }

// Largest grapheme boundary in (begin, end].
qsizetype clusterEnd(QStringView text, qsizetype begin, qsizetype end) {
  QTextBoundaryFinder finder(QTextBoundaryFinder::Grapheme, text.data() + begin,
                             std::min(text.size(), end + 64) - begin);
  finder.setPosition(end - begin);
  if (finder.isAtBoundary()) return end;
  const qsizetype back = finder.toPreviousBoundary();
  return back > 0 ? begin + back : end;
}

QString breakLongRuns(const QString& text) {
  QString broken;
  qsizetype copied = 0;
  qsizetype run = 0;  // where the present run began
  for (qsizetype i = 0; i < text.size(); ++i) {
    if (isBreak(text[i].unicode())) {
      run = i + 1;
    } else if (i - run >= kMaxRun) {
      run = clusterEnd(text, run, i);
      broken += QStringView(text).sliced(copied, run - copied);
      broken += u'\n';
      copied = run;
    }
  }
  if (copied == 0) return text;
  return broken + QStringView(text).sliced(copied);
}

}  // namespace

QString safeText(QStringView text) {
  QString safe;
  safe.reserve(text.size());
  for (const QChar c : text) {
    const char16_t unit = c.unicode();
    if (unit == 0x2028 || unit == 0x2029) {
      safe += u'\n';
    } else if (isBidiControl(unit)) {
      safe += u"[U+%1]"_qs.arg(uint{unit}, 4, 16, QLatin1Char('0')).toUpper();
    } else if (isDocumentCharacter(unit)) {
      safe += QChar::ReplacementCharacter;
    } else if (!isControl(unit)) {
      safe += c;
    }
  }
  return breakLongRuns(safe);
}

bool isOpenableLink(const QString& url) {
  const QUrl parsed(url, QUrl::StrictMode);
  if (!parsed.isValid()) return false;
  const QString scheme = parsed.scheme();
  if (scheme == u"http" || scheme == u"https") return !parsed.host().isEmpty();
  return scheme == u"mailto" && parsed.path().contains(u'@');
}

}  // namespace paluku
