// Filters, tests, methods and functions by name, and the arguments that they are called with.
//
// Each is a row of a table (filters.cpp, sequence_filters.cpp, tests.cpp, methods.cpp,
// functions.cpp): its name, its parameters and a function. They throw TemplateError.
#pragma once

#include <cstdint>
#include <ctime>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/text/jinja/value.h"

namespace paluku::jinja {

struct Call {
  Heap& heap;
  std::time_t now = 0;  // what strftime_now tells
  Value input;          // what stands before the bar, "is" or the dot
  std::vector<Value> positional = {};
  std::vector<std::pair<std::string_view, Value>> named = {};

  // The argument of this place or name; undefined when it was not given.
  Value Get(std::size_t place, std::string_view name) const;
  Text GetText(std::size_t place, std::string_view name, std::string_view preset) const;
  std::int64_t GetInteger(std::size_t place, std::string_view name, std::int64_t preset) const;
  bool GetTruth(std::size_t place, std::string_view name, bool preset) const;
  // Throws unless every argument has a place in `parameters` ("a b c"; "*" at the end: any number
  // of further ones).
  void Check(std::string_view parameters) const;
};

struct FilterEntry {
  std::string_view name;
  std::string_view parameters;
  Value (*apply)(const Call& call);
};
struct TestEntry {
  std::string_view name;
  std::string_view parameters;
  bool (*holds)(const Call& call);
};

// nullptr: not known.
const FilterEntry* FindFilter(std::string_view name);
const TestEntry* FindTest(std::string_view name);
Value ApplyFilter(std::string_view name, const Call& call);
bool ApplyTest(std::string_view name, const Call& call);
// True for every method that Python's type has, so that `value.items` is never an element.
bool HasMethod(const Value& value, std::string_view name);
// Calls the method of call.input.
Value CallMethod(std::string_view name, const Call& call);
Value CallFunction(Function function, const Call& call);
// false: no function of this name.
bool FindFunction(std::string_view name, Function& function);

// Shared by filters and methods.
Value TrimText(const Text& text, const Value& characters, bool start, bool end, Heap& heap);
Value ReplaceText(const Text& text, const Text& from, const Text& to, std::int64_t most,
                  Heap& heap);
Text UpperText(const Text& text);
Text LowerText(const Text& text);
Text CapitalText(const Text& text);
// The value that orders `value` when case does not count.
Value Folded(const Value& value, Heap& heap);
// call.input as text, spent for.
Text InputText(const Call& call);

}  // namespace paluku::jinja
