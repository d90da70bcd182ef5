#include "engine/text/jinja/evaluator.h"

#include <string>

#include "engine/text/jinja/operators.h"
#include "engine/text/jinja/template_error.h"

namespace paluku::jinja {

Evaluator::Level::Level(Evaluator& evaluator) : evaluator_(evaluator) {
  evaluator.budget_.Spend(1);
  if (++evaluator.depth_ > kMaxEvaluationDepth) {
    --evaluator.depth_;
    Throw("goes too deep");
  }
}

void Evaluator::Capture::Write(const Text& text) {
  const std::size_t weight = text.size() + text.runs().size() * sizeof(Text::Run);
  evaluator_.budget_.SpendBytes(text.size());
  evaluator_.budget_.Take(weight);
  taken_ += weight;
  text_.Append(text);
  if (text_.size() > evaluator_.budget_.max_text()) Throw("writes too much");
}

Text Evaluator::Run(const std::vector<Statement>& statements, Scope& globals) {
  Capture capture(*this);
  ExecuteAll(statements, globals);
  return capture.Take();
}

Value Evaluator::CaptureBody(const std::vector<Statement>& body, Scope& scope) {
  Capture capture(*this);
  ExecuteAll(body, scope);
  return heap_.NewText(capture.Take());
}

Evaluator::Flow Evaluator::ExecuteAll(const std::vector<Statement>& statements, Scope& scope) {
  const Level level(*this);
  for (const Statement& statement : statements) {
    const Flow flow = Execute(statement, scope);
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

Evaluator::Flow Evaluator::Execute(const Statement& statement, Scope& scope) {
  budget_.Spend(1);
  line_ = statement.line;
  switch (statement.kind) {
    case StatementKind::kText:
      capture_->Write(*statement.text);
      return Flow::kNext;
    case StatementKind::kOutput: {
      const Value value = Evaluate(*statement.expression, scope);
      line_ = statement.line;
      capture_->Write(IsText(value) ? TextOf(value) : ToText(value, heap_));
      return Flow::kNext;
    }
    case StatementKind::kIf:
      return ExecuteIf(statement, scope);
    case StatementKind::kFor:
      return ExecuteFor(statement, scope);
    case StatementKind::kSet:
    case StatementKind::kSetBlock:
      ExecuteSet(statement, scope);
      return Flow::kNext;
    case StatementKind::kMacro:
      heap_.SetVariable(scope, statement.name, heap_.NewMacro(&statement, &scope));
      return Flow::kNext;
    case StatementKind::kCall:
      ExecuteCallBlock(statement, scope);
      return Flow::kNext;
    case StatementKind::kFilter:
      ExecuteFilterBlock(statement, scope);
      return Flow::kNext;
    case StatementKind::kWith:
      return ExecuteWith(statement, scope);
    case StatementKind::kGroup:
      return ExecuteAll(statement.body, *heap_.NewScope(&scope));
    case StatementKind::kBreak:
      return Flow::kBreak;
    case StatementKind::kContinue:
      return Flow::kContinue;
  }
  return Flow::kNext;
}

Evaluator::Flow Evaluator::ExecuteIf(const Statement& statement, Scope& scope) {
  for (const Branch& branch : statement.branches) {
    if (!branch.condition || IsTrue(Evaluate(*branch.condition, scope)))
      return ExecuteAll(branch.body, scope);
  }
  return Flow::kNext;
}

// The elements for which the condition of the loop holds.
List* Evaluator::FilterElements(const Statement& statement, List* elements, Scope& scope) {
  if (!statement.condition) return elements;
  List* const kept = heap_.NewList();
  Scope& inner = *heap_.NewScope(&scope);
  for (std::size_t i = 0; i < elements->items.size(); ++i) {
    const Value element = elements->items[i];
    inner.variables.clear();
    Bind(statement.targets, inner, element);
    if (IsTrue(Evaluate(*statement.condition, inner))) heap_.Append(*kept, element);
  }
  return kept;
}

Evaluator::Flow Evaluator::ExecuteFor(const Statement& statement, Scope& scope) {
  const Value source = Evaluate(*statement.expression, scope);
  line_ = statement.line;
  const auto* given = std::get_if<List*>(&source);
  List* const elements = FilterElements(
      statement, given != nullptr ? *given : heap_.NewList(Elements(source, heap_)), scope);
  if (elements->items.empty()) return ExecuteAll(statement.otherwise, *heap_.NewScope(&scope));
  Scope& inner = *heap_.NewScope(&scope);
  Loop& loop = *heap_.NewLoop(elements->items);
  // The body may append to the list: its size is asked for each time.
  for (; loop.index < elements->items.size(); ++loop.index) {
    inner.variables.clear();
    heap_.SetVariable(inner, "loop", &loop);
    Bind(statement.targets, inner, elements->items[loop.index]);
    const Flow flow = ExecuteAll(statement.body, inner);
    if (flow == Flow::kBreak) break;
  }
  // A macro of the body may outlive the loop, the variable must not.
  inner.variables.clear();
  return Flow::kNext;
}

void Evaluator::Bind(const std::vector<std::string>& targets, Scope& scope, Value value) {
  if (targets.size() == 1) return heap_.SetVariable(scope, targets[0], std::move(value));
  std::vector<Value> parts = Elements(value, heap_);
  if (parts.size() != targets.size())
    Throw("takes " + std::to_string(parts.size()) + " values apart into " +
          std::to_string(targets.size()) + " variables");
  for (std::size_t i = 0; i < targets.size(); ++i)
    heap_.SetVariable(scope, targets[i], std::move(parts[i]));
}

void Evaluator::ExecuteSet(const Statement& statement, Scope& scope) {
  Value value;
  if (statement.kind == StatementKind::kSet) {
    value = Evaluate(*statement.expression, scope);
  } else {
    value = CaptureBody(statement.body, *heap_.NewScope(&scope));
    if (statement.expression)
      value = EvaluateFilter(*statement.expression, scope, std::move(value));
  }
  line_ = statement.line;
  Assign(statement, scope, std::move(value));
}

void Evaluator::Assign(const Statement& statement, Scope& scope, Value value) {
  if (!statement.target) return Bind(statement.targets, scope, std::move(value));
  for (const Scope* place = &scope; place != nullptr; place = place->parent) {
    budget_.Spend(1 + static_cast<std::int64_t>(place->variables.size()) / 8);
    for (const auto& [name, held] : place->variables) {
      if (name != statement.name) continue;
      const auto* space = std::get_if<Namespace*>(&held);
      if (space == nullptr) Throw("\"" + statement.name + "\" is not a namespace");
      const std::string& member = statement.target->name;
      return heap_.Set((*space)->members, heap_.NewText(member, Origin::kTemplate),
                       std::move(value));
    }
  }
  Throw("\"" + statement.name + "\" is undefined");
}

void Evaluator::ExecuteCallBlock(const Statement& statement, Scope& scope) {
  const Macro* const caller = heap_.NewMacro(&statement, &scope);
  const Expression& call = *statement.expression;
  Call arguments = EvaluateArguments(call, scope, Undefined{});
  arguments.named.emplace_back("caller", caller);
  const Value callee = Evaluate(*call.parts[0], scope);
  line_ = statement.line;
  const auto* macro = std::get_if<const Macro*>(&callee);
  if (macro == nullptr) Throw("a call block calls what is not a macro");
  capture_->Write(TextOf(CallMacro(**macro, arguments)));
}

void Evaluator::ExecuteFilterBlock(const Statement& statement, Scope& scope) {
  Value text = CaptureBody(statement.body, *heap_.NewScope(&scope));
  const Value filtered = EvaluateFilter(*statement.expression, scope, std::move(text));
  capture_->Write(ToText(filtered, heap_));
}

Evaluator::Flow Evaluator::ExecuteWith(const Statement& statement, Scope& scope) {
  Scope& inner = *heap_.NewScope(&scope);
  for (const auto& [name, value] : statement.parameters)
    heap_.SetVariable(inner, name, Evaluate(*value, scope));
  return ExecuteAll(statement.body, inner);
}

}  // namespace paluku::jinja
