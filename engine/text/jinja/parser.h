// The parser: tokens to statements. What chat templates have no use for (include, import, extends,
// block, recursive loops, *args) is refused by name.
//
// A pure function. Throws TemplateError.
#pragma once

#include <string_view>
#include <vector>

#include "engine/text/jinja/ast.h"

namespace paluku::jinja {

// `source` must be valid UTF-8.
std::vector<Statement> Parse(std::string_view source);

}  // namespace paluku::jinja
