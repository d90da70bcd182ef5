#include "tests/support/cuda_emulator/ptx_lexer.h"

#include <cctype>

namespace paluku::emulator {
namespace {

bool StartsWord(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '%' ||
         c == '.';
}

bool InWord(char c) { return StartsWord(c) || std::isdigit(static_cast<unsigned char>(c)); }

}  // namespace

void PtxLexer::SkipBlanks() {
  while (at_ < text_.size()) {
    if (text_[at_] == '\n') {
      ++line_;
      ++at_;
    } else if (std::isspace(static_cast<unsigned char>(text_[at_]))) {
      ++at_;
    } else if (text_.compare(at_, 2, "//") == 0) {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    } else if (text_.compare(at_, 2, "/*") == 0) {
      const std::size_t end = text_.find("*/", at_ + 2);
      const std::size_t stop = end == std::string_view::npos ? text_.size() : end + 2;
      for (; at_ < stop; ++at_) line_ += text_[at_] == '\n';
    } else {
      return;
    }
  }
}

void PtxLexer::Advance() {
  SkipBlanks();
  token_ = Token{Token::Kind::kEnd, {}, line_};
  if (at_ >= text_.size()) return;
  const std::size_t from = at_;
  const char c = text_[at_];
  if (StartsWord(c)) {
    token_.kind = Token::Kind::kWord;
    while (at_ < text_.size()) {
      if (InWord(text_[at_])) {
        ++at_;
      } else if (text_.compare(at_, 2, "::") == 0) {
        at_ += 2;
      } else {
        break;
      }
    }
  } else if (std::isdigit(static_cast<unsigned char>(c))) {
    token_.kind = Token::Kind::kNumber;
    while (at_ < text_.size() && std::isalnum(static_cast<unsigned char>(text_[at_]))) ++at_;
  } else if (c == '"') {
    const std::size_t end = text_.find('"', at_ + 1);
    if (end == std::string_view::npos) Fail("string without end");
    token_.kind = Token::Kind::kString;
    token_.text = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return;
  } else {
    token_.kind = Token::Kind::kPunctuation;
    ++at_;
  }
  token_.text = text_.substr(from, at_ - from);
}

void PtxLexer::SkipLine() {
  // The current token may lie on the next line already; then there is nothing to skip.
  const int line = token_.line;
  while (token_.kind != Token::Kind::kEnd && token_.line == line) Advance();
}

void PtxLexer::Fail(const std::string& message) const {
  throw PtxError("PTX line " + std::to_string(token_.line) + ": " + message + " at '" +
                 std::string(token_.text) + "'");
}

}  // namespace paluku::emulator
