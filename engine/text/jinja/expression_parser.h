// The parser of expressions, by precedence as in Jinja2: conditional, or, and, not, comparison,
// + -, ~, * / // %, **, sign, then filters and tests, then what follows a name. Used by the parser
// of statements, which shares its place among the tokens.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/text/jinja/ast.h"
#include "engine/text/jinja/lexer.h"

namespace paluku::jinja {

class ExpressionParser {
 public:
  explicit ExpressionParser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  const Token& Current() const { return tokens_[at_]; }
  const Token& Next() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
  Token Take();
  bool At(TokenKind kind, std::string_view text) const { return Current().Is(kind, text); }
  bool AtOperator(std::string_view text) const { return At(TokenKind::kOperator, text); }
  bool AtName(std::string_view text) const { return At(TokenKind::kName, text); }
  bool SkipOperator(std::string_view text);
  bool SkipName(std::string_view text);
  void ExpectOperator(std::string_view text);
  std::string ExpectName(std::string_view what);
  void Expect(TokenKind kind, std::string_view what);
  [[noreturn]] void FailHere(const std::string& expected) const;

  // An expression, or several with commas between: a tuple.
  ExpressionPtr ParseTuple(bool with_condition = true);
  ExpressionPtr ParseExpression();
  ExpressionPtr ParseOr();  // without "if ... else"
  // "| filter | filter" or "filter | filter" over `node`, which may be nullptr.
  ExpressionPtr ParseFilters(ExpressionPtr node, bool first_without_bar);

  // Counts blocks and expressions inside one another while it lives.
  class Nesting {
   public:
    explicit Nesting(ExpressionParser& parser);
    ~Nesting() { --parser_.nesting_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    ExpressionParser& parser_;
  };

 private:
  ExpressionPtr New(ExpressionKind kind) const;
  void Add(Expression& node, ExpressionPtr part) const;
  ExpressionPtr ParseAnd();
  ExpressionPtr ParseNot();
  ExpressionPtr ParseCompare();
  std::optional<Operator> TakeComparison();
  ExpressionPtr ParseSum();
  ExpressionPtr ParseConcat();
  ExpressionPtr ParseProduct();
  ExpressionPtr ParsePower();
  ExpressionPtr ParseUnary(bool with_filters);
  ExpressionPtr ParsePrimary();
  ExpressionPtr ParseString();
  ExpressionPtr ParseNumber();
  ExpressionPtr ParseList();
  ExpressionPtr ParseDict();
  ExpressionPtr ParsePostfix(ExpressionPtr node);
  ExpressionPtr ParseAttribute(ExpressionPtr node);
  ExpressionPtr ParseSubscript(ExpressionPtr node);
  ExpressionPtr ParseFiltersAndTests(ExpressionPtr node);
  ExpressionPtr ParseTest(ExpressionPtr node);
  void ParseArguments(Expression& call);
  // A chain of equal rank: parts and the operators between them.
  template <class Operand, class TakeOperator>
  ExpressionPtr ParseChain(ExpressionKind kind, const Operand& operand, const TakeOperator& take);

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int nesting_ = 0;
};

}  // namespace paluku::jinja
