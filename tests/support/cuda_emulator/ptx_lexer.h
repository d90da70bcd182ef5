// Cuts PTX text into tokens. Comments vanish; words keep their dots ("ld.global.nc.u32", "%tid.x")
// and pairs of colons.
//
// The text must outlive the lexer: tokens are views into it.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace paluku::emulator {

// The module cannot be used: unknown syntax, opcode or modifier. The message names it and its line
// in the PTX text.
struct PtxError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Token {
  enum class Kind { kWord, kNumber, kString, kPunctuation, kEnd };
  Kind kind = Kind::kEnd;
  std::string_view text;  // a string without its quotes
  int line = 0;

  bool Is(std::string_view what) const {
    return text == what && (kind == Kind::kWord || kind == Kind::kPunctuation);
  }
};

class PtxLexer {
 public:
  explicit PtxLexer(std::string_view text) : text_(text) { Advance(); }

  const Token& Peek() const { return token_; }
  Token Next() {
    const Token token = token_;
    Advance();
    return token;
  }
  // Takes the token if it is `what`.
  bool Accept(std::string_view what) {
    if (!token_.Is(what)) return false;
    Advance();
    return true;
  }
  void Expect(std::string_view what) {
    if (!Accept(what)) Fail("expected '" + std::string(what) + "'");
  }
  // Skips to the end of the current line (.loc, .file ... end with their line).
  void SkipLine();
  [[noreturn]] void Fail(const std::string& message) const;

 private:
  void Advance();
  void SkipBlanks();

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
  Token token_;
};

}  // namespace paluku::emulator
