#include "app/chat/code_language.h"

#include <QDirIterator>
#include <QFile>
#include <QHash>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <deque>
#include <iterator>

namespace paluku {
namespace {

constexpr int kInComment = 1;
constexpr int kFirstLongString = 2;  // + index in longStrings

QStringList listOf(const QJsonValue& value) {
  QStringList texts;
  for (const auto& text : value.toArray()) texts += text.toString();
  return texts;
}

// Words stand in one text, separated by spaces.
QSet<QString> wordsOf(const QJsonValue& value) {
  const QStringList words = value.toString().split(u' ', Qt::SkipEmptyParts);
  return {words.begin(), words.end()};
}

CodeLanguage readLanguage(const QString& path) {
  QFile file(path);
  if (!file.open(QIODevice::ReadOnly)) return {};
  const QJsonObject json = QJsonDocument::fromJson(file.readAll()).object();
  const QStringList comment = listOf(json[u"comment"]);
  return {.names = listOf(json[u"names"]),
          .lineComments = listOf(json[u"lineComments"]),
          .commentOpen = comment.value(0),
          .commentClose = comment.value(1),
          .strings = listOf(json[u"strings"]),
          .longStrings = listOf(json[u"longStrings"]),
          .keywords = wordsOf(json[u"keywords"]),
          .types = wordsOf(json[u"types"]),
          .caseless = json[u"caseless"].toBool()};
}

struct Languages {
  std::deque<CodeLanguage> all;
  QHash<QString, const CodeLanguage*> byName;

  Languages() {
    QDirIterator files(u":/highlight"_qs, {u"*.json"_qs});
    while (files.hasNext()) {
      const CodeLanguage& language = all.emplace_back(readLanguage(files.next()));
      for (const QString& name : language.names) byName.insert(name, &language);
    }
  }
};

bool beginsWord(QChar c) { return c.isLetter() || c == u'_'; }
bool inWord(QChar c) { return c.isLetterOrNumber() || c.isMark() || c == u'_'; }

// One line on its way through the rules.
class Scanner {
 public:
  Scanner(const CodeLanguage& language, QStringView line) : language_(language), line_(line) {}

  QList<CodeToken> run(int& state) {
    finishFromBefore(state);
    while (at_ < line_.size()) {
      if (!comment(state) && !string(state) && !number() && !word()) ++at_;
    }
    return tokens_;
  }

 private:
  void add(qsizetype from, CodeKind kind) {
    if (at_ > from) tokens_ += {static_cast<int>(from), static_cast<int>(at_ - from), kind};
  }
  bool stands(const QString& text) const {
    return !text.isEmpty() && line_.sliced(at_).startsWith(text);
  }
  // Goes behind the next `end`, or to the end of the line; whether it was found.
  bool skipPast(const QString& end, bool escapes) {
    while (at_ < line_.size()) {
      if (stands(end)) {
        at_ += end.size();
        return true;
      }
      at_ += escapes && line_[at_] == u'\\' ? 2 : 1;
    }
    at_ = line_.size();
    return false;
  }

  void finishFromBefore(int& state) {
    if (state == kInComment) {
      if (skipPast(language_.commentClose, false)) state = 0;
      add(0, CodeKind::kComment);
    } else if (const int index = state - kFirstLongString;
               index >= 0 && index < language_.longStrings.size()) {
      if (skipPast(language_.longStrings[index], true)) state = 0;
      add(0, CodeKind::kString);
    } else {
      state = 0;
    }
  }

  bool comment(int& state) {
    const qsizetype from = at_;
    if (stands(language_.commentOpen)) {
      at_ += language_.commentOpen.size();
      if (!skipPast(language_.commentClose, false)) state = kInComment;
    } else {
      for (const QString& mark : language_.lineComments) {
        if (stands(mark)) at_ = line_.size();
      }
    }
    add(from, CodeKind::kComment);
    return at_ > from;
  }

  bool string(int& state) {
    const qsizetype from = at_;
    for (int i = 0; i < language_.longStrings.size() && at_ == from; ++i) {
      const QString& quote = language_.longStrings[i];
      if (!stands(quote)) continue;
      at_ += quote.size();
      if (!skipPast(quote, true)) state = kFirstLongString + i;
    }
    for (int i = 0; i < language_.strings.size() && at_ == from; ++i) {
      const QString& quote = language_.strings[i];
      if (!stands(quote)) continue;
      at_ += quote.size();
      skipPast(quote, true);
    }
    add(from, CodeKind::kString);
    return at_ > from;
  }

  bool number() {
    const qsizetype from = at_;
    if (line_[at_] < u'0' || line_[at_] > u'9') return false;
    while (at_ < line_.size() && (inWord(line_[at_]) || line_[at_] == u'.')) ++at_;
    add(from, CodeKind::kNumber);
    return true;
  }

  bool word() {
    const qsizetype from = at_;
    if (!beginsWord(line_[at_])) return false;
    while (at_ < line_.size() && inWord(line_[at_])) ++at_;
    QString text = line_.sliced(from, at_ - from).toString();
    if (language_.caseless) text = text.toLower();
    if (language_.keywords.contains(text)) {
      add(from, CodeKind::kKeyword);
    } else if (language_.types.contains(text)) {
      add(from, CodeKind::kType);
    } else if (at_ < line_.size() && line_[at_] == u'(') {
      add(from, CodeKind::kFunction);
    }
    return true;
  }

  const CodeLanguage& language_;
  const QStringView line_;
  qsizetype at_ = 0;
  QList<CodeToken> tokens_;
};

}  // namespace

const CodeLanguage* codeLanguage(const QString& name) {
  static const Languages languages;
  return languages.byName.value(name.toLower());
}

QList<CodeToken> codeTokens(const CodeLanguage& language, QStringView line, int& state) {
  return Scanner(language, line).run(state);
}

}  // namespace paluku
