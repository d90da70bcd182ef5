// The parsed template: statements with expressions in them. Made by the parser, const afterwards,
// walked by the evaluator. Plain data.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/text/jinja/value.h"

namespace paluku::jinja {

enum class ExpressionKind : std::uint8_t {
  kLiteral,      // literal
  kName,         // name
  kList,         // parts
  kTuple,        // parts
  kDict,         // parts: key, value, key, value ...
  kAttribute,    // parts[0].name
  kItem,         // parts[0][parts[1]]
  kSlice,        // parts[0][parts[1]:parts[2]:parts[3]], nullptr where left out
  kCall,         // parts[0](parts[1] ..., keywords)
  kFilter,       // parts[0] | name(parts[1] ..., keywords); parts[0] is nullptr in a filter block
  kTest,         // parts[0] is name(parts[1] ..., keywords)
  kNot,          // parts[0]
  kNegate,       // parts[0]
  kPlus,         // parts[0]
  kArithmetic,   // parts[0] operators[0] parts[1] ..., from left to right
  kConcat,       // parts[0] ~ parts[1] ...
  kCompare,      // parts[0] operators[0] parts[1] ..., all of them hold
  kAnd,          // parts
  kOr,           // parts
  kConditional,  // parts[0] if parts[1] else parts[2], which may be nullptr
};

enum class Operator : std::uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kFloorDivide,
  kModulo,
  kPower,
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kIn,
  kNotIn,
};

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

struct Expression {
  ExpressionKind kind = ExpressionKind::kLiteral;
  int line = 0;
  int depth = 1;  // of the tree below
  Value literal;
  std::string name;
  std::vector<ExpressionPtr> parts;
  std::vector<std::pair<std::string, ExpressionPtr>> keywords;
  std::vector<Operator> operators;
};

enum class StatementKind : std::uint8_t {
  kText,      // text
  kOutput,    // expression
  kIf,        // branches; a last one without condition is the else
  kFor,       // targets in expression, condition; body, otherwise
  kSet,       // targets (or target, a namespace's member) = expression
  kSetBlock,  // the same, from body and the filter in expression (may be nullptr)
  kMacro,     // name, parameters, body
  kCall,      // expression (a call) with caller = parameters, body
  kFilter,    // expression (filters) over body
  kWith,      // parameters, body
  kGroup,     // body: a generation block
  kBreak,
  kContinue,
};

struct Statement;

struct Branch {
  ExpressionPtr condition;
  std::vector<Statement> body;
};

struct Statement {
  StatementKind kind = StatementKind::kText;
  int line = 0;
  TextPtr text;
  std::string name;
  std::vector<std::string> targets;
  ExpressionPtr target;
  ExpressionPtr expression;
  ExpressionPtr condition;
  std::vector<std::pair<std::string, ExpressionPtr>> parameters;
  std::vector<Branch> branches;
  std::vector<Statement> body;
  std::vector<Statement> otherwise;
};

}  // namespace paluku::jinja
