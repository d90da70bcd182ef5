// The evaluator: runs a parsed template over the variables of one rendering. Lives for one
// rendering, on one thread. Throws TemplateError, with the line.
#pragma once

#include <ctime>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/text/jinja/ast.h"
#include "engine/text/jinja/calls.h"
#include "engine/text/jinja/value.h"

namespace paluku::jinja {

class Evaluator {
 public:
  Evaluator(Heap& heap, std::time_t now) : heap_(heap), budget_(heap.budget()), now_(now) {}

  // What `statements` write. `globals` holds the variables.
  Text Run(const std::vector<Statement>& statements, Scope& globals);
  // Of the statement or expression that is being evaluated.
  int line() const { return line_; }

 private:
  enum class Flow { kNext, kBreak, kContinue };

  // Counts levels of evaluation while it lives.
  class Level;
  // Gathers what is written while it lives.
  class Capture;

  // evaluator.cpp: statements
  Flow ExecuteAll(const std::vector<Statement>& statements, Scope& scope);
  Flow Execute(const Statement& statement, Scope& scope);
  Flow ExecuteIf(const Statement& statement, Scope& scope);
  Flow ExecuteFor(const Statement& statement, Scope& scope);
  void ExecuteSet(const Statement& statement, Scope& scope);
  void ExecuteCallBlock(const Statement& statement, Scope& scope);
  void ExecuteFilterBlock(const Statement& statement, Scope& scope);
  Flow ExecuteWith(const Statement& statement, Scope& scope);
  List* FilterElements(const Statement& statement, List* elements, Scope& scope);
  void Assign(const Statement& statement, Scope& scope, Value value);
  void Bind(const std::vector<std::string>& targets, Scope& scope, Value value);
  Value CaptureBody(const std::vector<Statement>& body, Scope& scope);

  // expressions.cpp
  Value Evaluate(const Expression& expression, Scope& scope);
  Value EvaluateName(const Expression& expression, const Scope& scope);
  Value EvaluateDict(const Expression& expression, Scope& scope);
  Value EvaluateItem(const Expression& expression, Scope& scope);
  Value EvaluateSlice(const Expression& expression, Scope& scope);
  Value EvaluateCall(const Expression& expression, Scope& scope);
  Value EvaluateFilter(const Expression& expression, Scope& scope, Value input);
  Value EvaluateArithmetic(const Expression& expression, Scope& scope);
  Value EvaluateConcat(const Expression& expression, Scope& scope);
  Value EvaluateCompare(const Expression& expression, Scope& scope);
  Value EvaluateConditional(const Expression& expression, Scope& scope);
  std::vector<Value> EvaluateAll(const Expression& expression, Scope& scope);
  Call EvaluateArguments(const Expression& expression, Scope& scope, Value input);
  Value CallValue(const Value& callee, const Call& call, std::string_view name);
  Value CallLoop(Loop& loop, std::string_view name, const Call& call);
  Value CallMacro(const Macro& macro, const Call& call);

  Heap& heap_;
  Budget& budget_;
  std::time_t now_;
  Capture* capture_ = nullptr;
  int line_ = 0;
  int depth_ = 0;
  int macros_ = 0;
};

class Evaluator::Level {
 public:
  explicit Level(Evaluator& evaluator);
  ~Level() { --evaluator_.depth_; }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;

 private:
  Evaluator& evaluator_;
};

class Evaluator::Capture {
 public:
  explicit Capture(Evaluator& evaluator) : evaluator_(evaluator), outer_(evaluator.capture_) {
    evaluator.capture_ = this;
  }
  ~Capture() {
    evaluator_.capture_ = outer_;
    evaluator_.budget_.GiveBack(taken_);
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  void Write(const Text& text);
  Text Take() { return std::move(text_); }

 private:
  Evaluator& evaluator_;
  Capture* const outer_;
  std::size_t taken_ = 0;  // from the budget
  Text text_;
};

}  // namespace paluku::jinja
