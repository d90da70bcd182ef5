#include "engine/text/jinja/lexer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "engine/base/utf8.h"
#include "engine/text/jinja/limits.h"
#include "engine/text/jinja/template_error.h"
#include "engine/text/jinja/text.h"

namespace paluku::jinja {
namespace {

constexpr std::size_t kMaxName = 128;

// "\r\n" and "\r" are line breaks, and one at the very end belongs to the file, not to the text.
std::string WithPlainLines(std::string_view source) {
  std::string plain;
  plain.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r' && i + 1 < source.size() && source[i + 1] == '\n') continue;
    plain += source[i] == '\r' ? '\n' : source[i];
  }
  if (plain.ends_with('\n')) plain.pop_back();
  return plain;
}

// The text of a string literal between its quotes, escapes resolved as Python does.
class StringLiteral {
 public:
  StringLiteral(std::string_view raw, int line) : raw_(raw), line_(line) {}

  std::string Read() {
    while (at_ < raw_.size()) {
      const char c = raw_[at_++];
      if (c != '\\' || at_ == raw_.size()) {
        out_ += c;
      } else {
        ReadEscape();
      }
    }
    return std::move(out_);
  }

 private:
  void ReadEscape() {
    constexpr std::string_view kLetters = "\\'\"abfnrtv";
    constexpr std::string_view kMeanings = "\\'\"\a\b\f\n\r\t\v";
    const char c = raw_[at_++];
    if (const std::size_t known = kLetters.find(c); known != std::string_view::npos) {
      out_ += kMeanings[known];
    } else if (c == 'x' || c == 'u' || c == 'U') {
      const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
      AppendCharacter(ReadNumber(digits, digits, 16));
    } else if (c >= '0' && c <= '7') {
      --at_;
      AppendCharacter(ReadNumber(1, 3, 8));
    } else if (c == 'N') {
      Throw("names of characters (\\N) are not supported", line_);
    } else if (c != '\n') {  // an escaped line break is nothing
      out_ += '\\';
      out_ += c;
    }
  }

  char32_t ReadNumber(std::size_t least, std::size_t most, unsigned base) {
    char32_t number = 0;
    std::size_t digits = 0;
    for (; digits < most && at_ < raw_.size(); ++digits, ++at_) {
      const char c = ToAsciiLower(raw_[at_]);
      const unsigned digit = IsAsciiDigit(c)          ? static_cast<unsigned>(c - '0')
                             : (c >= 'a' && c <= 'f') ? static_cast<unsigned>(c - 'a' + 10)
                                                      : base;
      if (digit >= base) break;
      number = number * base + digit;
    }
    if (digits < least) Throw("an escape in a string is cut short", line_);
    return number;
  }

  void AppendCharacter(char32_t c) {
    if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
      Throw("an escape in a string is no character", line_);
    AppendUtf8(out_, c);
  }

  std::string_view raw_;
  int line_;
  std::size_t at_ = 0;
  std::string out_;
};

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  std::vector<Token> Run() {
    while (at_ < source_.size()) LexText();
    Add(TokenKind::kEnd, {});
    return std::move(tokens_);
  }

 private:
  // How a tag asks for white space beside it: '-' takes it away, '+' keeps it, 0 says nothing.
  struct Tag {
    char kind = 0;  // '{' output, '%' block, '#' comment
    char sign = 0;
    std::size_t length = 0;
  };

  std::string_view Rest() const { return source_.substr(at_); }

  void Add(TokenKind kind, std::string text) {
    if (tokens_.size() >= kMaxTokens) Throw("the template is too long", line_);
    tokens_.push_back({kind, line_, std::move(text)});
  }

  void Skip(std::size_t count) {
    const auto part = source_.substr(at_, count);
    line_ += static_cast<int>(std::count(part.begin(), part.end(), '\n'));
    at_ += count;
    line_starting_ = at_ > 0 && source_[at_ - 1] == '\n';
  }

  std::optional<Tag> TagAt(std::size_t at) const {
    if (at + 1 >= source_.size() || source_[at] != '{') return std::nullopt;
    const char kind = source_[at + 1];
    if (kind != '{' && kind != '%' && kind != '#') return std::nullopt;
    const char next = at + 2 < source_.size() ? source_[at + 2] : 0;
    const bool sign = next == '-' || next == '+';
    return Tag{kind, sign ? next : '\0', sign ? 3u : 2u};
  }

  // Text up to the next tag, and the tag.
  void LexText() {
    std::size_t end = at_;
    std::optional<Tag> tag;
    while (end < source_.size() && !(tag = TagAt(end))) ++end;
    const bool line_starting = line_starting_;
    std::string_view text = source_.substr(at_, end - at_);
    if (tag) text = text.substr(0, text.size() - SpaceBefore(text, *tag, line_starting));
    if (!text.empty()) Add(TokenKind::kText, std::string(text));
    Skip(end - at_);
    if (!tag) return;
    if (tag->kind == '{') {
      Skip(tag->length);
      LexTag(TokenKind::kOutputBegin, TokenKind::kOutputEnd, "}}");
    } else if (tag->kind == '#') {
      Skip(tag->length);
      LexComment();
    } else if (const auto raw = RawTag()) {
      Skip(*raw);
      LexRaw();
    } else {
      Skip(tag->length);
      LexTag(TokenKind::kBlockBegin, TokenKind::kBlockEnd, "%}");
    }
  }

  // Bytes of white space at the end of `text` that the tag behind it takes away.
  static std::size_t SpaceBefore(std::string_view text, const Tag& tag, bool line_starting) {
    const std::size_t space = TrailingSpace(text);
    if (tag.sign == '-') return space;
    if (tag.sign == '+' || tag.kind == '{') return 0;
    // Only what stands between the line break and the tag, when nothing else does.
    const std::size_t line = text.rfind('\n') + 1;
    if (line == 0 && !line_starting) return 0;
    return text.size() - line <= space ? text.size() - line : 0;
  }

  // Length of the closing mark that may stand here, with the white space that it takes away.
  std::optional<std::size_t> CloseAt(std::size_t at, std::string_view mark) const {
    const std::string_view rest = source_.substr(at);
    if (rest.starts_with(mark)) {
      const bool trims = mark != "}}" && rest.substr(mark.size()).starts_with('\n');
      return mark.size() + (trims ? 1 : 0);
    }
    if (rest.size() <= mark.size() || !rest.substr(1).starts_with(mark)) return std::nullopt;
    const std::size_t length = mark.size() + 1;
    if (rest[0] == '-') return length + LeadingSpace(rest.substr(length));
    if (rest[0] == '+' && mark != "}}") return length;
    return std::nullopt;
  }

  void LexComment() {
    const int line = line_;
    for (std::size_t at = at_; at < source_.size(); ++at) {
      if (const auto close = CloseAt(at, "#}")) return Skip(at - at_ + *close);
    }
    if (at_ < source_.size()) Throw("a comment does not end", line);
  }

  // {% word %} at `at`, white space inside of it being free; its length.
  std::optional<std::size_t> BareTag(std::size_t at, std::string_view word) const {
    const auto tag = TagAt(at);
    if (!tag || tag->kind != '%') return std::nullopt;
    std::size_t end = at + tag->length;
    end += LeadingSpace(source_.substr(end));
    if (!source_.substr(end).starts_with(word)) return std::nullopt;
    end += word.size();
    end += LeadingSpace(source_.substr(end));
    const auto close = CloseAt(end, "%}");
    if (!close) return std::nullopt;
    return end + *close - at;
  }

  // The start of a raw block; its line break stays, unlike that of other blocks.
  std::optional<std::size_t> RawTag() const {
    auto length = BareTag(at_, "raw");
    if (length && source_.substr(at_, *length).ends_with("%}\n") &&
        !source_.substr(at_, *length).ends_with("-%}\n"))
      --*length;
    return length;
  }

  void LexRaw() {
    const int line = line_;
    for (std::size_t at = at_; at < source_.size(); ++at) {
      const std::optional<Tag> tag = TagAt(at);
      const auto length = tag ? BareTag(at, "endraw") : std::nullopt;
      if (!length) continue;
      std::string_view text = source_.substr(at_, at - at_);
      text = text.substr(0, text.size() - SpaceBefore(text, *tag, line_starting_));
      if (!text.empty()) Add(TokenKind::kText, std::string(text));
      return Skip(at - at_ + *length);
    }
    if (at_ < source_.size()) Throw("a raw block does not end", line);
  }

  void LexTag(TokenKind begin, TokenKind end, std::string_view mark) {
    const int line = line_;
    Add(begin, {});
    std::vector<char> open;
    while (true) {
      Skip(LeadingSpace(Rest()));
      if (at_ >= source_.size()) Throw("a tag does not end", line);
      if (open.empty()) {
        if (const auto close = CloseAt(at_, mark)) {
          Add(end, {});
          return Skip(*close);
        }
      }
      LexToken(open);
    }
  }

  void LexToken(std::vector<char>& open) {
    const char c = source_[at_];
    if (IsAsciiDigit(c)) return LexNumber();
    if (IsAsciiLetter(c) || c == '_') return LexName();
    if (c == '\'' || c == '"') return LexString(c);
    constexpr std::array<std::string_view, 6> kPairs = {"//", "**", "==", "!=", ">=", "<="};
    constexpr std::string_view kSingles = "+-*/%~[](){}<>=.:|,;";
    for (const std::string_view pair : kPairs) {
      if (!Rest().starts_with(pair)) continue;
      Add(TokenKind::kOperator, std::string(pair));
      return Skip(2);
    }
    if (kSingles.find(c) == std::string_view::npos) {
      const std::size_t length = std::max<std::size_t>(1, ValidUtf8Prefix(Rest()));
      Throw("the character \"" + std::string(Rest().substr(0, length)) + "\" has no meaning here",
            line_);
    }
    Balance(c, open);
    Add(TokenKind::kOperator, std::string(1, c));
    Skip(1);
  }

  void Balance(char c, std::vector<char>& open) const {
    if (c == '{' || c == '(' || c == '[') {
      open.push_back(c == '{' ? '}' : c == '(' ? ')' : ']');
    } else if (c == '}' || c == ')' || c == ']') {
      if (open.empty() || open.back() != c) Throw(std::string("unexpected \"") + c + '"', line_);
      open.pop_back();
    }
  }

  void LexName() {
    std::size_t length = 1;
    while (length < Rest().size() &&
           (IsAsciiLetter(Rest()[length]) || IsAsciiDigit(Rest()[length]) || Rest()[length] == '_'))
      ++length;
    if (length > kMaxName) Throw("a name is too long", line_);
    Add(TokenKind::kName, std::string(Rest().substr(0, length)));
    Skip(length);
  }

  void LexString(char quote) {
    std::size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != quote) end += source_[end] == '\\' ? 2 : 1;
    if (end >= source_.size()) Throw("a string does not end", line_);
    const std::string_view raw = source_.substr(at_ + 1, end - at_ - 1);
    Add(TokenKind::kString, StringLiteral(raw, line_).Read());
    Skip(end + 1 - at_);
  }

  // Underscores may part digits; "1." is an integer and a dot, as in Jinja2.
  void LexNumber() {
    const std::string_view rest = Rest();
    const char second = rest.size() > 1 ? ToAsciiLower(rest[1]) : '\0';
    const bool based = rest[0] == '0' && (second == 'x' || second == 'o' || second == 'b');
    std::size_t length = based ? 2 : 0;
    const auto digits = [&] {
      const auto belongs = [&](char c) {
        return IsAsciiDigit(c) || c == '_' || (based && IsAsciiLetter(c));
      };
      while (length < rest.size() && belongs(rest[length])) ++length;
    };
    const auto digit_at = [&](std::size_t at) {
      return at < rest.size() && IsAsciiDigit(rest[at]);
    };
    digits();
    bool whole = true;
    if (!based && length < rest.size() && rest[length] == '.' && digit_at(length + 1)) {
      whole = false;
      ++length;
      digits();
    }
    if (!based && length < rest.size() && ToAsciiLower(rest[length]) == 'e') {
      const bool sign =
          length + 1 < rest.size() && (rest[length + 1] == '-' || rest[length + 1] == '+');
      if (digit_at(length + (sign ? 2 : 1))) {
        whole = false;
        length += sign ? 2 : 1;
        digits();
      }
    }
    std::string text(rest.substr(0, length));
    std::erase(text, '_');
    Add(whole ? TokenKind::kInteger : TokenKind::kFloat, std::move(text));
    Skip(length);
  }

  std::string_view source_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool line_starting_ = true;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> Tokenize(std::string_view source) {
  const std::string plain = WithPlainLines(source);
  return Lexer(plain).Run();
}

}  // namespace paluku::jinja
