#include "engine/text/jinja/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/base/utf8.h"
#include "engine/text/jinja/template_error.h"

namespace paluku::jinja {
namespace {

constexpr std::size_t kEntriesPerStep = 8;  // compared by one step

std::size_t Weight(const Text& text) {
  return sizeof(Text) + text.size() + text.runs().size() * sizeof(Text::Run);
}

// Ways of str.isprintable, by the blocks of characters that it refuses; unassigned ones count as
// printable here.
bool IsPrintable(char32_t c) {
  if (c < 0x20 || (c >= 0x7F && c <= 0xA0) || c == 0xAD) return false;
  if (c < 0x600) return true;
  const bool hidden = c <= 0x605 || c == 0x61C || c == 0x6DD || c == 0x70F || c == 0x1680 ||
                      c == 0x180E || c == 0x3000 || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB);
  return !hidden && !(c >= 0x2000 && c <= 0x200F) && !(c >= 0x2028 && c <= 0x202F) &&
         !(c >= 0x205F && c <= 0x206F) && !(c >= 0xD800 && c <= 0xF8FF) && c < 0xE0000;
}

void AppendEscaped(std::string& out, char32_t c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const int digits = c <= 0xFF ? 2 : c <= 0xFFFF ? 4 : 8;
  out += digits == 2 ? "\\x" : digits == 4 ? "\\u" : "\\U";
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += kDigits[(c >> shift) & 0xF];
}

void AppendTextRepr(Text& out, const Text& text) {
  const std::string_view bytes = text.bytes();
  const bool doubled =
      bytes.find('\'') != std::string_view::npos && bytes.find('"') == std::string_view::npos;
  const std::string_view quote = doubled ? "\"" : "'";
  out.Append(quote, Origin::kMessage);
  std::size_t begin = 0;
  for (const Text::Run& run : text.runs()) {
    std::string piece;
    while (begin < run.end) {
      std::size_t length = 0;
      const char32_t c = DecodeUtf8(bytes.substr(begin), &length);
      if (c == '\\' || (c == '\'' && !doubled)) {
        piece += '\\';
        piece += static_cast<char>(c);
      } else if (c == '\n' || c == '\r' || c == '\t') {
        piece += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
      } else if (!IsPrintable(c)) {
        AppendEscaped(piece, c);
      } else {
        piece += bytes.substr(begin, length);
      }
      begin += length;
    }
    out.Append(piece, run.origin);
  }
  out.Append(quote, Origin::kMessage);
}

void AppendListRepr(Text& out, const List& list, Heap& heap, int depth) {
  out.Append(list.tuple ? "(" : "[", Origin::kMessage);
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    if (i > 0) out.Append(", ", Origin::kMessage);
    AppendRepr(out, list.items[i], heap, depth + 1);
  }
  if (list.tuple && list.items.size() == 1) out.Append(",", Origin::kMessage);
  out.Append(list.tuple ? ")" : "]", Origin::kMessage);
}

void AppendDictRepr(Text& out, const Dict& dict, Heap& heap, int depth) {
  out.Append("{", Origin::kMessage);
  bool first = true;
  for (const auto& [key, value] : dict.entries) {
    if (!first) out.Append(", ", Origin::kMessage);
    first = false;
    AppendRepr(out, key, heap, depth + 1);
    out.Append(": ", Origin::kMessage);
    AppendRepr(out, value, heap, depth + 1);
  }
  out.Append("}", Origin::kMessage);
}

bool EqualLists(const List& left, const List& right, Budget& budget, int depth);
bool EqualDicts(const Dict& left, const Dict& right, Budget& budget, int depth);

bool EqualAt(const Value& left, const Value& right, Budget& budget, int depth) {
  if (depth > kMaxDataDepth) Throw("compares data that is nested too deeply");
  budget.Spend(1);
  if (IsInteger(left) && IsInteger(right)) return IntegerOf(left) == IntegerOf(right);
  if (IsNumber(left) && IsNumber(right)) return NumberOf(left) == NumberOf(right);
  if (left.index() != right.index()) return false;
  if (IsText(left)) {
    if (TextOf(left).size() != TextOf(right).size()) return false;
    budget.SpendBytes(TextOf(left).size());
    return TextOf(left).bytes() == TextOf(right).bytes();
  }
  if (const auto* list = std::get_if<List*>(&left))
    return EqualLists(**list, *std::get<List*>(right), budget, depth);
  if (const auto* dict = std::get_if<Dict*>(&left))
    return EqualDicts(**dict, *std::get<Dict*>(right), budget, depth);
  if (const auto* space = std::get_if<Namespace*>(&left))
    return *space == std::get<Namespace*>(right);
  if (const auto* macro = std::get_if<const Macro*>(&left))
    return *macro == std::get<const Macro*>(right);
  return IsNone(left) || IsUndefined(left);
}

bool EqualLists(const List& left, const List& right, Budget& budget, int depth) {
  if (left.tuple != right.tuple || left.items.size() != right.items.size()) return false;
  for (std::size_t i = 0; i < left.items.size(); ++i)
    if (!EqualAt(left.items[i], right.items[i], budget, depth + 1)) return false;
  return true;
}

bool EqualDicts(const Dict& left, const Dict& right, Budget& budget, int depth) {
  if (left.entries.size() != right.entries.size()) return false;
  for (const auto& [key, value] : left.entries) {
    const auto other = std::find_if(
        right.entries.begin(), right.entries.end(),
        [&](const auto& entry) { return EqualAt(key, entry.first, budget, depth + 1); });
    if (other == right.entries.end() || !EqualAt(value, other->second, budget, depth + 1))
      return false;
  }
  return true;
}

int OrderAt(const Value& left, const Value& right, Budget& budget, int depth) {
  if (depth > kMaxDataDepth) Throw("compares data that is nested too deeply");
  budget.Spend(1);
  if (IsInteger(left) && IsInteger(right)) {
    const std::int64_t a = IntegerOf(left);
    const std::int64_t b = IntegerOf(right);
    return a < b ? -1 : a > b ? 1 : 0;
  }
  if (IsNumber(left) && IsNumber(right)) {
    const double a = NumberOf(left);
    const double b = NumberOf(right);
    return a < b ? -1 : a > b ? 1 : 0;
  }
  if (IsText(left) && IsText(right)) {
    // The order of UTF-8 bytes is that of the characters.
    budget.SpendBytes(std::min(TextOf(left).size(), TextOf(right).size()));
    return TextOf(left).bytes().compare(TextOf(right).bytes());
  }
  const auto* a = std::get_if<List*>(&left);
  const auto* b = std::get_if<List*>(&right);
  if (a == nullptr || b == nullptr || (*a)->tuple != (*b)->tuple)
    Throw("there is no order between " + std::string(KindName(left)) + " and " +
          std::string(KindName(right)));
  const auto& first = (*a)->items;
  const auto& second = (*b)->items;
  for (std::size_t i = 0; i < std::min(first.size(), second.size()); ++i)
    if (const int order = OrderAt(first[i], second[i], budget, depth + 1)) return order;
  return first.size() < second.size() ? -1 : first.size() > second.size() ? 1 : 0;
}

std::size_t Count(const Value& value) {
  if (const auto* list = std::get_if<List*>(&value)) return (*list)->items.size();
  const auto* dict = std::get_if<Dict*>(&value);
  return dict != nullptr ? (*dict)->entries.size() : 0;
}

std::vector<Value> Characters(const Text& text, Heap& heap) {
  std::vector<Value> characters;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t length = ValidUtf8Prefix(std::string_view(text.bytes()).substr(begin));
    characters.push_back(heap.NewText(text.Substring(begin, begin + length)));
    begin += length;
  }
  return characters;
}

}  // namespace

void Budget::FailSteps() { Throw("takes too many steps"); }
void Budget::FailMemory() { Throw("needs too much memory"); }

Value Heap::NewText(Text text) {
  if (text.size() > budget_.max_text()) Throw("makes a text that is too long");
  budget_.SpendBytes(text.size());
  const std::size_t weight = Weight(text);
  budget_.Take(weight);
  // Counted while it lives; the heap and its budget outlive every value.
  return TextPtr(new Text(std::move(text)), [weight, &budget = budget_](const Text* dead) {
    budget.GiveBack(weight);
    delete dead;
  });
}

List* Heap::NewList(std::vector<Value> items, bool tuple) {
  budget_.Spend(1 + static_cast<std::int64_t>(items.size() / kEntriesPerStep));
  budget_.Take(sizeof(List) + items.size() * sizeof(Value));
  return &lists_.emplace_back(List{std::move(items), tuple});
}

Dict* Heap::NewDict() {
  budget_.Take(sizeof(Dict));
  return &dicts_.emplace_back();
}

Namespace* Heap::NewNamespace() {
  budget_.Take(sizeof(Namespace));
  return &namespaces_.emplace_back();
}

Scope* Heap::NewScope(Scope* parent) {
  budget_.Take(sizeof(Scope));
  return &scopes_.emplace_back(Scope{parent, {}});
}

const Macro* Heap::NewMacro(const Statement* definition, Scope* scope) {
  budget_.Take(sizeof(Macro));
  return &macros_.emplace_back(Macro{definition, scope});
}

Loop* Heap::NewLoop(const std::vector<Value>& items) {
  budget_.Take(sizeof(Loop));
  return &loops_.emplace_back(Loop{.items = &items});
}

void Heap::Append(List& list, Value value) {
  budget_.Take(sizeof(Value));
  list.items.push_back(std::move(value));
}

Value* Heap::Find(Dict& dict, const Value& key) {
  if (IsText(key)) return Find(dict, TextOf(key).bytes());
  for (auto& [own, value] : dict.entries)
    if (Equal(own, key, budget_)) return &value;
  return nullptr;
}

Value* Heap::Find(Dict& dict, std::string_view key) {
  budget_.SpendBytes(key.size());
  for (std::size_t i = 0; i < dict.entries.size(); ++i) {
    if (i % kEntriesPerStep == 0) budget_.SpendBytes(key.size());
    auto& [own, value] = dict.entries[i];
    if (IsText(own) && TextOf(own).bytes() == key) return &value;
  }
  return nullptr;
}

void Heap::Set(Dict& dict, const Value& key, Value value) {
  if (std::holds_alternative<List*>(key) && !std::get<List*>(key)->tuple)
    Throw("a list cannot be the key of a dict");
  if (std::holds_alternative<Dict*>(key)) Throw("a dict cannot be the key of a dict");
  if (Value* const there = Find(dict, key)) {
    *there = std::move(value);
    return;
  }
  budget_.Take(2 * sizeof(Value));
  dict.entries.emplace_back(key, std::move(value));
}

void Heap::SetVariable(Scope& scope, std::string_view name, Value value) {
  budget_.Spend(1 + static_cast<std::int64_t>(scope.variables.size() / kEntriesPerStep));
  for (auto& [own, held] : scope.variables) {
    if (own != name) continue;
    held = std::move(value);
    return;
  }
  budget_.Take(sizeof(std::pair<std::string_view, Value>));
  scope.variables.emplace_back(name, std::move(value));
}

std::string_view KindName(const Value& value) {
  constexpr std::string_view kNames[] = {"an undefined value",
                                         "None",
                                         "a boolean",
                                         "an integer",
                                         "a float",
                                         "a string",
                                         "a list",
                                         "a dict",
                                         "a namespace",
                                         "a loop",
                                         "a macro",
                                         "a function",
                                         "a method"};
  static_assert(std::size(kNames) == std::variant_size_v<Value>);
  return kNames[value.index()];
}

bool IsTrue(const Value& value) {
  if (IsUndefined(value) || IsNone(value)) return false;
  if (IsInteger(value)) return IntegerOf(value) != 0;
  if (const auto* number = std::get_if<double>(&value)) return *number != 0;
  if (IsText(value)) return !TextOf(value).empty();
  if (const auto* list = std::get_if<List*>(&value)) return !(*list)->items.empty();
  if (const auto* dict = std::get_if<Dict*>(&value)) return !(*dict)->entries.empty();
  return true;
}

bool Equal(const Value& left, const Value& right, Budget& budget) {
  return EqualAt(left, right, budget, 0);
}

int Order(const Value& left, const Value& right, Budget& budget) {
  return OrderAt(left, right, budget, 0);
}

std::string FloatText(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  char buffer[64];
  const double size = std::fabs(number);
  const bool plain = number == 0 || (size >= 1e-4 && size < 1e16);
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(buffer, end.ptr);
  if (plain && text.find('.') == std::string::npos) text += ".0";
  return text;
}

Text ToText(const Value& value, Heap& heap) {
  if (IsText(value)) return TextOf(value);
  Text text;
  if (!IsUndefined(value)) AppendRepr(text, value, heap);
  return text;
}

void AppendRepr(Text& out, const Value& value, Heap& heap, int depth) {
  if (depth > kMaxDataDepth) Throw("writes data that is nested too deeply");
  heap.budget().Spend(1);
  if (out.size() > heap.budget().max_text()) Throw("makes a text that is too long");
  if (IsText(value)) {
    heap.budget().SpendBytes(TextOf(value).size());
    AppendTextRepr(out, TextOf(value));
  } else if (const auto* list = std::get_if<List*>(&value)) {
    AppendListRepr(out, **list, heap, depth);
  } else if (const auto* dict = std::get_if<Dict*>(&value)) {
    AppendDictRepr(out, **dict, heap, depth);
  } else if (IsNone(value)) {
    out.Append("None", Origin::kMessage);
  } else if (const auto* truth = std::get_if<bool>(&value)) {
    out.Append(*truth ? "True" : "False", Origin::kMessage);
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    out.Append(std::to_string(*integer), Origin::kMessage);
  } else if (const auto* number = std::get_if<double>(&value)) {
    out.Append(FloatText(*number), Origin::kMessage);
  } else if (IsUndefined(value)) {
    out.Append("Undefined", Origin::kMessage);
  } else {
    Throw(std::string(KindName(value)) + " cannot be written as text");
  }
}

std::vector<Value> Elements(const Value& value, Heap& heap) {
  if (IsUndefined(value)) return {};
  const std::size_t count = Count(value);
  heap.budget().Spend(1 + static_cast<std::int64_t>(count / kEntriesPerStep));
  heap.budget().Check(count * sizeof(Value));
  if (const auto* list = std::get_if<List*>(&value)) return (*list)->items;
  if (IsText(value)) return Characters(TextOf(value), heap);
  const auto* dict = std::get_if<Dict*>(&value);
  if (dict == nullptr) Throw(std::string(KindName(value)) + " has no elements to go through");
  std::vector<Value> keys;
  keys.reserve((*dict)->entries.size());
  for (const auto& [key, unused] : (*dict)->entries) keys.push_back(key);
  return keys;
}

}  // namespace paluku::jinja
