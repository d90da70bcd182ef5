// Filters of lists and dicts.
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "engine/text/jinja/filters.h"
#include "engine/text/jinja/operators.h"
#include "engine/text/jinja/template_error.h"

namespace paluku::jinja {
namespace {

// `value` followed along "a.b.0"; `preset` takes the place of what is undefined on the way.
Value Follow(Value value, const Value& path, Heap& heap, const Value& preset = Undefined{}) {
  if (IsInteger(path)) return GetItem(value, path, heap);
  if (!IsText(path)) Throw("the name of an attribute must be a string");
  std::string_view rest = TextOf(path).bytes();
  while (true) {
    const std::size_t end = std::min(rest.find('.'), rest.size());
    const std::string_view part = rest.substr(0, end);
    std::int64_t index = 0;
    const auto read = std::from_chars(part.data(), part.data() + part.size(), index);
    const bool number = !part.empty() && read.ec == std::errc() &&
                        read.ptr == part.data() + part.size() && part[0] != '-';
    const Value key = number ? Value(index) : heap.NewText(part, Origin::kTemplate);
    value = GetItem(value, key, heap);
    if (IsUndefined(value)) value = preset;
    if (end == rest.size()) return value;
    rest.remove_prefix(end + 1);
  }
}

// What a filter with "attribute" and "case_sensitive" compares.
Value KeyOf(const Value& value, const Value& attribute, bool case_sensitive, Heap& heap) {
  const bool itself = IsUndefined(attribute) || IsNone(attribute);
  const Value key = itself ? value : Follow(value, attribute, heap);
  return case_sensitive ? key : Folded(key, heap);
}

Value First(const Call& call) {
  if (IsText(call.input)) return GetItem(call.input, std::int64_t{0}, call.heap);
  const std::vector<Value> elements = Elements(call.input, call.heap);
  return elements.empty() ? Value() : elements.front();
}

Value Last(const Call& call) {
  if (IsText(call.input)) return GetItem(call.input, std::int64_t{-1}, call.heap);
  const std::vector<Value> elements = Elements(call.input, call.heap);
  return elements.empty() ? Value() : elements.back();
}

Value LengthFilter(const Call& call) {
  if (IsText(call.input)) call.heap.budget().SpendBytes(TextOf(call.input).size());
  return static_cast<std::int64_t>(Length(call.input));
}

Value ListFilter(const Call& call) { return call.heap.NewList(Elements(call.input, call.heap)); }

Value Reverse(const Call& call) {
  if (IsText(call.input)) return Slice(call.input, None{}, None{}, std::int64_t{-1}, call.heap);
  std::vector<Value> elements = Elements(call.input, call.heap);
  std::reverse(elements.begin(), elements.end());
  return call.heap.NewList(std::move(elements));
}

Value JoinFilter(const Call& call) {
  const Value between = call.Get(0, "d");
  const Text separator = IsUndefined(between) ? Text() : ToText(between, call.heap);
  const Value attribute = call.Get(1, "attribute");
  Text joined;
  bool first = true;
  for (const Value& element : Elements(call.input, call.heap)) {
    if (!first) joined.Append(separator);
    first = false;
    const Value value = IsUndefined(attribute) ? element : Follow(element, attribute, call.heap);
    const Text text = ToText(value, call.heap);
    call.heap.budget().SpendBytes(text.size() + separator.size());
    joined.Append(text);
    if (joined.size() > call.heap.budget().max_text()) Throw("makes a text that is too long");
  }
  return call.heap.NewText(std::move(joined));
}

Value Pairs(const Dict& dict, Heap& heap) {
  List* const pairs = heap.NewList();
  for (const auto& [key, value] : dict.entries)
    heap.Append(*pairs, heap.NewList({key, value}, true));
  return pairs;
}

Value Items(const Call& call) {
  if (IsUndefined(call.input)) return call.heap.NewList();
  const auto* dict = std::get_if<Dict*>(&call.input);
  if (dict == nullptr) Throw("items of " + std::string(KindName(call.input)));
  return Pairs(**dict, call.heap);
}

// Stable, by keys made once. Every comparison is paid for, and its order is Python's.
std::vector<Value> Sorted(std::vector<std::pair<Value, Value>> keyed, bool reverse, Heap& heap) {
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
    const int order = Order(a.first, b.first, heap.budget());
    return reverse ? order > 0 : order < 0;
  });
  std::vector<Value> sorted;
  sorted.reserve(keyed.size());
  for (auto& [key, value] : keyed) sorted.push_back(std::move(value));
  return sorted;
}

Value DictSort(const Call& call) {
  const auto* dict = std::get_if<Dict*>(&call.input);
  if (dict == nullptr) Throw("dictsort of " + std::string(KindName(call.input)));
  const bool case_sensitive = call.GetTruth(0, "case_sensitive", false);
  const std::string by = call.GetText(1, "by", "key").bytes();
  if (by != "key" && by != "value") Throw("dictsort goes by \"key\" or \"value\"");
  std::vector<std::pair<Value, Value>> keyed;
  for (const auto& [key, value] : (*dict)->entries)
    keyed.emplace_back(KeyOf(by == "key" ? key : value, Undefined{}, case_sensitive, call.heap),
                       call.heap.NewList({key, value}, true));
  return call.heap.NewList(Sorted(std::move(keyed), call.GetTruth(2, "reverse", false), call.heap));
}

Value Sort(const Call& call) {
  const Value attribute = call.Get(2, "attribute");
  if (IsText(attribute) && TextOf(attribute).bytes().find(',') != std::string::npos)
    Throw("sort by several attributes is not supported");
  const bool case_sensitive = call.GetTruth(1, "case_sensitive", false);
  std::vector<std::pair<Value, Value>> keyed;
  for (const Value& element : Elements(call.input, call.heap))
    keyed.emplace_back(KeyOf(element, attribute, case_sensitive, call.heap), element);
  return call.heap.NewList(Sorted(std::move(keyed), call.GetTruth(0, "reverse", false), call.heap));
}

Value Unique(const Call& call) {
  const bool case_sensitive = call.GetTruth(0, "case_sensitive", false);
  const Value attribute = call.Get(1, "attribute");
  std::vector<Value> seen;
  List* const kept = call.heap.NewList();
  for (const Value& element : Elements(call.input, call.heap)) {
    const Value key = KeyOf(element, attribute, case_sensitive, call.heap);
    const bool known = std::any_of(seen.begin(), seen.end(), [&](const Value& other) {
      return Equal(other, key, call.heap.budget());
    });
    if (known) continue;
    seen.push_back(key);
    call.heap.Append(*kept, element);
  }
  return kept;
}

// The first element that is before all others (`sign` -1), or behind them (1).
Value Extreme(const Call& call, int sign) {
  const bool case_sensitive = call.GetTruth(0, "case_sensitive", false);
  const Value attribute = call.Get(1, "attribute");
  std::optional<Value> best_key;
  Value best;
  for (const Value& element : Elements(call.input, call.heap)) {
    Value key = KeyOf(element, attribute, case_sensitive, call.heap);
    if (best_key && Order(key, *best_key, call.heap.budget()) * sign <= 0) continue;
    best_key = std::move(key);
    best = element;
  }
  return best;
}

Value Min(const Call& call) { return Extreme(call, -1); }
Value Max(const Call& call) { return Extreme(call, 1); }

Value Sum(const Call& call) {
  const Value attribute = call.Get(0, "attribute");
  const Value start = call.Get(1, "start");
  const bool itself = IsUndefined(attribute) || IsNone(attribute);
  Value sum = IsUndefined(start) ? Value(std::int64_t{0}) : start;
  for (const Value& element : Elements(call.input, call.heap)) {
    const Value value = itself ? element : Follow(element, attribute, call.heap);
    sum = Arithmetic(Operator::kAdd, sum, value, call.heap);
  }
  return sum;
}

// The filter or test that `call` names as its argument number `place`, with what follows as its own
// arguments.
Call Inner(const Call& call, std::size_t place) {
  Call inner{.heap = call.heap, .now = call.now, .input = {}};
  inner.positional.assign(call.positional.begin() + static_cast<std::ptrdiff_t>(place) + 1,
                          call.positional.end());
  inner.named = call.named;
  return inner;
}

Value Map(const Call& call) {
  List* const mapped = call.heap.NewList();
  if (call.positional.empty()) {
    const Value attribute = call.Get(0, "attribute");
    const Value preset = call.Get(1, "default");
    if (IsUndefined(attribute)) Throw("map needs a filter or an attribute");
    for (const Value& element : Elements(call.input, call.heap))
      call.heap.Append(*mapped, Follow(element, attribute, call.heap, preset));
    return mapped;
  }
  if (!IsText(call.positional[0])) Throw("map needs the name of a filter");
  Call inner = Inner(call, 0);
  for (const Value& element : Elements(call.input, call.heap)) {
    inner.input = element;
    call.heap.Append(*mapped, ApplyFilter(TextOf(call.positional[0]).bytes(), inner));
  }
  return mapped;
}

// Elements of which the test (by default their truth) holds, or does not. With `by_attribute` the
// first argument names what is tested.
Value Choose(const Call& call, bool by_attribute, bool wanted) {
  const std::size_t place = by_attribute ? 1 : 0;
  if (call.positional.size() < place) Throw("needs the name of an attribute");
  const bool tests = call.positional.size() > place;
  if (tests && !IsText(call.positional[place])) Throw("needs the name of a test");
  Call inner = tests ? Inner(call, place) : Call{.heap = call.heap, .now = call.now, .input = {}};
  List* const chosen = call.heap.NewList();
  for (const Value& element : Elements(call.input, call.heap)) {
    inner.input = by_attribute ? Follow(element, call.positional[0], call.heap) : element;
    const bool holds =
        tests ? ApplyTest(TextOf(call.positional[place]).bytes(), inner) : IsTrue(inner.input);
    if (holds == wanted) call.heap.Append(*chosen, element);
  }
  return chosen;
}

Value Select(const Call& call) { return Choose(call, false, true); }
Value Reject(const Call& call) { return Choose(call, false, false); }
Value SelectAttr(const Call& call) { return Choose(call, true, true); }
Value RejectAttr(const Call& call) { return Choose(call, true, false); }

constexpr FilterEntry kFilters[] = {
    {"count", "", LengthFilter},
    {"dictsort", "case_sensitive by reverse", DictSort},
    {"first", "", First},
    {"items", "", Items},
    {"join", "d attribute", JoinFilter},
    {"last", "", Last},
    {"length", "", LengthFilter},
    {"list", "", ListFilter},
    {"map", "*", Map},
    {"max", "case_sensitive attribute", Max},
    {"min", "case_sensitive attribute", Min},
    {"reject", "*", Reject},
    {"rejectattr", "*", RejectAttr},
    {"reverse", "", Reverse},
    {"select", "*", Select},
    {"selectattr", "*", SelectAttr},
    {"sort", "reverse case_sensitive attribute", Sort},
    {"sum", "attribute start", Sum},
    {"unique", "case_sensitive attribute", Unique},
};

}  // namespace

std::span<const FilterEntry> SequenceFilters() { return kFilters; }

}  // namespace paluku::jinja
