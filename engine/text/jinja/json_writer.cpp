#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/utf8.h"
#include "engine/text/jinja/json.h"
#include "engine/text/jinja/template_error.h"

namespace paluku::jinja {
namespace {

class JsonWriter {
 public:
  JsonWriter(const JsonStyle& style, Heap& heap) : style_(style), heap_(heap) {}

  Text Write(const Value& value) {
    Append(value, 0);
    return std::move(out_);
  }

 private:
  void Append(const Value& value, int depth) {
    if (depth > kMaxDataDepth) Throw("writes data that is nested too deeply");
    heap_.budget().Spend(1);
    if (out_.size() > heap_.budget().max_text()) Throw("makes a text that is too long");
    if (IsText(value)) return AppendString(TextOf(value));
    if (const auto* list = std::get_if<List*>(&value)) return AppendList(**list, depth);
    if (const auto* dict = std::get_if<Dict*>(&value)) return AppendDict(**dict, depth);
    AppendSigns(Scalar(value));
  }

  void AppendSigns(std::string_view signs) { out_.Append(signs, Origin::kMessage); }

  static std::string Scalar(const Value& value) {
    if (IsNone(value)) return "null";
    if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
    if (IsInteger(value)) return std::to_string(IntegerOf(value));
    if (!IsNumber(value)) Throw("cannot write " + std::string(KindName(value)) + " as JSON");
    const double number = NumberOf(value);
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
    return FloatText(number);
  }

  void NewLine(int depth) {
    if (!style_.lines) return;
    AppendSigns("\n");
    for (int i = 0; i < depth; ++i) AppendSigns(style_.indent);
  }

  void AppendList(const List& list, int depth) {
    if (list.items.empty()) return AppendSigns("[]");
    AppendSigns("[");
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      if (i > 0) AppendSigns(style_.item_separator);
      NewLine(depth + 1);
      Append(list.items[i], depth + 1);
    }
    NewLine(depth);
    AppendSigns("]");
  }

  void AppendDict(const Dict& dict, int depth) {
    if (dict.entries.empty()) return AppendSigns("{}");
    std::vector<const std::pair<Value, Value>*> entries;
    entries.reserve(dict.entries.size());
    for (const auto& entry : dict.entries) entries.push_back(&entry);
    if (style_.sorted) {
      std::stable_sort(entries.begin(), entries.end(), [&](const auto* a, const auto* b) {
        return Order(a->first, b->first, heap_.budget()) < 0;
      });
    }
    AppendSigns("{");
    bool first = true;
    for (const auto* entry : entries) {
      if (!first) AppendSigns(style_.item_separator);
      first = false;
      NewLine(depth + 1);
      const Value& key = entry->first;
      AppendString(IsText(key) ? TextOf(key) : Text(Scalar(key), Origin::kMessage));
      AppendSigns(style_.key_separator);
      Append(entry->second, depth + 1);
    }
    NewLine(depth);
    AppendSigns("}");
  }

  void AppendString(const Text& text) {
    heap_.budget().SpendBytes(text.size());
    AppendSigns("\"");
    std::size_t begin = 0;
    for (const Text::Run& run : text.runs()) {
      out_.Append(Escaped(std::string_view(text.bytes()).substr(begin, run.end - begin)),
                  run.origin);
      begin = run.end;
    }
    AppendSigns("\"");
  }

  std::string Escaped(std::string_view text) const {
    constexpr std::string_view kLetters = "\"\\\n\r\t\f\b";
    constexpr std::string_view kEscapes = "\"\\nrtfb";
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
      const std::size_t known = kLetters.find(text[0]);
      const bool ascii = static_cast<unsigned char>(text[0]) < 0x80;
      if (known != std::string_view::npos) {
        out += '\\';
        out += kEscapes[known];
      } else if (static_cast<unsigned char>(text[0]) < 0x20) {
        AppendUnit(out, static_cast<unsigned char>(text[0]));
      } else if (ascii || !style_.ascii) {
        out += text[0];
      } else {
        std::size_t length = 0;
        const char32_t c = DecodeUtf8(text, &length);
        if (c >= 0x10000) {
          AppendUnit(out, 0xD800 + ((c - 0x10000) >> 10));
          AppendUnit(out, 0xDC00 + ((c - 0x10000) & 0x3FF));
        } else {
          AppendUnit(out, c);
        }
        text.remove_prefix(length);
        continue;
      }
      text.remove_prefix(1);
    }
    return out;
  }

  static void AppendUnit(std::string& out, char32_t unit) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[(unit >> shift) & 0xF];
  }

  const JsonStyle& style_;
  Heap& heap_;
  Text out_;
};

}  // namespace

Value WriteJson(const Value& value, const JsonStyle& style, Heap& heap) {
  return heap.NewText(JsonWriter(style, heap).Write(value));
}

}  // namespace paluku::jinja
