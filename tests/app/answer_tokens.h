// The tokens of long answers for the benchmarks of the interface, in English, in Telugu, and as
// code.
#pragma once

#include <QString>
#include <QStringList>

namespace paluku {

inline const QString kEnglishWords =
    QStringLiteral("the rou ter picks six ex perts of six ty four and adds the shared ones");
inline const QString kTeluguWords = QStringLiteral("వే మన ప ద్యం ఒ కటి చె ప్పి దా ని అ ర్థం వి వ రిం చు క్ష్మి");

// About four Latin letters or one Telugu cluster a token, a paragraph every 120 tokens.
inline QStringList tokensOf(const QString& words, int count) {
  const QStringList vocabulary = words.split(u' ');
  QStringList tokens;
  for (int i = 0; i < count; ++i) {
    QString token = vocabulary[i % vocabulary.size()];
    if (i % 3 == 0) token += u' ';
    if (i % 40 == 39) token += QStringLiteral(" **strong** `code` ");
    if (i % 120 == 119) token += QStringLiteral(".\n\n");
    tokens += token;
  }
  return tokens;
}

// One long code block: the case where the last block itself grows without end.
inline QStringList codeTokens(int count) {
  QStringList tokens{QStringLiteral("```python\n")};
  for (int i = 1; i < count; ++i)
    tokens += i % 12 == 0 ? QStringLiteral("x)\n") : QStringLiteral("name_");
  return tokens;
}

}  // namespace paluku
