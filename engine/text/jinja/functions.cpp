// The functions that a template may call (calls.h).
#include <array>
#include <ctime>
#include <iterator>
#include <string>

#include "engine/text/jinja/calls.h"
#include "engine/text/jinja/template_error.h"

namespace paluku::jinja {
namespace {

struct FunctionEntry {
  std::string_view name;
  std::string_view parameters;
  Function function;
};
constexpr FunctionEntry kFunctions[] = {
    {"dict", "*", Function::kDict},
    {"namespace", "*", Function::kNamespace},
    {"raise_exception", "message", Function::kRaiseException},
    {"range", "start stop step", Function::kRange},
    {"strftime_now", "format", Function::kStrftimeNow},
};

Value Range(const Call& call) {
  if (call.positional.empty()) Throw("range needs a bound");
  for (const Value& bound : call.positional)
    if (!IsInteger(bound)) Throw("a bound of range is " + std::string(KindName(bound)));
  const bool only_stop = call.positional.size() == 1;
  const std::int64_t start = only_stop ? 0 : IntegerOf(call.positional[0]);
  const std::int64_t stop = IntegerOf(call.positional[only_stop ? 0 : 1]);
  const std::int64_t step = call.GetInteger(2, "step", 1);
  if (step == 0) Throw("range has steps of zero");
  List* const list = call.heap.NewList();
  std::int64_t value = start;
  while (step > 0 ? value < stop : value > stop) {
    if (list->items.size() >= static_cast<std::size_t>(kMaxRange)) Throw("range is too long");
    call.heap.Append(*list, value);
    if (__builtin_add_overflow(value, step, &value)) break;
  }
  return list;
}

// What raise_exception says, without what a message says: errors are logged, conversations never.
std::string Reason(const Call& call) {
  constexpr std::size_t kLongest = 200;
  const Text text = ToText(call.Get(0, "message"), call.heap);
  std::string reason;
  std::size_t begin = 0;
  for (const Text::Run& run : text.runs()) {
    reason += run.origin == Origin::kTemplate ? text.bytes().substr(begin, run.end - begin) : "…";
    begin = run.end;
  }
  return reason.substr(0, ByteOfCharacter(reason, kLongest));
}

// Named arguments, over those of a dict or a list of pairs.
void Fill(Dict& dict, const Call& call) {
  if (call.positional.size() > 1) Throw("there are too many arguments");
  for (const Value& source : call.positional) {
    if (const auto* other = std::get_if<Dict*>(&source)) {
      for (const auto& [key, value] : (*other)->entries) call.heap.Set(dict, key, value);
      continue;
    }
    for (const Value& element : Elements(source, call.heap)) {
      const std::vector<Value> pair = Elements(element, call.heap);
      if (pair.size() != 2) Throw("a dict is made of pairs");
      call.heap.Set(dict, pair[0], pair[1]);
    }
  }
  for (const auto& [name, value] : call.named)
    call.heap.Set(dict, call.heap.NewText(name, Origin::kTemplate), value);
}

void AppendPadded(std::string& out, int number, std::size_t width, char padding) {
  const std::string digits = std::to_string(number);
  if (padding != 0 && digits.size() < width) out.append(width - digits.size(), padding);
  out += digits;
}

// One directive of strftime in the C locale; `padding` is '0', ' ' or none (0).
void AppendDirective(std::string& out, char directive, char padding, const std::tm& time) {
  constexpr std::array<std::string_view, 12> kMonths = {
      "January", "February", "March",     "April",   "May",      "June",
      "July",    "August",   "September", "October", "November", "December"};
  constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                     "Thursday", "Friday", "Saturday"};
  const auto month = static_cast<std::size_t>(time.tm_mon);
  const auto day = static_cast<std::size_t>(time.tm_wday);
  const int hour = time.tm_hour % 12 == 0 ? 12 : time.tm_hour % 12;
  switch (directive) {
    case 'A':
      out += kDays.at(day);
      return;
    case 'a':
      out += kDays.at(day).substr(0, 3);
      return;
    case 'B':
      out += kMonths.at(month);
      return;
    case 'b':
      out += kMonths.at(month).substr(0, 3);
      return;
    case 'd':
      return AppendPadded(out, time.tm_mday, 2, padding);
    case 'e':
      return AppendPadded(out, time.tm_mday, 2, padding == '0' ? ' ' : padding);
    case 'H':
      return AppendPadded(out, time.tm_hour, 2, padding);
    case 'I':
      return AppendPadded(out, hour, 2, padding);
    case 'j':
      return AppendPadded(out, time.tm_yday + 1, 3, padding);
    case 'M':
      return AppendPadded(out, time.tm_min, 2, padding);
    case 'm':
      return AppendPadded(out, time.tm_mon + 1, 2, padding);
    case 'p':
      out += time.tm_hour < 12 ? "AM" : "PM";
      return;
    case 'S':
      return AppendPadded(out, time.tm_sec, 2, padding);
    case 'Y':
      return AppendPadded(out, time.tm_year + 1900, 4, padding);
    case 'y':
      return AppendPadded(out, time.tm_year % 100, 2, padding);
    case '%':
      out += '%';
      return;
    default:
      Throw(std::string("strftime_now with %") + directive + " is not supported");
  }
}

Value StrftimeNow(const Call& call) {
  constexpr std::size_t kMaxFormat = 256;
  const std::string format = call.GetText(0, "format", "").bytes();
  if (format.size() > kMaxFormat) Throw("strftime_now has a format that is too long");
  std::tm time{};
  localtime_r(&call.now, &time);
  std::string out;
  for (std::size_t at = 0; at < format.size(); ++at) {
    if (format[at] != '%' || at + 1 == format.size()) {
      out += format[at];
      continue;
    }
    const bool bare = format[++at] == '-' && at + 1 < format.size();
    if (bare) ++at;
    AppendDirective(out, format[at], bare ? '\0' : '0', time);
  }
  return call.heap.NewText(out, Origin::kTemplate);
}

}  // namespace

bool FindFunction(std::string_view name, Function& function) {
  for (const FunctionEntry& entry : kFunctions) {
    if (entry.name != name) continue;
    function = entry.function;
    return true;
  }
  return false;
}

Value CallFunction(Function function, const Call& call) {
  for (const FunctionEntry& entry : kFunctions)
    if (entry.function == function) call.Check(entry.parameters);
  call.heap.budget().Spend(1);
  switch (function) {
    case Function::kRange:
      return Range(call);
    case Function::kNamespace: {
      Namespace* const space = call.heap.NewNamespace();
      Fill(space->members, call);
      return space;
    }
    case Function::kDict: {
      Dict* const dict = call.heap.NewDict();
      Fill(*dict, call);
      return dict;
    }
    case Function::kRaiseException:
      Throw("the template refuses this conversation: " + Reason(call));
    case Function::kStrftimeNow:
      return StrftimeNow(call);
  }
  return Undefined{};
}

}  // namespace paluku::jinja
