// What Python's operators do to values: arithmetic, membership, subscripts and slices. Pure
// functions of their arguments and the heap; they throw TemplateError where Python raises.
#pragma once

#include <string_view>

#include "engine/text/jinja/ast.h"
#include "engine/text/jinja/value.h"

namespace paluku::jinja {

Value Arithmetic(Operator op, const Value& left, const Value& right, Heap& heap);
Value Negate(const Value& value);
bool Compare(Operator op, const Value& left, const Value& right, Heap& heap);
// value[key]; undefined where there is nothing.
Value GetItem(const Value& value, const Value& key, Heap& heap);
// value.name: a method first, then the element of that name, as Jinja2 looks for it.
Value GetAttribute(const Value& value, std::string_view name, Heap& heap);
// Bounds are integers or None (or undefined) where left out.
Value Slice(const Value& value, const Value& begin, const Value& end, const Value& step,
            Heap& heap);
// "text % value" of Python, with %s, %d, %i, %f and %%.
Value Format(const Text& pattern, const std::vector<Value>& values, Heap& heap);
// The number of characters, elements or entries.
std::size_t Length(const Value& value);

}  // namespace paluku::jinja
