// JSON as values of a template, for tests of engine/text/jinja.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "engine/text/jinja/value.h"

namespace paluku::jinja {

using Json = nlohmann::ordered_json;

inline Value ValueOf(const Json& json, Heap& heap, Origin origin) {
  if (json.is_null()) return None{};
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_float()) return json.get<double>();
  if (json.is_number()) return json.get<std::int64_t>();
  if (json.is_string()) return heap.NewText(json.get_ref<const std::string&>(), origin);
  if (json.is_array()) {
    List* const list = heap.NewList();
    for (const Json& item : json) heap.Append(*list, ValueOf(item, heap, origin));
    return list;
  }
  Dict* const dict = heap.NewDict();
  for (const auto& [key, value] : json.items())
    heap.Set(*dict, heap.NewText(key, origin), ValueOf(value, heap, origin));
  return dict;
}

inline Dict& DictOf(const Json& json, Heap& heap, Origin origin) {
  return *std::get<Dict*>(ValueOf(json, heap, origin));
}

}  // namespace paluku::jinja
