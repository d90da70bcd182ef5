// Takes the source of a Jinja template apart into its string literals and the text outside of tags,
// without running anything. A pure function; a broken template gives what could be read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace paluku {

struct JinjaLiterals {
  std::vector<std::string> strings;  // of {{ }} and {% %}, in order, escapes resolved
  std::string text;                  // outside of tags, white space at both ends of a run removed
};

JinjaLiterals ReadJinjaLiterals(std::string_view source);

}  // namespace paluku
