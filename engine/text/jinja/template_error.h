// TemplateError: the one exception of this room. A template fails at any depth of an expression;
// it is thrown here, caught by Template::Parse and Template::Render, and leaves them as an Error.
#pragma once

#include <string>
#include <utility>

namespace paluku::jinja {

struct TemplateError {
  std::string reason;
  int line = 0;  // of the template; 0: filled in by the nearest expression that knows its line
};

[[noreturn]] inline void Throw(std::string reason, int line = 0) {
  throw TemplateError{std::move(reason), line};
}

}  // namespace paluku::jinja
