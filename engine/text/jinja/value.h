// Value: what an expression of a template gives. Data of Python's kinds and nothing else: no value
// leads to an object of the program, and the only callables are macros and the functions listed
// here.
//
// A Heap owns the lists, dicts, namespaces and scopes of one rendering until it ends (they may hold
// one another in circles); strings are shared and counted while they live. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/text/jinja/limits.h"
#include "engine/text/jinja/text.h"

namespace paluku::jinja {

struct List;
struct Dict;
struct Namespace;
struct Loop;
struct Macro;
struct Statement;

// What is missing, for the error that its use gives; points into the parsed template.
struct Undefined {
  std::string_view name;
};
struct None {};
enum class Function : std::uint8_t { kRange, kNamespace, kDict, kRaiseException, kStrftimeNow };
// A method that was named and not called: true and defined, as Python's is, and otherwise useless.
struct Method {};
using TextPtr = std::shared_ptr<const Text>;

using Value = std::variant<Undefined, None, bool, std::int64_t, double, TextPtr, List*, Dict*,
                           Namespace*, Loop*, const Macro*, Function, Method>;

struct List {
  std::vector<Value> items;
  bool tuple = false;
};

// In order of insertion, as Python's dict.
struct Dict {
  std::vector<std::pair<Value, Value>> entries;
};

struct Namespace {
  Dict members;
};

// The variables of a block. Names point into the parsed template.
struct Scope {
  Scope* parent = nullptr;
  std::vector<std::pair<std::string_view, Value>> variables;
};

struct Macro {
  const Statement* definition = nullptr;
  Scope* scope = nullptr;  // where it was defined
};

// The variable `loop`.
struct Loop {
  const std::vector<Value>* items = nullptr;
  std::size_t index = 0;
  Value watched = {};  // by loop.changed
  bool watches = false;
};

class Heap {
 public:
  explicit Heap(Budget& budget) : budget_(budget) {}
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  Budget& budget() { return budget_; }
  Value NewText(Text text);
  Value NewText(std::string_view bytes, Origin origin) {
    return NewText(Text(std::string(bytes), origin));
  }
  List* NewList(std::vector<Value> items = {}, bool tuple = false);
  Dict* NewDict();
  Namespace* NewNamespace();
  Scope* NewScope(Scope* parent);
  const Macro* NewMacro(const Statement* definition, Scope* scope);
  Loop* NewLoop(const std::vector<Value>& items);
  void Append(List& list, Value value);
  // Replaces the value of a key that is there.
  void Set(Dict& dict, const Value& key, Value value);
  void SetVariable(Scope& scope, std::string_view name, Value value);
  // nullptr: not there.
  Value* Find(Dict& dict, const Value& key);
  Value* Find(Dict& dict, std::string_view key);

 private:
  Budget& budget_;
  std::deque<List> lists_;
  std::deque<Dict> dicts_;
  std::deque<Namespace> namespaces_;
  std::deque<Scope> scopes_;
  std::deque<Macro> macros_;
  std::deque<Loop> loops_;
};

inline bool IsUndefined(const Value& value) { return std::holds_alternative<Undefined>(value); }
inline bool IsNone(const Value& value) { return std::holds_alternative<None>(value); }
inline bool IsText(const Value& value) { return std::holds_alternative<TextPtr>(value); }
// bool counts, as in Python.
inline bool IsInteger(const Value& value) {
  return std::holds_alternative<std::int64_t>(value) || std::holds_alternative<bool>(value);
}
inline bool IsNumber(const Value& value) {
  return IsInteger(value) || std::holds_alternative<double>(value);
}
inline const Text& TextOf(const Value& value) { return *std::get<TextPtr>(value); }
inline std::int64_t IntegerOf(const Value& value) {
  const bool* const truth = std::get_if<bool>(&value);
  return truth != nullptr ? static_cast<std::int64_t>(*truth) : std::get<std::int64_t>(value);
}
inline double NumberOf(const Value& value) {
  const double* const number = std::get_if<double>(&value);
  return number != nullptr ? *number : static_cast<double>(IntegerOf(value));
}

// "a string", "None": for errors.
std::string_view KindName(const Value& value);
bool IsTrue(const Value& value);
// ==; values of different kinds are unequal. Throws for structures that are too deep.
bool Equal(const Value& left, const Value& right, Budget& budget);
// < as Python orders numbers, strings and lists; throws for what has no order. Negative, 0,
// positive.
int Order(const Value& left, const Value& right, Budget& budget);
// str(): what {{ }} writes.
Text ToText(const Value& value, Heap& heap);
// repr(), as str() shows what lies in lists.
void AppendRepr(Text& out, const Value& value, Heap& heap, int depth = 0);
// repr() of a float: the shortest digits that read back as the same number.
std::string FloatText(double number);
// The elements of a list, the keys of a dict, the characters of a string, nothing of what is
// undefined. Throws for others.
std::vector<Value> Elements(const Value& value, Heap& heap);

}  // namespace paluku::jinja
