// Methods of strings, lists and dicts. A name that Python's type has and this table lacks is a
// method all the same, so that `value.items` never means an element; calling it is an error.
#include <algorithm>
#include <iterator>
#include <string>

#include "engine/text/jinja/calls.h"
#include "engine/text/jinja/lines.h"
#include "engine/text/jinja/operators.h"
#include "engine/text/jinja/template_error.h"

namespace paluku::jinja {
namespace {

struct MethodEntry {
  std::string_view name;
  std::string_view parameters;
  Value (*call)(const Call& call);
};

Value ListOf(std::vector<Text> pieces, Heap& heap) {
  std::vector<Value> values;
  values.reserve(pieces.size());
  for (Text& piece : pieces) values.push_back(heap.NewText(std::move(piece)));
  return heap.NewList(std::move(values));
}

Value Split(const Call& call, bool from_end) {
  const Value separator = call.Get(0, "sep");
  const std::int64_t most = call.GetInteger(1, "maxsplit", -1);
  const Text& text = TextOf(call.input);
  call.heap.budget().SpendBytes(2 * text.size());
  if (IsUndefined(separator) || IsNone(separator))
    return ListOf(SplitWords(text, most, from_end), call.heap);
  if (!IsText(separator) || TextOf(separator).empty()) Throw("splits at an empty separator");
  return ListOf(SplitAt(text, TextOf(separator).bytes(), most, from_end), call.heap);
}

Value SplitStart(const Call& call) { return Split(call, false); }
Value SplitEnd(const Call& call) { return Split(call, true); }

Value Lines(const Call& call) {
  call.heap.budget().SpendBytes(TextOf(call.input).size());
  return ListOf(SplitLines(TextOf(call.input), call.GetTruth(0, "keepends", false)), call.heap);
}

Value Strip(const Call& call) {
  return TrimText(InputText(call), call.Get(0, "chars"), true, true, call.heap);
}
Value StripStart(const Call& call) {
  return TrimText(InputText(call), call.Get(0, "chars"), true, false, call.heap);
}
Value StripEnd(const Call& call) {
  return TrimText(InputText(call), call.Get(0, "chars"), false, true, call.heap);
}

// Some affix, or one of a tuple of them, holds in the sense of `test`.
template <class Test>
bool AnyAffix(const Call& call, const Test& test) {
  const Value affix = call.Get(0, "affix");
  const auto* list = std::get_if<List*>(&affix);
  const std::vector<Value> affixes = list != nullptr ? (*list)->items : std::vector{affix};
  return std::any_of(affixes.begin(), affixes.end(), [&](const Value& one) {
    if (!IsText(one)) Throw("an affix must be a string");
    call.heap.budget().SpendBytes(TextOf(one).size());
    return test(TextOf(one).bytes());
  });
}

Value StartsWith(const Call& call) {
  const std::string& text = TextOf(call.input).bytes();
  return AnyAffix(call, [&](const std::string& affix) { return text.starts_with(affix); });
}
Value EndsWith(const Call& call) {
  const std::string& text = TextOf(call.input).bytes();
  return AnyAffix(call, [&](const std::string& affix) { return text.ends_with(affix); });
}

Value RemovePrefix(const Call& call) {
  const Text& text = TextOf(call.input);
  const Text affix = call.GetText(0, "prefix", "");
  if (!text.bytes().starts_with(affix.bytes())) return call.input;
  return call.heap.NewText(text.Substring(affix.size(), text.size()));
}
Value RemoveSuffix(const Call& call) {
  const Text& text = TextOf(call.input);
  const Text affix = call.GetText(0, "suffix", "");
  if (!text.bytes().ends_with(affix.bytes())) return call.input;
  return call.heap.NewText(text.Substring(0, text.size() - affix.size()));
}

Value Replace(const Call& call) {
  return ReplaceText(InputText(call), call.GetText(0, "old", ""), call.GetText(1, "new", ""),
                     call.GetInteger(2, "count", -1), call.heap);
}

// str.format with {}, {0} and {name}; what Python does behind ":", "!" and "." is refused.
Value FormatBraces(const Call& call) {
  const Text& pattern = TextOf(call.input);
  const std::string_view bytes = pattern.bytes();
  Text out;
  std::size_t next = 0;
  std::size_t done = 0;
  for (std::size_t at = 0; (at = bytes.find_first_of("{}", done)) != std::string_view::npos;) {
    out.Append(pattern, done, at);
    done = at + 2;
    if (bytes.substr(at, 2) == "{{" || bytes.substr(at, 2) == "}}") {
      out.Append(pattern, at, at + 1);
      continue;
    }
    const std::size_t close = bytes.find('}', at);
    if (bytes[at] == '}' || close == std::string_view::npos) Throw("a format is cut short");
    const std::string_view name = bytes.substr(at + 1, close - at - 1);
    done = close + 1;
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
      return IsAsciiLetter(c) || IsAsciiDigit(c) || c == '_';
    });
    if (!plain) Throw("the format {" + std::string(name) + "} is not supported");
    const bool numbered = !name.empty() && std::all_of(name.begin(), name.end(), IsAsciiDigit);
    if (name.size() > 9) Throw("there are too few values for a format");
    std::size_t place = call.positional.size();
    if (name.empty()) place = next++;
    if (numbered) place = static_cast<std::size_t>(std::stoi(std::string(name)));
    const Value value = call.Get(place, name.empty() ? "{" : name);
    if (place >= call.positional.size() && IsUndefined(value))
      Throw("there are too few values for a format");
    const Text text = ToText(value, call.heap);
    call.heap.budget().SpendBytes(text.size());
    out.Append(text);
    if (out.size() > call.heap.budget().max_text()) Throw("makes a text that is too long");
  }
  out.Append(pattern, done, pattern.size());
  return call.heap.NewText(std::move(out));
}

Value Upper(const Call& call) { return call.heap.NewText(UpperText(InputText(call))); }
Value Lower(const Call& call) { return call.heap.NewText(LowerText(InputText(call))); }
Value Capitalize(const Call& call) { return call.heap.NewText(CapitalText(InputText(call))); }

// Unlike the filter of this name, every letter behind another sign begins a word.
Value Title(const Call& call) {
  bool begins = true;
  return call.heap.NewText(InputText(call).MapBytes([&begins](char c) {
    const char mapped = begins ? ToAsciiUpper(c) : ToAsciiLower(c);
    begins = !IsAsciiLetter(c) && static_cast<unsigned char>(c) < 0x80;
    return mapped;
  }));
}

Value Find(const Call& call) {
  const std::string& text = TextOf(call.input).bytes();
  call.heap.budget().SpendBytes(text.size());
  const std::size_t at = FindText(text, call.GetText(0, "sub", "").bytes(), 0);
  if (at == std::string::npos) return std::int64_t{-1};
  return static_cast<std::int64_t>(CountCharacters(std::string_view(text).substr(0, at)));
}

Value FindLast(const Call& call) {
  const Text& text = TextOf(call.input);
  const Text part = call.GetText(0, "sub", "");
  call.heap.budget().SpendBytes(2 * text.size());
  if (part.empty()) return static_cast<std::int64_t>(CountCharacters(text.bytes()));
  const std::vector<Text> halves = SplitAt(text, part.bytes(), 1, true);
  if (halves.size() < 2) return std::int64_t{-1};
  return static_cast<std::int64_t>(CountCharacters(halves[0].bytes()));
}

Value CountText(const Call& call) {
  const Text& text = TextOf(call.input);
  const Text part = call.GetText(0, "sub", "");
  call.heap.budget().SpendBytes(2 * text.size());
  if (part.empty()) return static_cast<std::int64_t>(CountCharacters(text.bytes()) + 1);
  std::int64_t count = 0;
  for (std::size_t at = 0;
       (at = FindText(text.bytes(), part.bytes(), at)) != std::string_view::npos; ++count)
    at += part.size();
  return count;
}

Value JoinTexts(const Call& call) {
  Text joined;
  bool first = true;
  for (const Value& element : Elements(call.Get(0, "iterable"), call.heap)) {
    if (!IsText(element)) Throw("joins " + std::string(KindName(element)) + " with strings");
    if (!first) joined.Append(TextOf(call.input));
    first = false;
    call.heap.budget().SpendBytes(TextOf(element).size() + TextOf(call.input).size());
    joined.Append(TextOf(element));
    if (joined.size() > call.heap.budget().max_text()) Throw("makes a text that is too long");
  }
  return call.heap.NewText(std::move(joined));
}

Value IsDigit(const Call& call) {
  const Text text = InputText(call);
  const std::string& bytes = text.bytes();
  return !bytes.empty() && std::all_of(bytes.begin(), bytes.end(), IsAsciiDigit);
}

Value IsSpace(const Call& call) {
  const Text text = InputText(call);
  return !text.empty() && LeadingSpace(text.bytes()) == text.size();
}

Value Get(const Call& call) {
  if (call.positional.empty() || !call.named.empty()) Throw("get takes a key and a preset");
  if (const Value* const found = call.heap.Find(*std::get<Dict*>(call.input), call.positional[0]))
    return *found;
  return call.positional.size() > 1 ? call.positional[1] : Value(None{});
}

Value ItemsOf(const Call& call) {
  Call filter{.heap = call.heap, .now = call.now, .input = call.input};
  return ApplyFilter("items", filter);
}

Value Keys(const Call& call) { return call.heap.NewList(Elements(call.input, call.heap)); }

Value Values(const Call& call) {
  List* const values = call.heap.NewList();
  for (const auto& [key, value] : std::get<Dict*>(call.input)->entries)
    call.heap.Append(*values, value);
  return values;
}

List& MutableList(const Call& call) {
  List& list = *std::get<List*>(call.input);
  if (list.tuple) Throw("a tuple cannot be changed");
  return list;
}

Value Append(const Call& call) {
  call.heap.Append(MutableList(call), call.Get(0, "object"));
  return None{};
}

Value Extend(const Call& call) {
  List& list = MutableList(call);
  for (Value& element : Elements(call.Get(0, "iterable"), call.heap))
    call.heap.Append(list, std::move(element));
  return None{};
}

Value Pop(const Call& call) {
  List& list = MutableList(call);
  const auto size = static_cast<std::int64_t>(list.items.size());
  std::int64_t index = call.GetInteger(0, "index", -1);
  if (index < 0) index += size;
  if (index < 0 || index >= size) Throw("takes an element that a list does not have");
  call.heap.budget().Spend(1 + size / 8);
  Value taken = std::move(list.items[static_cast<std::size_t>(index)]);
  list.items.erase(list.items.begin() + index);
  return taken;
}

Value CountItems(const Call& call) {
  const auto& items = std::get<List*>(call.input)->items;
  return static_cast<std::int64_t>(std::count_if(
      items.begin(), items.end(),
      [&](const Value& item) { return Equal(item, call.Get(0, "value"), call.heap.budget()); }));
}

Value IndexOf(const Call& call) {
  const auto& items = std::get<List*>(call.input)->items;
  const auto found = std::find_if(items.begin(), items.end(), [&](const Value& item) {
    return Equal(item, call.Get(0, "value"), call.heap.budget());
  });
  if (found == items.end()) Throw("looks for an element that a list does not have");
  return static_cast<std::int64_t>(found - items.begin());
}

constexpr MethodEntry kTextMethods[] = {
    {"capitalize", "", Capitalize},
    {"count", "sub", CountText},
    {"endswith", "affix", EndsWith},
    {"find", "sub", Find},
    {"format", "*", FormatBraces},
    {"isdigit", "", IsDigit},
    {"isspace", "", IsSpace},
    {"join", "iterable", JoinTexts},
    {"lower", "", Lower},
    {"lstrip", "chars", StripStart},
    {"removeprefix", "prefix", RemovePrefix},
    {"removesuffix", "suffix", RemoveSuffix},
    {"replace", "old new count", Replace},
    {"rfind", "sub", FindLast},
    {"rsplit", "sep maxsplit", SplitEnd},
    {"rstrip", "chars", StripEnd},
    {"split", "sep maxsplit", SplitStart},
    {"splitlines", "keepends", Lines},
    {"startswith", "affix", StartsWith},
    {"strip", "chars", Strip},
    {"title", "", Title},
    {"upper", "", Upper},
};
constexpr MethodEntry kListMethods[] = {
    {"append", "object", Append}, {"count", "value", CountItems}, {"extend", "iterable", Extend},
    {"index", "value", IndexOf},  {"pop", "index", Pop},
};
constexpr MethodEntry kDictMethods[] = {
    {"get", "key default", Get},
    {"items", "", ItemsOf},
    {"keys", "", Keys},
    {"values", "", Values},
};
// The other methods that Python's types have.
constexpr std::string_view kOtherTextMethods[] = {
    "casefold",   "center",   "encode",    "expandtabs",   "format_map", "index",     "isalnum",
    "isalpha",    "isascii",  "isdecimal", "isidentifier", "islower",    "isnumeric", "isprintable",
    "istitle",    "isupper",  "ljust",     "maketrans",    "partition",  "rindex",    "rjust",
    "rpartition", "swapcase", "translate", "zfill"};
constexpr std::string_view kOtherListMethods[] = {"clear",  "copy",    "insert",
                                                  "remove", "reverse", "sort"};
constexpr std::string_view kOtherDictMethods[] = {"clear",   "copy",       "fromkeys", "pop",
                                                  "popitem", "setdefault", "update"};

template <std::size_t kSize>
const MethodEntry* FindIn(const MethodEntry (&table)[kSize], std::string_view name) {
  const auto found = std::find_if(std::begin(table), std::end(table),
                                  [&](const MethodEntry& entry) { return entry.name == name; });
  return found == std::end(table) ? nullptr : found;
}

const MethodEntry* FindMethod(const Value& value, std::string_view name) {
  if (IsText(value)) return FindIn(kTextMethods, name);
  if (std::holds_alternative<List*>(value)) return FindIn(kListMethods, name);
  if (std::holds_alternative<Dict*>(value)) return FindIn(kDictMethods, name);
  return nullptr;
}

bool IsOtherMethod(const Value& value, std::string_view name) {
  const auto has = [&](const auto& names) {
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
  };
  if (IsText(value)) return has(kOtherTextMethods);
  if (std::holds_alternative<List*>(value)) return has(kOtherListMethods);
  return std::holds_alternative<Dict*>(value) && has(kOtherDictMethods);
}

}  // namespace

bool HasMethod(const Value& value, std::string_view name) {
  return FindMethod(value, name) != nullptr || IsOtherMethod(value, name);
}

Value CallMethod(std::string_view name, const Call& call) {
  const MethodEntry* const method = FindMethod(call.input, name);
  if (method == nullptr)
    Throw("the method \"" + std::string(name) + "\" of " + std::string(KindName(call.input)) +
          " is not supported");
  call.Check(method->parameters);
  call.heap.budget().Spend(1);
  return method->call(call);
}

}  // namespace paluku::jinja
