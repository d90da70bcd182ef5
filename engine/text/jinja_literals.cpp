#include "engine/text/jinja_literals.h"

namespace paluku {
namespace {

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1);
}

// Reads the literal whose quote stands at source[at]; moves `at` behind its end.
std::string ReadString(std::string_view source, std::size_t& at) {
  const char quote = source[at++];
  std::string text;
  while (at < source.size() && source[at] != quote) {
    if (source[at] == '\\' && at + 1 < source.size()) {
      ++at;
      text += source[at] == 'n' ? '\n' : source[at] == 't' ? '\t' : source[at];
    } else {
      text += source[at];
    }
    ++at;
  }
  if (at < source.size()) ++at;
  return text;
}

}  // namespace

JinjaLiterals ReadJinjaLiterals(std::string_view source) {
  JinjaLiterals parts;
  std::size_t at = 0;
  while (at < source.size()) {
    const std::size_t open = source.find('{', at);
    const char kind =
        open + 1 < source.size() && open != std::string_view::npos ? source[open + 1] : 0;
    if (kind != '{' && kind != '%' && kind != '#') {
      // Text up to the next tag; a lone brace belongs to it.
      const std::size_t end = open == std::string_view::npos ? source.size() : open + 1;
      parts.text += Trim(source.substr(at, end - at));
      at = end;
      continue;
    }
    parts.text += Trim(source.substr(at, open - at));
    const std::string_view close = kind == '{' ? "}}" : kind == '%' ? "%}" : "#}";
    at = open + 2;
    while (at < source.size() && source.substr(at, 2) != close) {
      if (kind != '#' && (source[at] == '\'' || source[at] == '"')) {
        parts.strings.push_back(ReadString(source, at));
      } else {
        ++at;
      }
    }
    at += 2;
  }
  return parts;
}

}  // namespace paluku
