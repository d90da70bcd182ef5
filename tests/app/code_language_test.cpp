// What of a line gets which colour, and what a line leaves to the next.
#include "app/chat/code_language.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <QTextDocument>
#include <QTextLayout>

#include "app/chat/span_highlighter.h"
#include "tests/app/app_test_util.h"

namespace paluku {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// "keyword:def" for each token of the line.
std::vector<std::string> coloured(const QString& name, const QString& line, int* state = nullptr) {
  static constexpr const char* kNames[] = {"keyword", "string", "number",
                                           "comment", "type",   "function"};
  int own = 0;
  std::vector<std::string> found;
  for (const CodeToken& token :
       codeTokens(*codeLanguage(name), line, state != nullptr ? *state : own)) {
    found.push_back(std::string(kNames[static_cast<int>(token.kind)]) + ":" +
                    line.sliced(token.start, token.length).toStdString());
  }
  return found;
}

TEST(CodeLanguage, IsFoundByWhatAFenceCallsIt) {
  EXPECT_NE(codeLanguage(u"Python"_qs), nullptr);
  EXPECT_EQ(codeLanguage(u"py"_qs), codeLanguage(u"python"_qs));
  EXPECT_NE(codeLanguage(u"c++"_qs), codeLanguage(u"c"_qs));
  EXPECT_EQ(codeLanguage(u"brainfold"_qs), nullptr);
  EXPECT_EQ(codeLanguage({}), nullptr);
}

TEST(CodeLanguage, WordsStringsNumbersAndComments) {
  EXPECT_THAT(coloured(u"python"_qs, u"def scan(pada: str) -> list:  # గురువు, లఘువు"_qs),
              ElementsAre("keyword:def", "function:scan", "type:str", "type:list",
                          "comment:# గురువు, లఘువు"));
  EXPECT_THAT(coloured(u"python"_qs, u"x2 = f('it\\'s 3', 0x1F, \"తెలుగు\")"_qs),
              ElementsAre("function:f", "string:'it\\'s 3'", "number:0x1F", "string:\"తెలుగు\""));
  EXPECT_THAT(coloured(u"sql"_qs, u"SELECT name FROM users -- all"_qs),
              ElementsAre("keyword:SELECT", "keyword:FROM", "comment:-- all"));
  EXPECT_THAT(coloured(u"json"_qs, u"{\"a\": true, \"b\": 12.5}"_qs),
              ElementsAre("string:\"a\"", "keyword:true", "string:\"b\"", "number:12.5"));
}

TEST(CodeLanguage, CommentsAndStringsGoOverLines) {
  int state = 0;
  EXPECT_THAT(coloured(u"cpp"_qs, u"int a; /* one"_qs, &state),
              ElementsAre("type:int", "comment:/* one"));
  EXPECT_THAT(coloured(u"cpp"_qs, u"return"_qs, &state), ElementsAre("comment:return"));
  EXPECT_THAT(coloured(u"cpp"_qs, u"three */ return;"_qs, &state),
              ElementsAre("comment:three */", "keyword:return"));
  EXPECT_EQ(state, 0);
  EXPECT_THAT(coloured(u"python"_qs, u"a = '''x"_qs, &state), ElementsAre("string:'''x"));
  EXPECT_THAT(coloured(u"python"_qs, u"\"\"\" is text '''"_qs, &state),
              ElementsAre("string:\"\"\" is text '''"));
  EXPECT_EQ(state, 0);
}

TEST(CodeLanguage, UnfinishedLinesEndInTheirLine) {
  int state = 0;
  EXPECT_THAT(coloured(u"cpp"_qs, u"\"no end \\"_qs, &state), ElementsAre("string:\"no end \\"));
  EXPECT_EQ(state, 0);
  EXPECT_THAT(coloured(u"cpp"_qs, {}, &state), IsEmpty());
  state = 99;  // of another language
  EXPECT_THAT(coloured(u"cpp"_qs, u"if"_qs, &state), ElementsAre("keyword:if"));
}

TEST(CodeLanguage, TheDocumentIsColouredLineByLine) {
  QTextDocument document;
  document.setPlainText(u"/* a\nb */ if\nelse"_qs);
  SpanHighlighter highlighter(&document);
  const QList<QColor> colours{Qt::red, Qt::green, Qt::blue, Qt::gray, Qt::cyan, Qt::magenta};
  SpanLook look;
  look.syntax = colours;
  highlighter.setLook(look);
  highlighter.setLanguage(codeLanguage(u"cpp"_qs));
  const auto colourAt = [&](int block, int place) {
    for (const auto& range : document.findBlockByNumber(block).layout()->formats()) {
      if (place >= range.start && place < range.start + range.length)
        return range.format.foreground().color();
    }
    return QColor();
  };
  EXPECT_EQ(colourAt(0, 3), colours[3]);
  EXPECT_EQ(colourAt(1, 0), colours[3]);
  EXPECT_EQ(colourAt(1, 5), colours[0]);
  EXPECT_EQ(colourAt(2, 0), colours[0]);
}

}  // namespace
}  // namespace paluku
