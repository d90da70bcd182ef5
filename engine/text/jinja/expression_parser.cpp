#include "engine/text/jinja/expression_parser.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "engine/text/jinja/limits.h"
#include "engine/text/jinja/template_error.h"

namespace paluku::jinja {
namespace {

std::string Describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::kText:
      return "text";
    case TokenKind::kOutputBegin:
      return "\"{{\"";
    case TokenKind::kOutputEnd:
      return "\"}}\"";
    case TokenKind::kBlockBegin:
      return "\"{%\"";
    case TokenKind::kBlockEnd:
      return "\"%}\"";
    case TokenKind::kString:
      return "a string";
    case TokenKind::kEnd:
      return "the end of the template";
    default:
      return "\"" + token.text + "\"";
  }
}

}  // namespace

ExpressionParser::Nesting::Nesting(ExpressionParser& parser) : parser_(parser) {
  if (++parser_.nesting_ > kMaxNesting) {
    --parser_.nesting_;
    Throw("is nested too deeply", parser.Current().line);
  }
}

Token ExpressionParser::Take() {
  Token token = std::move(tokens_[at_]);
  // The end stays: it is never moved from.
  if (token.kind == TokenKind::kEnd) {
    tokens_[at_] = token;
  } else {
    ++at_;
  }
  return token;
}

bool ExpressionParser::SkipOperator(std::string_view text) {
  if (!AtOperator(text)) return false;
  ++at_;
  return true;
}

bool ExpressionParser::SkipName(std::string_view text) {
  if (!AtName(text)) return false;
  ++at_;
  return true;
}

void ExpressionParser::ExpectOperator(std::string_view text) {
  if (!SkipOperator(text)) FailHere("\"" + std::string(text) + "\"");
}

std::string ExpressionParser::ExpectName(std::string_view what) {
  if (Current().kind != TokenKind::kName) FailHere(std::string(what));
  return Take().text;
}

void ExpressionParser::Expect(TokenKind kind, std::string_view what) {
  if (Current().kind != kind) FailHere(std::string(what));
  Take();
}

void ExpressionParser::FailHere(const std::string& expected) const {
  Throw("expected " + expected + ", found " + Describe(Current()), Current().line);
}

ExpressionPtr ExpressionParser::New(ExpressionKind kind) const {
  auto node = std::make_unique<Expression>();
  node->kind = kind;
  node->line = Current().line;
  return node;
}

void ExpressionParser::Add(Expression& node, ExpressionPtr part) const {
  if (part) node.depth = std::max(node.depth, part->depth + 1);
  if (node.depth > 2 * kMaxNesting) Throw("is nested too deeply", node.line);
  node.parts.push_back(std::move(part));
}

ExpressionPtr ExpressionParser::ParseTuple(bool with_condition) {
  const auto element = [&] { return with_condition ? ParseExpression() : ParseOr(); };
  ExpressionPtr tuple = New(ExpressionKind::kTuple);
  ExpressionPtr first = element();
  if (!AtOperator(",")) return first;
  Add(*tuple, std::move(first));
  while (SkipOperator(",")) {
    const TokenKind next = Current().kind;
    if (next == TokenKind::kBlockEnd || next == TokenKind::kOutputEnd || AtOperator(")") ||
        AtOperator("=") || AtName("in"))
      break;
    Add(*tuple, element());
  }
  return tuple;
}

ExpressionPtr ExpressionParser::ParseExpression() {
  const Nesting nesting(*this);
  ExpressionPtr value = ParseOr();
  while (AtName("if")) {
    ExpressionPtr choice = New(ExpressionKind::kConditional);
    Take();
    Add(*choice, std::move(value));
    Add(*choice, ParseOr());
    Add(*choice, SkipName("else") ? ParseExpression() : nullptr);
    value = std::move(choice);
  }
  return value;
}

template <class Operand, class TakeOperator>
ExpressionPtr ExpressionParser::ParseChain(ExpressionKind kind, const Operand& operand,
                                           const TakeOperator& take) {
  ExpressionPtr first = operand();
  ExpressionPtr chain;
  while (const std::optional<Operator> op = take()) {
    if (!chain) {
      chain = New(kind);
      chain->line = first->line;
      Add(*chain, std::move(first));
    }
    chain->operators.push_back(*op);
    Add(*chain, operand());
  }
  return chain ? std::move(chain) : std::move(first);
}

ExpressionPtr ExpressionParser::ParseOr() {
  return ParseChain(
      ExpressionKind::kOr, [this] { return ParseAnd(); },
      [this] { return SkipName("or") ? std::optional(Operator::kAdd) : std::nullopt; });
}

ExpressionPtr ExpressionParser::ParseAnd() {
  return ParseChain(
      ExpressionKind::kAnd, [this] { return ParseNot(); },
      [this] { return SkipName("and") ? std::optional(Operator::kAdd) : std::nullopt; });
}

ExpressionPtr ExpressionParser::ParseNot() {
  if (!AtName("not")) return ParseCompare();
  const Nesting nesting(*this);
  ExpressionPtr negation = New(ExpressionKind::kNot);
  Take();
  Add(*negation, ParseNot());
  return negation;
}

std::optional<Operator> ExpressionParser::TakeComparison() {
  constexpr std::pair<std::string_view, Operator> kComparisons[] = {
      {"==", Operator::kEqual},  {"!=", Operator::kNotEqual},
      {"<", Operator::kLess},    {"<=", Operator::kLessOrEqual},
      {">", Operator::kGreater}, {">=", Operator::kGreaterOrEqual}};
  for (const auto& [text, op] : kComparisons)
    if (SkipOperator(text)) return op;
  if (SkipName("in")) return Operator::kIn;
  if (AtName("not") && Next().Is(TokenKind::kName, "in")) {
    Take();
    Take();
    return Operator::kNotIn;
  }
  return std::nullopt;
}

ExpressionPtr ExpressionParser::ParseCompare() {
  return ParseChain(
      ExpressionKind::kCompare, [this] { return ParseSum(); }, [this] { return TakeComparison(); });
}

ExpressionPtr ExpressionParser::ParseSum() {
  return ParseChain(
      ExpressionKind::kArithmetic, [this] { return ParseConcat(); },
      [this]() -> std::optional<Operator> {
        if (SkipOperator("+")) return Operator::kAdd;
        if (SkipOperator("-")) return Operator::kSubtract;
        return std::nullopt;
      });
}

ExpressionPtr ExpressionParser::ParseConcat() {
  return ParseChain(
      ExpressionKind::kConcat, [this] { return ParseProduct(); },
      [this] { return SkipOperator("~") ? std::optional(Operator::kAdd) : std::nullopt; });
}

ExpressionPtr ExpressionParser::ParseProduct() {
  return ParseChain(
      ExpressionKind::kArithmetic, [this] { return ParsePower(); },
      [this]() -> std::optional<Operator> {
        if (SkipOperator("*")) return Operator::kMultiply;
        if (SkipOperator("//")) return Operator::kFloorDivide;
        if (SkipOperator("/")) return Operator::kDivide;
        if (SkipOperator("%")) return Operator::kModulo;
        return std::nullopt;
      });
}

ExpressionPtr ExpressionParser::ParsePower() {
  return ParseChain(
      ExpressionKind::kArithmetic, [this] { return ParseUnary(true); },
      [this] { return SkipOperator("**") ? std::optional(Operator::kPower) : std::nullopt; });
}

ExpressionPtr ExpressionParser::ParseUnary(bool with_filters) {
  ExpressionPtr node;
  if (AtOperator("-") || AtOperator("+")) {
    const Nesting nesting(*this);
    node = New(AtOperator("-") ? ExpressionKind::kNegate : ExpressionKind::kPlus);
    Take();
    Add(*node, ParseUnary(false));
  } else {
    node = ParsePrimary();
  }
  node = ParsePostfix(std::move(node));
  return with_filters ? ParseFiltersAndTests(std::move(node)) : std::move(node);
}

ExpressionPtr ExpressionParser::ParsePrimary() {
  const Token& token = Current();
  if (token.kind == TokenKind::kString) return ParseString();
  if (token.kind == TokenKind::kInteger || token.kind == TokenKind::kFloat) return ParseNumber();
  if (AtOperator("[")) return ParseList();
  if (AtOperator("{")) return ParseDict();
  if (AtOperator("(")) {
    const Nesting nesting(*this);
    ExpressionPtr tuple = New(ExpressionKind::kTuple);
    Take();
    if (SkipOperator(")")) return tuple;
    ExpressionPtr inside = ParseTuple();
    ExpectOperator(")");
    return inside;
  }
  if (token.kind != TokenKind::kName) FailHere("an expression");
  ExpressionPtr node = New(ExpressionKind::kLiteral);
  const std::string name = Take().text;
  if (name == "true" || name == "True") {
    node->literal = true;
  } else if (name == "false" || name == "False") {
    node->literal = false;
  } else if (name == "none" || name == "None") {
    node->literal = None{};
  } else {
    node->kind = ExpressionKind::kName;
    node->name = name;
  }
  return node;
}

// Strings side by side are one.
ExpressionPtr ExpressionParser::ParseString() {
  ExpressionPtr node = New(ExpressionKind::kLiteral);
  std::string text;
  while (Current().kind == TokenKind::kString) text += Take().text;
  node->literal = std::make_shared<const Text>(std::move(text), Origin::kTemplate);
  return node;
}

ExpressionPtr ExpressionParser::ParseNumber() {
  ExpressionPtr node = New(ExpressionKind::kLiteral);
  const bool whole = Current().kind == TokenKind::kInteger;
  const std::string text = Take().text;
  const char* const end = text.data() + text.size();
  if (!whole) {
    double number = 0;
    const auto read = std::from_chars(text.data(), end, number);
    if (read.ec != std::errc() || read.ptr != end)
      Throw("the number " + text + " is not supported", node->line);
    node->literal = number;
    return node;
  }
  const char mark = text.size() > 1 ? text[1] : '0';
  const int base = mark == 'x' || mark == 'X'   ? 16
                   : mark == 'o' || mark == 'O' ? 8
                   : mark == 'b' || mark == 'B' ? 2
                                                : 10;
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data() + (base == 10 ? 0 : 2), end, number, base);
  if (read.ec != std::errc() || read.ptr != end)
    Throw("the number " + text + " is not supported", node->line);
  node->literal = number;
  return node;
}

ExpressionPtr ExpressionParser::ParseList() {
  ExpressionPtr node = New(ExpressionKind::kList);
  Take();
  while (!AtOperator("]")) {
    Add(*node, ParseExpression());
    if (!SkipOperator(",")) break;
  }
  ExpectOperator("]");
  return node;
}

ExpressionPtr ExpressionParser::ParseDict() {
  ExpressionPtr node = New(ExpressionKind::kDict);
  Take();
  while (!AtOperator("}")) {
    Add(*node, ParseExpression());
    ExpectOperator(":");
    Add(*node, ParseExpression());
    if (!SkipOperator(",")) break;
  }
  ExpectOperator("}");
  return node;
}

ExpressionPtr ExpressionParser::ParsePostfix(ExpressionPtr node) {
  while (true) {
    if (AtOperator(".")) {
      node = ParseAttribute(std::move(node));
    } else if (AtOperator("[")) {
      node = ParseSubscript(std::move(node));
    } else if (AtOperator("(")) {
      ExpressionPtr call = New(ExpressionKind::kCall);
      Add(*call, std::move(node));
      ParseArguments(*call);
      node = std::move(call);
    } else {
      return node;
    }
  }
}

ExpressionPtr ExpressionParser::ParseAttribute(ExpressionPtr node) {
  ExpressionPtr member = New(ExpressionKind::kAttribute);
  Take();
  Add(*member, std::move(node));
  if (Current().kind == TokenKind::kInteger) {
    member->kind = ExpressionKind::kItem;
    Add(*member, ParseNumber());
  } else {
    member->name = ExpectName("the name of an attribute");
  }
  return member;
}

ExpressionPtr ExpressionParser::ParseSubscript(ExpressionPtr node) {
  ExpressionPtr item = New(ExpressionKind::kItem);
  Take();
  Add(*item, std::move(node));
  ExpressionPtr first = AtOperator(":") ? nullptr : ParseExpression();
  if (first && AtOperator("]")) {
    Take();
    Add(*item, std::move(first));
    return item;
  }
  item->kind = ExpressionKind::kSlice;
  Add(*item, std::move(first));
  for (int part = 0; part < 2; ++part) {
    const bool given = part == 0 ? (ExpectOperator(":"), true) : SkipOperator(":");
    const bool empty = !given || AtOperator(":") || AtOperator("]");
    Add(*item, empty ? nullptr : ParseExpression());
  }
  ExpectOperator("]");
  return item;
}

ExpressionPtr ExpressionParser::ParseFiltersAndTests(ExpressionPtr node) {
  while (true) {
    if (AtOperator("|")) {
      node = ParseFilters(std::move(node), false);
    } else if (AtName("is")) {
      node = ParseTest(std::move(node));
    } else if (AtOperator("(")) {
      ExpressionPtr call = New(ExpressionKind::kCall);
      Add(*call, std::move(node));
      ParseArguments(*call);
      node = std::move(call);
    } else {
      return node;
    }
  }
}

ExpressionPtr ExpressionParser::ParseFilters(ExpressionPtr node, bool first_without_bar) {
  while (first_without_bar || AtOperator("|")) {
    if (!first_without_bar) Take();
    first_without_bar = false;
    ExpressionPtr filter = New(ExpressionKind::kFilter);
    filter->name = ExpectName("the name of a filter");
    Add(*filter, std::move(node));
    if (AtOperator("(")) ParseArguments(*filter);
    node = std::move(filter);
  }
  return node;
}

ExpressionPtr ExpressionParser::ParseTest(ExpressionPtr node) {
  ExpressionPtr negation = New(ExpressionKind::kNot);
  Take();
  const bool negated = SkipName("not");
  ExpressionPtr test = New(ExpressionKind::kTest);
  test->name = ExpectName("the name of a test");
  Add(*test, std::move(node));
  const Token& next = Current();
  const bool ends = AtName("else") || AtName("or") || AtName("and") || AtName("if");
  if (AtOperator("(")) {
    ParseArguments(*test);
  } else if (AtName("is")) {
    FailHere("no second test");
  } else if (!ends && (next.kind == TokenKind::kName || next.kind == TokenKind::kString ||
                       next.kind == TokenKind::kInteger || next.kind == TokenKind::kFloat ||
                       AtOperator("[") || AtOperator("{"))) {
    const Nesting nesting(*this);
    Add(*test, ParsePostfix(ParsePrimary()));
  }
  if (!negated) return test;
  Add(*negation, std::move(test));
  return negation;
}

void ExpressionParser::ParseArguments(Expression& call) {
  ExpectOperator("(");
  while (!AtOperator(")")) {
    if (AtOperator("*") || AtOperator("**"))
      Throw("unpacked arguments (*) are not supported", Current().line);
    if (Current().kind == TokenKind::kName && Next().Is(TokenKind::kOperator, "=")) {
      std::string name = Take().text;
      Take();
      ExpressionPtr value = ParseExpression();
      call.depth = std::max(call.depth, value->depth + 1);
      call.keywords.emplace_back(std::move(name), std::move(value));
    } else {
      if (!call.keywords.empty()) FailHere("a named argument");
      Add(call, ParseExpression());
    }
    if (!SkipOperator(",")) break;
  }
  ExpectOperator(")");
}

}  // namespace paluku::jinja
