// Code colours: a language as data (resources/highlight/*.json), and a scanner that finds what to
// colour in one line. Rules, not a grammar: a wrong colour is harmless, so nothing here can fail.
// Languages are loaded once; interface thread.
#pragma once

#include <QList>
#include <QSet>
#include <QString>
#include <QStringList>
#include <cstdint>

namespace paluku {

enum class CodeKind : std::uint8_t { kKeyword, kString, kNumber, kComment, kType, kFunction };
inline constexpr int kCodeKinds = 6;

struct CodeToken {
  int start = 0;  // UTF-16 units of the line
  int length = 0;
  CodeKind kind = CodeKind::kKeyword;
  bool operator==(const CodeToken&) const = default;
};

struct CodeLanguage {
  QStringList names;         // what a fence may call it, in lower case
  QStringList lineComments;  // "//", "#"
  QString commentOpen, commentClose;
  QStringList strings;      // delimiters of strings that end in their line
  QStringList longStrings;  // delimiters of strings that may go over lines
  QSet<QString> keywords;
  QSet<QString> types;
  bool caseless = false;  // keywords in any case
};

// The language that a fence names; nullptr: unknown, no colours.
const CodeLanguage* codeLanguage(const QString& name);

// What to colour in `line`. `state` is that of the end of the line before (0 at the start of the
// code), and becomes that of the end of this one: inside a comment or a string, or 0.
QList<CodeToken> codeTokens(const CodeLanguage& language, QStringView line, int& state);

}  // namespace paluku
