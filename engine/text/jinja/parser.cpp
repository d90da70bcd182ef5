#include "engine/text/jinja/parser.h"

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engine/text/jinja/expression_parser.h"
#include "engine/text/jinja/template_error.h"

namespace paluku::jinja {
namespace {

using Names = std::initializer_list<std::string_view>;

bool Contains(Names names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

class Parser {
 public:
  explicit Parser(std::string_view source) : in_(Tokenize(source)) {}

  std::vector<Statement> Run() { return ParseBody({}, "the template", 0); }

 private:
  // Statements up to the tag whose name is one of `ends`; that name is the next token then. `what`
  // begins at `line`.
  std::vector<Statement> ParseBody(Names ends, std::string_view what, int line) {
    const ExpressionParser::Nesting nesting(in_);
    std::vector<Statement> body;
    while (true) {
      Statement statement;
      statement.line = in_.Current().line;
      switch (in_.Current().kind) {
        case TokenKind::kText:
          statement.text =
              std::make_shared<const Text>(std::move(in_.Take().text), Origin::kTemplate);
          break;
        case TokenKind::kOutputBegin:
          in_.Take();
          statement.kind = StatementKind::kOutput;
          statement.expression = in_.ParseTuple();
          in_.Expect(TokenKind::kOutputEnd, "\"}}\"");
          break;
        case TokenKind::kEnd:
          if (ends.size() == 0) return body;
          Throw(std::string(what) + " does not end", line);
        default:
          in_.Take();
          if (in_.Current().kind != TokenKind::kName) in_.FailHere("the name of a tag");
          if (Contains(ends, in_.Current().text)) return body;
          ParseTag(statement);
      }
      body.push_back(std::move(statement));
    }
  }

  void EndTag() { in_.Expect(TokenKind::kBlockEnd, "\"%}\""); }

  // The body up to {% end %}, which is read too.
  std::vector<Statement> ParseBlock(std::string_view end, std::string_view what, int line) {
    EndTag();
    std::vector<Statement> body = ParseBody({end}, what, line);
    in_.Take();
    return body;
  }

  // The same where a loop outside cannot be left from inside.
  std::vector<Statement> ParseClosedBlock(std::string_view end, std::string_view what, int line) {
    const int loops = std::exchange(loops_, 0);
    std::vector<Statement> body = ParseBlock(end, what, line);
    loops_ = loops;
    return body;
  }

  void ParseTag(Statement& statement) {
    const Token tag = in_.Take();
    const std::string& name = tag.text;
    if (name == "if") {
      ParseIf(statement);
    } else if (name == "for") {
      ParseFor(statement);
    } else if (name == "set") {
      ParseSet(statement);
    } else if (name == "macro") {
      statement.kind = StatementKind::kMacro;
      statement.name = in_.ExpectName("the name of a macro");
      ParseParameters(statement);
      statement.body = ParseClosedBlock("endmacro", "a macro", tag.line);
    } else if (name == "call") {
      ParseCall(statement);
    } else if (name == "filter") {
      statement.kind = StatementKind::kFilter;
      statement.expression = in_.ParseFilters(nullptr, true);
      statement.body = ParseClosedBlock("endfilter", "a filter block", tag.line);
    } else if (name == "with") {
      ParseWith(statement);
    } else if (name == "generation") {
      statement.kind = StatementKind::kGroup;
      statement.body = ParseClosedBlock("endgeneration", "a generation block", tag.line);
    } else if ((name == "break" || name == "continue") && loops_ > 0) {
      statement.kind = name == "break" ? StatementKind::kBreak : StatementKind::kContinue;
    } else {
      Throw("the tag \"" + name + "\" is not supported here", tag.line);
    }
    EndTag();
  }

  void ParseIf(Statement& statement) {
    statement.kind = StatementKind::kIf;
    bool more = true;
    while (more) {
      Branch branch;
      branch.condition = in_.ParseTuple(false);
      EndTag();
      branch.body = ParseBody({"elif", "else", "endif"}, "an if", statement.line);
      statement.branches.push_back(std::move(branch));
      more = in_.SkipName("elif");
    }
    if (in_.SkipName("else")) {
      EndTag();
      Branch branch;
      branch.body = ParseBody({"endif"}, "an if", statement.line);
      statement.branches.push_back(std::move(branch));
    }
    in_.Take();
  }

  void ParseFor(Statement& statement) {
    statement.kind = StatementKind::kFor;
    statement.targets = ParseTargets();
    if (!in_.SkipName("in")) in_.FailHere("\"in\"");
    statement.expression = in_.ParseTuple(false);
    if (in_.SkipName("if")) statement.condition = in_.ParseExpression();
    if (in_.AtName("recursive")) Throw("recursive loops are not supported", in_.Current().line);
    EndTag();
    ++loops_;
    statement.body = ParseBody({"else", "endfor"}, "a for", statement.line);
    --loops_;
    if (in_.SkipName("else")) {
      EndTag();
      statement.otherwise = ParseBody({"endfor"}, "a for", statement.line);
    }
    in_.Take();
  }

  // "a" or "a, b"; parentheses may stand around them.
  std::vector<std::string> ParseTargets() {
    const bool enclosed = in_.SkipOperator("(");
    std::vector<std::string> targets;
    do {
      if (!targets.empty() && in_.Current().kind != TokenKind::kName) break;
      if (in_.AtName("in") && !targets.empty()) break;
      targets.push_back(in_.ExpectName("the name of a variable"));
    } while (in_.SkipOperator(","));
    if (enclosed) in_.ExpectOperator(")");
    return targets;
  }

  void ParseSet(Statement& statement) {
    if (in_.Next().Is(TokenKind::kOperator, ".")) {
      ExpressionPtr target = std::make_unique<Expression>();
      target->line = in_.Current().line;
      statement.name = in_.ExpectName("the name of a namespace");
      in_.Take();
      target->name = in_.ExpectName("the name of an attribute");
      statement.target = std::move(target);
    } else {
      statement.targets = ParseTargets();
    }
    if (in_.SkipOperator("=")) {
      statement.kind = StatementKind::kSet;
      statement.expression = in_.ParseTuple();
      return;
    }
    statement.kind = StatementKind::kSetBlock;
    statement.expression = in_.ParseFilters(nullptr, false);
    statement.body = ParseClosedBlock("endset", "a set block", statement.line);
  }

  // (a, b=1)
  void ParseParameters(Statement& statement) {
    in_.ExpectOperator("(");
    while (!in_.AtOperator(")")) {
      std::string name = in_.ExpectName("the name of a parameter");
      ExpressionPtr preset = in_.SkipOperator("=") ? in_.ParseExpression() : nullptr;
      if (!preset && !statement.parameters.empty() && statement.parameters.back().second)
        Throw("a parameter without a value follows one with a value", in_.Current().line);
      statement.parameters.emplace_back(std::move(name), std::move(preset));
      if (!in_.SkipOperator(",")) break;
    }
    in_.ExpectOperator(")");
  }

  void ParseCall(Statement& statement) {
    statement.kind = StatementKind::kCall;
    statement.name = "caller";
    if (in_.AtOperator("(")) ParseParameters(statement);
    statement.expression = in_.ParseExpression();
    if (statement.expression->kind != ExpressionKind::kCall) in_.FailHere("the call of a macro");
    statement.body = ParseClosedBlock("endcall", "a call block", statement.line);
  }

  void ParseWith(Statement& statement) {
    statement.kind = StatementKind::kWith;
    while (in_.Current().kind == TokenKind::kName) {
      std::string name = in_.Take().text;
      in_.ExpectOperator("=");
      statement.parameters.emplace_back(std::move(name), in_.ParseExpression());
      if (!in_.SkipOperator(",")) break;
    }
    statement.body = ParseBlock("endwith", "a with block", statement.line);
  }

  ExpressionParser in_;
  int loops_ = 0;  // around the current statement, in the same macro
};

}  // namespace

std::vector<Statement> Parse(std::string_view source) { return Parser(source).Run(); }

}  // namespace paluku::jinja
