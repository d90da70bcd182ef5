// The lexer: template source to tokens, with white space control as Jinja2's with trim_blocks and
// lstrip_blocks and without keep_trailing_newline, which is how chat templates are meant.
//
// A pure function. Throws TemplateError.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace paluku::jinja {

enum class TokenKind : std::uint8_t {
  kText,  // outside of tags
  kOutputBegin,
  kOutputEnd,
  kBlockBegin,
  kBlockEnd,
  kName,
  kString,  // text: escapes resolved
  kInteger,
  kFloat,
  kOperator,
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  int line = 1;
  std::string text;

  bool Is(TokenKind wanted, std::string_view with) const { return kind == wanted && text == with; }
};

// `source` must be valid UTF-8. The last token is kEnd.
std::vector<Token> Tokenize(std::string_view source);

}  // namespace paluku::jinja
