#include "engine/text/jinja/operators.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>

#include "engine/text/jinja/calls.h"
#include "engine/text/jinja/template_error.h"

namespace paluku::jinja {
namespace {

[[noreturn]] void FailOverflow() { Throw("a number becomes too large"); }

[[noreturn]] void FailOperands(const Value& left, const Value& right) {
  for (const Value* const value : {&left, &right}) {
    const auto* const missing = std::get_if<Undefined>(value);
    if (missing != nullptr && !missing->name.empty())
      Throw("\"" + std::string(missing->name) + "\" is undefined");
  }
  Throw("cannot calculate with " + std::string(KindName(left)) + " and " +
        std::string(KindName(right)));
}

std::int64_t FloorDivide(std::int64_t a, std::int64_t b) {
  const std::int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

std::int64_t IntegerPower(std::int64_t base, std::int64_t exponent) {
  std::int64_t result = 1;
  while (true) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) FailOverflow();
    exponent >>= 1;
    if (exponent == 0) return result;
    if (__builtin_mul_overflow(base, base, &base)) FailOverflow();
  }
}

Value IntegerArithmetic(Operator op, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  switch (op) {
    case Operator::kAdd:
      if (__builtin_add_overflow(a, b, &result)) FailOverflow();
      return result;
    case Operator::kSubtract:
      if (__builtin_sub_overflow(a, b, &result)) FailOverflow();
      return result;
    case Operator::kMultiply:
      if (__builtin_mul_overflow(a, b, &result)) FailOverflow();
      return result;
    case Operator::kPower:
      if (b < 0) return std::pow(static_cast<double>(a), static_cast<double>(b));
      return IntegerPower(a, b);
    default:
      break;
  }
  if (b == 0) Throw("divides by zero");
  if (op == Operator::kDivide) return static_cast<double>(a) / static_cast<double>(b);
  if (b == -1) {
    if (op == Operator::kModulo) return std::int64_t{0};
    if (a == std::numeric_limits<std::int64_t>::min()) FailOverflow();
    return -a;
  }
  if (op == Operator::kFloorDivide) return FloorDivide(a, b);
  return a - FloorDivide(a, b) * b;
}

Value FloatArithmetic(Operator op, double a, double b) {
  switch (op) {
    case Operator::kAdd:
      return a + b;
    case Operator::kSubtract:
      return a - b;
    case Operator::kMultiply:
      return a * b;
    case Operator::kPower:
      return std::pow(a, b);
    default:
      break;
  }
  if (b == 0) Throw("divides by zero");
  if (op == Operator::kDivide) return a / b;
  double remainder = std::fmod(a, b);
  if (remainder != 0 && (remainder < 0) != (b < 0)) remainder += b;
  if (op == Operator::kModulo) return remainder;
  return std::floor((a - remainder) / b + 0.5);
}

// A text or a list, `count` times.
Value Repeat(const Value& value, std::int64_t count, Heap& heap) {
  const std::size_t times = static_cast<std::size_t>(std::max<std::int64_t>(0, count));
  if (IsText(value)) {
    const Text& text = TextOf(value);
    if (!text.empty() && times > heap.budget().max_text() / text.size())
      Throw("makes a text that is too long");
    Text repeated;
    for (std::size_t i = 0; i < times && !text.empty(); ++i) {
      heap.budget().SpendBytes(text.size());
      repeated.Append(text);
    }
    return heap.NewText(std::move(repeated));
  }
  const List& list = *std::get<List*>(value);
  List* const repeated = heap.NewList({}, list.tuple);
  const std::size_t size = list.items.size();
  for (std::size_t i = 0; i < times && size > 0; ++i) {
    heap.budget().Spend(1);
    for (std::size_t k = 0; k < size; ++k) heap.Append(*repeated, list.items[k]);
  }
  return repeated;
}

bool IsSequence(const Value& value) {
  return IsText(value) || std::holds_alternative<List*>(value);
}

Value Join(const Value& left, const Value& right, Heap& heap) {
  if (IsText(left) && IsText(right)) {
    if (TextOf(left).size() + TextOf(right).size() > heap.budget().max_text())
      Throw("makes a text that is too long");
    Text joined = TextOf(left);
    joined.Append(TextOf(right));
    return heap.NewText(std::move(joined));
  }
  const auto* a = std::get_if<List*>(&left);
  const auto* b = std::get_if<List*>(&right);
  if (a == nullptr || b == nullptr || (*a)->tuple != (*b)->tuple) FailOperands(left, right);
  const std::size_t size = (*a)->items.size() + (*b)->items.size();
  heap.budget().Check(size * sizeof(Value));
  std::vector<Value> items;
  items.reserve(size);
  items.insert(items.end(), (*a)->items.begin(), (*a)->items.end());
  items.insert(items.end(), (*b)->items.begin(), (*b)->items.end());
  return heap.NewList(std::move(items), (*a)->tuple);
}

bool Contains(const Value& container, const Value& element, Heap& heap) {
  if (IsUndefined(container)) return false;
  if (IsText(container)) {
    if (!IsText(element)) Throw("looks for " + std::string(KindName(element)) + " in a string");
    heap.budget().SpendBytes(TextOf(container).size());
    return FindText(TextOf(container).bytes(), TextOf(element).bytes(), 0) !=
           std::string_view::npos;
  }
  if (const auto* dict = std::get_if<Dict*>(&container))
    return heap.Find(**dict, element) != nullptr;
  const auto* list = std::get_if<List*>(&container);
  if (list == nullptr) Throw("looks for something in " + std::string(KindName(container)));
  const auto& items = (*list)->items;
  return std::any_of(items.begin(), items.end(),
                     [&](const Value& item) { return Equal(item, element, heap.budget()); });
}

Value LoopAttribute(Loop& loop, std::string_view name) {
  const auto size = static_cast<std::int64_t>(loop.items->size());
  const auto index = static_cast<std::int64_t>(loop.index);
  if (name == "index") return index + 1;
  if (name == "index0") return index;
  if (name == "revindex") return size - index;
  if (name == "revindex0") return size - index - 1;
  if (name == "first") return index == 0;
  if (name == "last") return index + 1 >= size;
  if (name == "length") return size;
  // Only recursive loops are deeper.
  if (name == "depth") return std::int64_t{1};
  if (name == "depth0") return std::int64_t{0};
  if (name == "previtem" && index > 0) return (*loop.items)[loop.index - 1];
  if (name == "nextitem" && index + 1 < size) return (*loop.items)[loop.index + 1];
  return Undefined{};
}

// The bounds of a slice as Python counts them, for `size` elements.
struct Bounds {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t step = 1;
};

std::optional<std::int64_t> BoundOf(const Value& value) {
  if (IsNone(value) || IsUndefined(value)) return std::nullopt;
  if (!IsInteger(value)) Throw("the bound of a slice is " + std::string(KindName(value)));
  return IntegerOf(value);
}

Bounds BoundsOf(const Value& begin, const Value& end, const Value& step, std::int64_t size) {
  Bounds bounds;
  bounds.step = BoundOf(step).value_or(1);
  if (bounds.step == 0) Throw("a slice has steps of zero");
  const bool forward = bounds.step > 0;
  const auto clamp = [&](std::int64_t place) {
    if (place < 0) place = place < -size ? -1 : place + size;
    return std::clamp<std::int64_t>(place, forward ? 0 : -1, forward ? size : size - 1);
  };
  const auto first = BoundOf(begin);
  const auto last = BoundOf(end);
  bounds.begin = first ? clamp(*first) : forward ? 0 : size - 1;
  bounds.end = last ? clamp(*last) : forward ? size : -1;
  return bounds;
}

// The places that `bounds` pick, in order.
template <class Visit>
void ForEach(const Bounds& bounds, const Visit& visit) {
  std::int64_t i = bounds.begin;
  while (bounds.step > 0 ? i < bounds.end : i > bounds.end) {
    visit(static_cast<std::size_t>(i));
    if (__builtin_add_overflow(i, bounds.step, &i)) return;
  }
}

Value SliceText(const Text& text, const Bounds& bounds, Heap& heap) {
  heap.budget().SpendBytes(2 * text.size());
  if (bounds.step == 1) {
    const std::size_t begin = ByteOfCharacter(text.bytes(), static_cast<std::size_t>(bounds.begin));
    const std::size_t end = ByteOfCharacter(text.bytes(), static_cast<std::size_t>(bounds.end));
    return heap.NewText(text.Substring(begin, std::max(begin, end)));
  }
  std::vector<std::size_t> starts;  // of characters
  for (std::size_t at = 0; at < text.size(); ++at)
    if ((static_cast<unsigned char>(text.bytes()[at]) & 0xC0) != 0x80) starts.push_back(at);
  starts.push_back(text.size());
  Text picked;
  ForEach(bounds, [&](std::size_t i) {
    picked.Append(text, starts[i], starts[i + 1]);
    heap.budget().Spend(1);
  });
  return heap.NewText(std::move(picked));
}

// One value of a format, for the letter behind "%" and "%.2".
void AppendFormatted(Text& out, char letter, std::string_view options, const Value& value,
                     Heap& heap) {
  if (letter == 's' && options.empty()) return out.Append(ToText(value, heap));
  if ((letter == 'd' || letter == 'i') && options.empty() && IsNumber(value)) {
    if (IsInteger(value)) return out.Append(std::to_string(IntegerOf(value)), Origin::kMessage);
  }
  const bool places =
      options.empty() || (options.size() == 2 && options[0] == '.' && IsAsciiDigit(options[1]));
  if (letter != 'f' || !places || !IsNumber(value))
    Throw("the format %" + std::string(options) + letter + " is not supported");
  char buffer[400];
  const int precision = options.empty() ? 6 : options[1] - '0';
  std::snprintf(buffer, sizeof buffer, "%.*f", precision, NumberOf(value));
  out.Append(buffer, Origin::kMessage);
}

}  // namespace

Value Arithmetic(Operator op, const Value& left, const Value& right, Heap& heap) {
  heap.budget().Spend(1);
  if (IsInteger(left) && IsInteger(right))
    return IntegerArithmetic(op, IntegerOf(left), IntegerOf(right));
  if (IsNumber(left) && IsNumber(right))
    return FloatArithmetic(op, NumberOf(left), NumberOf(right));
  if (op == Operator::kAdd) return Join(left, right, heap);
  if (op == Operator::kMultiply && IsSequence(left) && IsInteger(right))
    return Repeat(left, IntegerOf(right), heap);
  if (op == Operator::kMultiply && IsInteger(left) && IsSequence(right))
    return Repeat(right, IntegerOf(left), heap);
  if (op == Operator::kModulo && IsText(left)) {
    const auto* list = std::get_if<List*>(&right);
    if (list != nullptr && (*list)->tuple) return Format(TextOf(left), (*list)->items, heap);
    return Format(TextOf(left), {right}, heap);
  }
  FailOperands(left, right);
}

Value Negate(const Value& value) {
  if (IsInteger(value)) return IntegerArithmetic(Operator::kSubtract, 0, IntegerOf(value));
  if (!IsNumber(value)) Throw("the negative of " + std::string(KindName(value)));
  return -NumberOf(value);
}

bool Compare(Operator op, const Value& left, const Value& right, Heap& heap) {
  switch (op) {
    case Operator::kEqual:
      return Equal(left, right, heap.budget());
    case Operator::kNotEqual:
      return !Equal(left, right, heap.budget());
    case Operator::kIn:
      return Contains(right, left, heap);
    case Operator::kNotIn:
      return !Contains(right, left, heap);
    default:
      break;
  }
  // A number that is none compares as false with everything.
  if (IsNumber(left) && IsNumber(right) && std::isnan(NumberOf(left) + NumberOf(right)))
    return false;
  const int order = Order(left, right, heap.budget());
  return op == Operator::kLess          ? order < 0
         : op == Operator::kLessOrEqual ? order <= 0
         : op == Operator::kGreater     ? order > 0
                                        : order >= 0;
}

std::size_t Length(const Value& value) {
  if (IsUndefined(value)) return 0;
  if (IsText(value)) return CountCharacters(TextOf(value).bytes());
  if (const auto* list = std::get_if<List*>(&value)) return (*list)->items.size();
  if (const auto* dict = std::get_if<Dict*>(&value)) return (*dict)->entries.size();
  Throw(std::string(KindName(value)) + " has no length");
}

Value GetItem(const Value& value, const Value& key, Heap& heap) {
  heap.budget().Spend(1);
  if (const auto* missing = std::get_if<Undefined>(&value))
    Throw("\"" + std::string(missing->name) + "\" is undefined and holds nothing");
  if (const auto* dict = std::get_if<Dict*>(&value)) {
    if (const Value* const found = heap.Find(**dict, key)) return *found;
  } else if (IsInteger(key) && IsSequence(value)) {
    if (IsText(value)) heap.budget().SpendBytes(TextOf(value).size());
    const auto size = static_cast<std::int64_t>(Length(value));
    std::int64_t index = IntegerOf(key);
    if (index < 0) index += size;
    if (index < 0 || index >= size) return Undefined{};
    if (!IsText(value)) return std::get<List*>(value)->items[static_cast<std::size_t>(index)];
    return Slice(value, index, index + 1, None{}, heap);
  }
  return IsText(key) ? GetAttribute(value, TextOf(key).bytes(), heap) : Value();
}

Value GetAttribute(const Value& value, std::string_view name, Heap& heap) {
  heap.budget().Spend(1);
  if (const auto* missing = std::get_if<Undefined>(&value))
    Throw("\"" + std::string(missing->name) + "\" is undefined and holds nothing");
  if (const auto* loop = std::get_if<Loop*>(&value)) return LoopAttribute(**loop, name);
  if (HasMethod(value, name)) return Method{};
  Dict* dict = nullptr;
  if (const auto* space = std::get_if<Namespace*>(&value)) dict = &(*space)->members;
  if (const auto* plain = std::get_if<Dict*>(&value)) dict = *plain;
  const Value* const found = dict != nullptr ? heap.Find(*dict, name) : nullptr;
  return found != nullptr ? *found : Value();
}

Value Slice(const Value& value, const Value& begin, const Value& end, const Value& step,
            Heap& heap) {
  if (!IsSequence(value)) {
    if (IsUndefined(value)) GetItem(value, None{}, heap);  // throws in its words
    return Undefined{};
  }
  if (IsText(value)) heap.budget().SpendBytes(TextOf(value).size());
  const Bounds bounds = BoundsOf(begin, end, step, static_cast<std::int64_t>(Length(value)));
  if (IsText(value)) return SliceText(TextOf(value), bounds, heap);
  const List& list = *std::get<List*>(value);
  List* const part = heap.NewList({}, list.tuple);
  ForEach(bounds, [&](std::size_t i) {
    heap.budget().Spend(1);
    heap.Append(*part, list.items[i]);
  });
  return part;
}

Value Format(const Text& pattern, const std::vector<Value>& values, Heap& heap) {
  const std::string_view bytes = pattern.bytes();
  Text out;
  std::size_t used = 0;
  std::size_t done = 0;
  for (std::size_t at = 0; (at = bytes.find('%', done)) != std::string_view::npos;) {
    out.Append(pattern, done, at);
    std::size_t letter = at + 1;
    while (letter < bytes.size() && !IsAsciiLetter(bytes[letter]) && bytes[letter] != '%') ++letter;
    if (letter >= bytes.size()) Throw("a format is cut short");
    done = letter + 1;
    if (bytes[letter] == '%') {
      out.Append(pattern, letter, done);
      continue;
    }
    if (used >= values.size()) Throw("there are too few values for a format");
    AppendFormatted(out, bytes[letter], bytes.substr(at + 1, letter - at - 1), values[used++],
                    heap);
    if (out.size() > heap.budget().max_text()) Throw("makes a text that is too long");
  }
  if (used < values.size()) Throw("there are too many values for a format");
  out.Append(pattern, done, pattern.size());
  return heap.NewText(std::move(out));
}

}  // namespace paluku::jinja
