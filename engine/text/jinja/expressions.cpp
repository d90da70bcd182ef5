// The evaluator's expressions.
#include <algorithm>
#include <string>

#include "engine/text/jinja/evaluator.h"
#include "engine/text/jinja/operators.h"
#include "engine/text/jinja/template_error.h"

namespace paluku::jinja {

Value Evaluator::Evaluate(const Expression& expression, Scope& scope) {
  const Level level(*this);
  line_ = expression.line;
  switch (expression.kind) {
    case ExpressionKind::kLiteral:
      return expression.literal;
    case ExpressionKind::kName:
      return EvaluateName(expression, scope);
    case ExpressionKind::kList:
    case ExpressionKind::kTuple:
      return heap_.NewList(EvaluateAll(expression, scope),
                           expression.kind == ExpressionKind::kTuple);
    case ExpressionKind::kDict:
      return EvaluateDict(expression, scope);
    case ExpressionKind::kAttribute:
    case ExpressionKind::kItem:
      return EvaluateItem(expression, scope);
    case ExpressionKind::kSlice:
      return EvaluateSlice(expression, scope);
    case ExpressionKind::kCall:
      return EvaluateCall(expression, scope);
    case ExpressionKind::kFilter:
      return EvaluateFilter(expression, scope, Undefined{});
    case ExpressionKind::kTest: {
      Value input = Evaluate(*expression.parts[0], scope);
      const Call call = EvaluateArguments(expression, scope, std::move(input));
      line_ = expression.line;
      return ApplyTest(expression.name, call);
    }
    case ExpressionKind::kNot:
      return !IsTrue(Evaluate(*expression.parts[0], scope));
    case ExpressionKind::kNegate:
      return Negate(Evaluate(*expression.parts[0], scope));
    case ExpressionKind::kPlus:
      return Arithmetic(Operator::kAdd, std::int64_t{0}, Evaluate(*expression.parts[0], scope),
                        heap_);
    case ExpressionKind::kArithmetic:
      return EvaluateArithmetic(expression, scope);
    case ExpressionKind::kConcat:
      return EvaluateConcat(expression, scope);
    case ExpressionKind::kCompare:
      return EvaluateCompare(expression, scope);
    case ExpressionKind::kAnd:
    case ExpressionKind::kOr: {
      const bool wanted = expression.kind == ExpressionKind::kOr;
      Value value;
      for (const ExpressionPtr& part : expression.parts) {
        value = Evaluate(*part, scope);
        if (IsTrue(value) == wanted) break;
      }
      return value;
    }
    case ExpressionKind::kConditional:
      return EvaluateConditional(expression, scope);
  }
  return Undefined{};
}

std::vector<Value> Evaluator::EvaluateAll(const Expression& expression, Scope& scope) {
  std::vector<Value> values;
  values.reserve(expression.parts.size());
  for (const ExpressionPtr& part : expression.parts) values.push_back(Evaluate(*part, scope));
  return values;
}

Value Evaluator::EvaluateName(const Expression& expression, const Scope& scope) {
  for (const Scope* place = &scope; place != nullptr; place = place->parent) {
    budget_.Spend(1 + static_cast<std::int64_t>(place->variables.size()) / 8);
    for (const auto& [name, value] : place->variables)
      if (name == expression.name) return value;
  }
  Function function{};
  if (FindFunction(expression.name, function)) return function;
  return Undefined{expression.name};
}

Value Evaluator::EvaluateDict(const Expression& expression, Scope& scope) {
  Dict* const dict = heap_.NewDict();
  for (std::size_t i = 0; i < expression.parts.size(); i += 2) {
    const Value key = Evaluate(*expression.parts[i], scope);
    heap_.Set(*dict, key, Evaluate(*expression.parts[i + 1], scope));
  }
  return dict;
}

Value Evaluator::EvaluateItem(const Expression& expression, Scope& scope) {
  const Value object = Evaluate(*expression.parts[0], scope);
  std::string_view name = expression.name;
  Value value;
  if (expression.kind == ExpressionKind::kAttribute) {
    line_ = expression.line;
    value = GetAttribute(object, name, heap_);
  } else {
    const Value key = Evaluate(*expression.parts[1], scope);
    const Value& literal = expression.parts[1]->literal;
    if (IsText(literal)) name = TextOf(literal).bytes();
    line_ = expression.line;
    value = GetItem(object, key, heap_);
  }
  // Named by the template's own words, which outlive the value.
  return IsUndefined(value) ? Undefined{name} : value;
}

Value Evaluator::EvaluateSlice(const Expression& expression, Scope& scope) {
  const auto part = [&](std::size_t i) {
    return expression.parts[i] ? Evaluate(*expression.parts[i], scope) : Value(None{});
  };
  const Value object = part(0);
  const Value begin = part(1);
  const Value end = part(2);
  const Value step = part(3);
  line_ = expression.line;
  return Slice(object, begin, end, step, heap_);
}

Value Evaluator::EvaluateArithmetic(const Expression& expression, Scope& scope) {
  Value value = Evaluate(*expression.parts[0], scope);
  for (std::size_t i = 0; i < expression.operators.size(); ++i) {
    const Value right = Evaluate(*expression.parts[i + 1], scope);
    line_ = expression.line;
    value = Arithmetic(expression.operators[i], value, right, heap_);
  }
  return value;
}

Value Evaluator::EvaluateConcat(const Expression& expression, Scope& scope) {
  Text text;
  for (const Value& value : EvaluateAll(expression, scope)) {
    line_ = expression.line;
    const Text part = ToText(value, heap_);
    budget_.SpendBytes(part.size());
    text.Append(part);
    if (text.size() > budget_.max_text()) Throw("makes a text that is too long");
  }
  return heap_.NewText(std::move(text));
}

Value Evaluator::EvaluateCompare(const Expression& expression, Scope& scope) {
  Value left = Evaluate(*expression.parts[0], scope);
  for (std::size_t i = 0; i < expression.operators.size(); ++i) {
    Value right = Evaluate(*expression.parts[i + 1], scope);
    line_ = expression.line;
    if (!Compare(expression.operators[i], left, right, heap_)) return false;
    left = std::move(right);
  }
  return true;
}

Value Evaluator::EvaluateConditional(const Expression& expression, Scope& scope) {
  if (IsTrue(Evaluate(*expression.parts[1], scope))) return Evaluate(*expression.parts[0], scope);
  return expression.parts[2] ? Evaluate(*expression.parts[2], scope) : Value();
}

// Of a call, a filter or a test: parts[1] and on, and keywords.
Call Evaluator::EvaluateArguments(const Expression& expression, Scope& scope, Value input) {
  Call call{.heap = heap_, .now = now_, .input = std::move(input)};
  for (std::size_t i = 1; i < expression.parts.size(); ++i)
    call.positional.push_back(Evaluate(*expression.parts[i], scope));
  for (const auto& [name, value] : expression.keywords)
    call.named.emplace_back(name, Evaluate(*value, scope));
  return call;
}

// `input` is what the innermost filter of a block works on; others have it in parts[0].
Value Evaluator::EvaluateFilter(const Expression& expression, Scope& scope, Value input) {
  const Level level(*this);
  const Expression* const inner = expression.parts[0].get();
  if (inner != nullptr)
    input = inner->kind == ExpressionKind::kFilter ? EvaluateFilter(*inner, scope, std::move(input))
                                                   : Evaluate(*inner, scope);
  const Call call = EvaluateArguments(expression, scope, std::move(input));
  line_ = expression.line;
  return ApplyFilter(expression.name, call);
}

Value Evaluator::EvaluateCall(const Expression& expression, Scope& scope) {
  const Expression& target = *expression.parts[0];
  if (target.kind != ExpressionKind::kAttribute) {
    const Value callee = Evaluate(target, scope);
    const Call call = EvaluateArguments(expression, scope, Undefined{});
    line_ = expression.line;
    return CallValue(callee, call, target.name);
  }
  Value object = Evaluate(*target.parts[0], scope);
  line_ = target.line;
  const Value member = GetAttribute(object, target.name, heap_);
  const Call call = EvaluateArguments(expression, scope, std::move(object));
  line_ = expression.line;
  if (const auto* loop = std::get_if<Loop*>(&call.input))
    return CallLoop(**loop, target.name, call);
  if (std::holds_alternative<Method>(member)) return CallMethod(target.name, call);
  return CallValue(member, call, target.name);
}

Value Evaluator::CallValue(const Value& callee, const Call& call, std::string_view name) {
  if (const auto* macro = std::get_if<const Macro*>(&callee)) return CallMacro(**macro, call);
  if (const auto* function = std::get_if<Function>(&callee)) return CallFunction(*function, call);
  if (IsUndefined(callee)) Throw("the function \"" + std::string(name) + "\" is not known");
  Throw(std::string(KindName(callee)) + " cannot be called");
}

Value Evaluator::CallLoop(Loop& loop, std::string_view name, const Call& call) {
  if (name == "cycle" && !call.positional.empty())
    return call.positional[loop.index % call.positional.size()];
  if (name != "changed") Throw("loop has no function \"" + std::string(name) + "\"");
  const Value value = heap_.NewList(call.positional, true);
  if (loop.watches && Equal(loop.watched, value, budget_)) return false;
  loop.watches = true;
  loop.watched = value;
  return true;
}

Value Evaluator::CallMacro(const Macro& macro, const Call& call) {
  const Statement& definition = *macro.definition;
  const auto& parameters = definition.parameters;
  if (call.positional.size() > parameters.size())
    Throw("there are too many arguments for \"" + definition.name + "\"");
  for (const auto& [name, unused] : call.named) {
    const bool known =
        name == "caller" || std::any_of(parameters.begin(), parameters.end(),
                                        [&](const auto& own) { return own.first == name; });
    if (!known) Throw("\"" + definition.name + "\" has no parameter \"" + std::string(name) + "\"");
  }
  if (++macros_ > kMaxMacroDepth) Throw("calls macros too deeply");
  Scope& scope = *heap_.NewScope(macro.scope);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto& [name, preset] = parameters[i];
    Value value = call.Get(i, name);
    if (IsUndefined(value) && preset) value = Evaluate(*preset, scope);
    heap_.SetVariable(scope, name, std::move(value));
  }
  const Value caller = call.Get(call.positional.size(), "caller");
  if (!IsUndefined(caller)) heap_.SetVariable(scope, "caller", caller);
  Value text = CaptureBody(definition.body, scope);
  --macros_;
  return text;
}

}  // namespace paluku::jinja
