// What filters and methods of text share (calls.h).
#include <algorithm>
#include <string>

#include "engine/base/utf8.h"
#include "engine/text/jinja/calls.h"
#include "engine/text/jinja/template_error.h"

namespace paluku::jinja {
namespace {

constexpr std::size_t kMaxStripped = 256;  // bytes of all characters that are stripped

// Bytes of the characters at the start of `text` that are among `characters`.
std::size_t LeadingOf(std::string_view text, std::string_view characters) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = ValidUtf8Prefix(text.substr(at));
    if (FindText(characters, text.substr(at, length), 0) == std::string_view::npos) break;
    at += length;
  }
  return at;
}

std::size_t TrailingOf(std::string_view text, std::string_view characters) {
  std::size_t end = text.size();
  while (end > 0) {
    std::size_t begin = end - 1;
    while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
    if (FindText(characters, text.substr(begin, end - begin), 0) == std::string_view::npos) break;
    end = begin;
  }
  return text.size() - end;
}

}  // namespace

Value TrimText(const Text& text, const Value& characters, bool start, bool end, Heap& heap) {
  const std::string_view bytes = text.bytes();
  std::size_t before = 0;
  std::size_t behind = 0;
  if (IsUndefined(characters) || IsNone(characters)) {
    if (start) before = LeadingSpace(bytes);
    if (end) behind = TrailingSpace(bytes.substr(before));
  } else {
    if (!IsText(characters)) Throw("the characters to strip must be a string");
    const std::string_view set = TextOf(characters).bytes();
    if (set.size() > kMaxStripped) Throw("strips too many kinds of characters");
    if (start) before = LeadingOf(bytes, set);
    if (end) behind = TrailingOf(bytes.substr(before), set);
    heap.budget().Spend(static_cast<std::int64_t>(before + behind));
  }
  return heap.NewText(text.Substring(before, text.size() - behind));
}

Value ReplaceText(const Text& text, const Text& from, const Text& to, std::int64_t most,
                  Heap& heap) {
  const std::string_view bytes = text.bytes();
  Text out;
  std::size_t done = 0;
  const auto check = [&] {
    heap.budget().SpendBytes(to.size());
    if (out.size() > heap.budget().max_text()) Throw("makes a text that is too long");
  };
  if (from.empty()) {
    // Between all characters, and at both ends.
    for (; most != 0; --most) {
      out.Append(to);
      check();
      if (done == bytes.size()) break;
      const std::size_t length = ValidUtf8Prefix(bytes.substr(done));
      out.Append(text, done, done + length);
      done += length;
    }
  } else {
    for (; most != 0; --most) {
      const std::size_t at = FindText(bytes, from.bytes(), done);
      if (at == std::string_view::npos) break;
      out.Append(text, done, at);
      out.Append(to);
      check();
      done = at + from.size();
    }
  }
  out.Append(text, done, text.size());
  return heap.NewText(std::move(out));
}

Text UpperText(const Text& text) { return text.MapBytes(ToAsciiUpper); }
Text LowerText(const Text& text) { return text.MapBytes(ToAsciiLower); }

Text CapitalText(const Text& text) {
  bool first = true;
  return text.MapBytes([&first](char c) {
    const char mapped = first ? ToAsciiUpper(c) : ToAsciiLower(c);
    first = false;
    return mapped;
  });
}

Value Folded(const Value& value, Heap& heap) {
  return IsText(value) ? heap.NewText(LowerText(TextOf(value))) : value;
}

}  // namespace paluku::jinja
