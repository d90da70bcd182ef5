// Splitting of text as Python's str does it. Pure functions; each piece keeps its
// origins. Throw TemplateError for more than kMaxPieces.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/text/jinja/text.h"

namespace paluku::jinja {

// str.splitlines: every line break of Unicode ends a line.
std::vector<Text> SplitLines(const Text& text, bool keep_ends);
// str.split and str.rsplit (`from_end`) at `separator`, which is not empty; at most `most` cuts,
// any number when negative.
std::vector<Text> SplitAt(const Text& text, std::string_view separator, std::int64_t most,
                          bool from_end);
// The same without a separator: at runs of white space, which are nowhere left.
std::vector<Text> SplitWords(const Text& text, std::int64_t most, bool from_end);

}  // namespace paluku::jinja
