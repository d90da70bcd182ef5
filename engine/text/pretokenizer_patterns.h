// The regular expressions of the known pre-tokenizers, in PCRE2's syntax. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace paluku {

struct SplitPattern {
  std::string regex;
  bool needs_non_ascii = false;  // no match lies in pure ASCII text
};

// The steps of `name` in order; empty for an unknown name.
std::vector<SplitPattern> PreTokenizerPatterns(std::string_view name);

}  // namespace paluku
