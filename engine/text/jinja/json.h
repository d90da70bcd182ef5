// JSON as Python's json module writes and reads it, keeping who wrote each byte: the strings of a
// value stay what they are, the signs around them count as text of a message. Throws TemplateError.
#pragma once

#include <string>

#include "engine/text/jinja/value.h"

namespace paluku::jinja {

// The arguments of json.dumps.
struct JsonStyle {
  bool ascii = false;   // ensure_ascii
  bool sorted = false;  // sort_keys
  bool lines = false;   // indent is not None
  std::string indent;   // of one level
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};

Value WriteJson(const Value& value, const JsonStyle& style, Heap& heap);
Value ReadJson(const Text& text, Heap& heap);

}  // namespace paluku::jinja
