// What stands behind "is".
#include <cmath>
#include <string>

#include "engine/text/jinja/filters.h"
#include "engine/text/jinja/operators.h"
#include "engine/text/jinja/template_error.h"

namespace paluku::jinja {
namespace {

template <class Kind>
bool Is(const Call& call) {
  return std::holds_alternative<Kind>(call.input);
}

bool IsTruth(const Call& call, bool wanted) {
  const auto* truth = std::get_if<bool>(&call.input);
  return truth != nullptr && *truth == wanted;
}

// input % divisor == remainder
bool Leaves(const Call& call, const Value& divisor, std::int64_t remainder) {
  const Value rest = Arithmetic(Operator::kModulo, call.input, divisor, call.heap);
  return Equal(rest, remainder, call.heap.budget());
}

bool Relates(const Call& call, Operator op) {
  return Compare(op, call.input, call.Get(0, "other"), call.heap);
}

// str.islower and str.isupper for ASCII: some letter, and all of them so.
bool AllLetters(const Call& call, bool (*wanted)(char), bool (*unwanted)(char)) {
  const Text text = InputText(call);
  bool some = false;
  for (const char c : text.bytes()) {
    if (unwanted(c)) return false;
    some = some || wanted(c);
  }
  return some;
}

// Strings and lists can be counted and indexed; dicts too, as far as Jinja2 asks.
bool IsSequence(const Call& call) {
  return IsText(call.input) || Is<List*>(call) || Is<Dict*>(call) || IsUndefined(call.input);
}

// The very same value, where that can be told.
bool IsSame(const Call& call) {
  const Value other = call.Get(0, "other");
  if (call.input.index() != other.index()) return false;
  if (const auto* list = std::get_if<List*>(&call.input)) return *list == std::get<List*>(other);
  if (const auto* dict = std::get_if<Dict*>(&call.input)) return *dict == std::get<Dict*>(other);
  return Equal(call.input, other, call.heap.budget());
}

constexpr TestEntry kTests[] = {
    {"!=", "other", [](const Call& c) { return Relates(c, Operator::kNotEqual); }},
    {"<", "other", [](const Call& c) { return Relates(c, Operator::kLess); }},
    {"<=", "other", [](const Call& c) { return Relates(c, Operator::kLessOrEqual); }},
    {"==", "other", [](const Call& c) { return Relates(c, Operator::kEqual); }},
    {">", "other", [](const Call& c) { return Relates(c, Operator::kGreater); }},
    {">=", "other", [](const Call& c) { return Relates(c, Operator::kGreaterOrEqual); }},
    {"boolean", "", Is<bool>},
    {"callable", "",
     [](const Call& c) { return Is<const Macro*>(c) || Is<Function>(c) || Is<Method>(c); }},
    {"defined", "", [](const Call& c) { return !IsUndefined(c.input); }},
    {"divisibleby", "num", [](const Call& c) { return Leaves(c, c.Get(0, "num"), 0); }},
    {"eq", "other", [](const Call& c) { return Relates(c, Operator::kEqual); }},
    {"equalto", "other", [](const Call& c) { return Relates(c, Operator::kEqual); }},
    {"even", "", [](const Call& c) { return Leaves(c, std::int64_t{2}, 0); }},
    {"false", "", [](const Call& c) { return IsTruth(c, false); }},
    {"float", "", Is<double>},
    {"ge", "other", [](const Call& c) { return Relates(c, Operator::kGreaterOrEqual); }},
    {"greaterthan", "other", [](const Call& c) { return Relates(c, Operator::kGreater); }},
    {"gt", "other", [](const Call& c) { return Relates(c, Operator::kGreater); }},
    {"in", "other", [](const Call& c) { return Relates(c, Operator::kIn); }},
    {"integer", "", Is<std::int64_t>},
    {"iterable", "", IsSequence},
    {"le", "other", [](const Call& c) { return Relates(c, Operator::kLessOrEqual); }},
    {"lessthan", "other", [](const Call& c) { return Relates(c, Operator::kLess); }},
    {"lower", "", [](const Call& c) { return AllLetters(c, IsAsciiLower, IsAsciiUpper); }},
    {"lt", "other", [](const Call& c) { return Relates(c, Operator::kLess); }},
    {"mapping", "", Is<Dict*>},
    {"ne", "other", [](const Call& c) { return Relates(c, Operator::kNotEqual); }},
    {"none", "", Is<None>},
    {"number", "", [](const Call& c) { return IsNumber(c.input); }},
    {"odd", "", [](const Call& c) { return Leaves(c, std::int64_t{2}, 1); }},
    {"sameas", "other", IsSame},
    {"sequence", "", IsSequence},
    {"string", "", Is<TextPtr>},
    {"true", "", [](const Call& c) { return IsTruth(c, true); }},
    {"undefined", "", [](const Call& c) { return IsUndefined(c.input); }},
    {"upper", "", [](const Call& c) { return AllLetters(c, IsAsciiUpper, IsAsciiLower); }},
};

}  // namespace

std::span<const TestEntry> Tests() { return kTests; }

}  // namespace paluku::jinja
