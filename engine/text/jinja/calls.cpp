#include "engine/text/jinja/calls.h"

#include <algorithm>
#include <string>

#include "engine/text/jinja/filters.h"
#include "engine/text/jinja/template_error.h"

namespace paluku::jinja {
namespace {

template <class Entry>
const Entry* FindIn(std::span<const Entry> table, std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const Entry& entry) { return entry.name == name; });
  return found == table.end() ? nullptr : &*found;
}

// Takes the first word off `words`.
std::string_view TakeWord(std::string_view& words) {
  const std::size_t end = std::min(words.find(' '), words.size());
  const std::string_view word = words.substr(0, end);
  words.remove_prefix(std::min(end + 1, words.size()));
  return word;
}

}  // namespace

Value Call::Get(std::size_t place, std::string_view name) const {
  if (place < positional.size()) return positional[place];
  for (const auto& [own, value] : named)
    if (own == name) return value;
  return Undefined{name};
}

Text Call::GetText(std::size_t place, std::string_view name, std::string_view preset) const {
  const Value value = Get(place, name);
  if (IsUndefined(value)) return Text(std::string(preset), Origin::kTemplate);
  if (!IsText(value)) Throw("\"" + std::string(name) + "\" must be a string");
  return TextOf(value);
}

std::int64_t Call::GetInteger(std::size_t place, std::string_view name, std::int64_t preset) const {
  const Value value = Get(place, name);
  if (IsUndefined(value) || IsNone(value)) return preset;
  if (!IsInteger(value)) Throw("\"" + std::string(name) + "\" must be an integer");
  return IntegerOf(value);
}

bool Call::GetTruth(std::size_t place, std::string_view name, bool preset) const {
  const Value value = Get(place, name);
  return IsUndefined(value) ? preset : IsTrue(value);
}

void Call::Check(std::string_view parameters) const {
  std::vector<std::string_view> names;
  while (!parameters.empty()) names.push_back(TakeWord(parameters));
  if (!names.empty() && names.back() == "*") return;
  if (positional.size() > names.size()) Throw("there are too many arguments");
  for (const auto& [name, unused] : named)
    if (std::find(names.begin(), names.end(), name) == names.end())
      Throw("there is no argument \"" + std::string(name) + "\" here");
}

const FilterEntry* FindFilter(std::string_view name) {
  const FilterEntry* const found = FindIn(TextFilters(), name);
  return found != nullptr ? found : FindIn(SequenceFilters(), name);
}

const TestEntry* FindTest(std::string_view name) { return FindIn(Tests(), name); }

Value ApplyFilter(std::string_view name, const Call& call) {
  const FilterEntry* const filter = FindFilter(name);
  if (filter == nullptr) Throw("the filter \"" + std::string(name) + "\" is not supported");
  call.Check(filter->parameters);
  call.heap.budget().Spend(1);
  return filter->apply(call);
}

bool ApplyTest(std::string_view name, const Call& call) {
  const TestEntry* const test = FindTest(name);
  if (test == nullptr) Throw("the test \"" + std::string(name) + "\" is not supported");
  call.Check(test->parameters);
  call.heap.budget().Spend(1);
  return test->holds(call);
}

Text InputText(const Call& call) {
  Text text = ToText(call.input, call.heap);
  call.heap.budget().SpendBytes(text.size());
  return text;
}

}  // namespace paluku::jinja
