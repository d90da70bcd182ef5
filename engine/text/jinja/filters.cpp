// Filters of single values: text, numbers, JSON. Letters beyond ASCII keep their case (DECISIONS).
#include "engine/text/jinja/filters.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "engine/text/jinja/json.h"
#include "engine/text/jinja/lines.h"
#include "engine/text/jinja/operators.h"
#include "engine/text/jinja/template_error.h"

namespace paluku::jinja {
namespace {

constexpr double kLargestExact = 9.2e18;  // of the floats that fit an int64_t

Value Default(const Call& call) {
  const bool missing =
      IsUndefined(call.input) || (call.GetTruth(1, "boolean", false) && !IsTrue(call.input));
  if (!missing) return call.input;
  const Value preset = call.Get(0, "default_value");
  return IsUndefined(preset) ? call.heap.NewText(Text()) : preset;
}

Value String(const Call& call) {
  return IsText(call.input) ? call.input : call.heap.NewText(InputText(call));
}

Value Upper(const Call& call) { return call.heap.NewText(UpperText(InputText(call))); }
Value Lower(const Call& call) { return call.heap.NewText(LowerText(InputText(call))); }
Value Capitalize(const Call& call) { return call.heap.NewText(CapitalText(InputText(call))); }

// Words begin after white space and opening brackets, not after every other sign.
Value Title(const Call& call) {
  bool begins = true;
  return call.heap.NewText(InputText(call).MapBytes([&begins](char c) {
    const char mapped = begins ? ToAsciiUpper(c) : ToAsciiLower(c);
    begins = std::string_view("-({[< \t\n\r\f\v").find(c) != std::string_view::npos;
    return mapped;
  }));
}

Value Trim(const Call& call) {
  return TrimText(InputText(call), call.Get(0, "chars"), true, true, call.heap);
}

Value Replace(const Call& call) {
  return ReplaceText(InputText(call), ToText(call.Get(0, "old"), call.heap),
                     ToText(call.Get(1, "new"), call.heap), call.GetInteger(2, "count", -1),
                     call.heap);
}

Value Escape(const Call& call) {
  const Text text = InputText(call);
  Text out;
  std::size_t done = 0;
  constexpr std::string_view kSigns = "&<>'\"";
  constexpr std::string_view kEscapes[] = {"&amp;", "&lt;", "&gt;", "&#39;", "&#34;"};
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::size_t sign = kSigns.find(text.bytes()[at]);
    if (sign == std::string_view::npos) continue;
    out.Append(text, done, at);
    out.Append(kEscapes[sign], text.OriginAt(at));
    done = at + 1;
  }
  out.Append(text, done, text.size());
  return call.heap.NewText(std::move(out));
}

Value Indent(const Call& call) {
  const Value width = call.Get(0, "width");
  const std::int64_t columns = IsText(width) ? 0 : call.GetInteger(0, "width", 4);
  if (columns > 1000) Throw("indents by too much");
  const Text margin =
      IsText(width)
          ? TextOf(width)
          : Text(std::string(static_cast<std::size_t>(std::max<std::int64_t>(0, columns)), ' '),
                 Origin::kTemplate);
  const bool first = call.GetTruth(1, "first", false);
  const bool blank = call.GetTruth(2, "blank", false);
  Text text = InputText(call);
  text.Append("\n", Origin::kTemplate);
  Text out;
  bool begins = true;
  for (const Text& line : SplitLines(text, false)) {
    if (!begins) out.Append("\n", Origin::kTemplate);
    if (begins ? first : blank || !line.empty()) out.Append(margin);
    out.Append(line);
    begins = false;
    call.heap.budget().SpendBytes(margin.size() + line.size());
    if (out.size() > call.heap.budget().max_text()) Throw("makes a text that is too long");
  }
  return call.heap.NewText(std::move(out));
}

Value FormatFilter(const Call& call) { return Format(InputText(call), call.positional, call.heap); }

Value Abs(const Call& call) {
  if (!IsNumber(call.input)) Throw("abs of " + std::string(KindName(call.input)));
  if (IsInteger(call.input))
    return IntegerOf(call.input) < 0 ? Negate(call.input) : Value(IntegerOf(call.input));
  return std::fabs(NumberOf(call.input));
}

// The number that all of `text` says, white space around it aside.
template <class Number>
bool ReadNumber(const Text& text, Number& number) {
  std::string_view bytes = text.bytes();
  bytes.remove_prefix(LeadingSpace(bytes));
  bytes.remove_suffix(TrailingSpace(bytes));
  if (bytes.starts_with('+')) bytes.remove_prefix(1);
  const auto read = std::from_chars(bytes.data(), bytes.data() + bytes.size(), number);
  return read.ec == std::errc() && read.ptr == bytes.data() + bytes.size();
}

Value Int(const Call& call) {
  const Value given = call.Get(0, "default");
  const Value preset = IsUndefined(given) ? Value(std::int64_t{0}) : given;
  if (call.GetInteger(1, "base", 10) != 10) Throw("int with another base is not supported");
  if (IsInteger(call.input)) return IntegerOf(call.input);
  double number = 0;
  if (IsText(call.input)) {
    std::int64_t integer = 0;
    if (ReadNumber(TextOf(call.input), integer)) return integer;
    if (!ReadNumber(TextOf(call.input), number)) return preset;
  } else if (IsNumber(call.input)) {
    number = NumberOf(call.input);
  } else {
    return preset;
  }
  return std::fabs(number) < kLargestExact ? Value(static_cast<std::int64_t>(number)) : preset;
}

Value Float(const Call& call) {
  if (IsNumber(call.input)) return NumberOf(call.input);
  double number = 0;
  if (IsText(call.input) && ReadNumber(TextOf(call.input), number)) return number;
  const Value preset = call.Get(0, "default");
  return IsUndefined(preset) ? Value(0.0) : preset;
}

Value Round(const Call& call) {
  if (!IsNumber(call.input)) Throw("rounds " + std::string(KindName(call.input)));
  const std::int64_t precision = call.GetInteger(0, "precision", 0);
  const std::string method = call.GetText(1, "method", "common").bytes();
  if (precision < 0 || precision > 15) Throw("rounds to a place that is not supported");
  if (method == "common" && IsInteger(call.input)) return call.input;
  if (method == "common") {
    char buffer[400];
    std::snprintf(buffer, sizeof buffer, "%.*f", static_cast<int>(precision), NumberOf(call.input));
    return std::strtod(buffer, nullptr);
  }
  const double scale = std::pow(10, static_cast<double>(precision));
  if (method == "ceil") return std::ceil(NumberOf(call.input) * scale) / scale;
  if (method == "floor") return std::floor(NumberOf(call.input) * scale) / scale;
  Throw("the way of rounding \"" + method + "\" is not supported");
}

Value ToJson(const Call& call) {
  JsonStyle style;
  style.ascii = call.GetTruth(0, "ensure_ascii", false);
  style.sorted = call.GetTruth(3, "sort_keys", false);
  const Value indent = call.Get(1, "indent");
  style.lines = !IsUndefined(indent) && !IsNone(indent);
  if (style.lines) {
    style.item_separator = ",";
    const std::int64_t width = IsText(indent) ? 0 : call.GetInteger(1, "indent", 0);
    if (width > 100) Throw("indents by too much");
    style.indent =
        IsText(indent)
            ? TextOf(indent).bytes()
            : std::string(static_cast<std::size_t>(std::max<std::int64_t>(0, width)), ' ');
  }
  const Value separators = call.Get(2, "separators");
  if (const auto* list = std::get_if<List*>(&separators)) {
    const auto& items = (*list)->items;
    if (items.size() != 2 || !IsText(items[0]) || !IsText(items[1]))
      Throw("separators must be two strings");
    style.item_separator = TextOf(items[0]).bytes();
    style.key_separator = TextOf(items[1]).bytes();
  }
  return WriteJson(call.input, style, call.heap);
}

Value FromJson(const Call& call) {
  if (!IsText(call.input)) Throw("from_json of " + std::string(KindName(call.input)));
  return ReadJson(TextOf(call.input), call.heap);
}

// HTML is never made here, so nothing needs to be marked as safe.
Value Safe(const Call& call) { return String(call); }

constexpr FilterEntry kFilters[] = {
    {"abs", "", Abs},
    {"capitalize", "", Capitalize},
    {"d", "default_value boolean", Default},
    {"default", "default_value boolean", Default},
    {"e", "", Escape},
    {"escape", "", Escape},
    {"float", "default", Float},
    {"format", "*", FormatFilter},
    {"from_json", "", FromJson},
    {"indent", "width first blank", Indent},
    {"int", "default base", Int},
    {"lower", "", Lower},
    {"replace", "old new count", Replace},
    {"round", "precision method", Round},
    {"safe", "", Safe},
    {"string", "", String},
    {"title", "", Title},
    {"tojson", "ensure_ascii indent separators sort_keys", ToJson},
    {"trim", "chars", Trim},
    {"upper", "", Upper},
};

}  // namespace

std::span<const FilterEntry> TextFilters() { return kFilters; }

}  // namespace paluku::jinja
