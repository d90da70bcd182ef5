#include "engine/text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "engine/base/check.h"
#include "engine/base/utf8.h"

namespace paluku {
namespace {

// Marks are sorted one by one, so that a run of them takes the square of its length. No language
// has longer runs; the text is cut there.
constexpr int kMostMarks = 256;

// U+0300 is the first character that composition may change or move.
bool MayChange(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0xCC; });
}

void AppendComposed(std::string_view text, std::string& out) {
  utf8proc_uint8_t* composed = nullptr;
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);
  const utf8proc_ssize_t bytes =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &composed, options);
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(composed, &std::free);
  PALUKU_CHECK(bytes >= 0);  // the text was valid
  out.append(reinterpret_cast<const char*>(composed), static_cast<std::size_t>(bytes));
}

// Circled and squared letters, which are alphabetic though their category is not a letter's.
bool IsLetterSign(char32_t c) {
  return (c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) ||
         (c >= 0x1F150 && c <= 0x1F169) || (c >= 0x1F170 && c <= 0x1F189);
}

}  // namespace

std::string ComposeUtf8(std::string_view text) {
  if (!MayChange(text)) return std::string(text);
  std::string composed;
  composed.reserve(text.size());
  std::size_t begin = 0;
  std::size_t length = 0;
  int marks = 0;
  for (std::size_t at = 0; at < text.size(); at += length) {
    const char32_t c = DecodeUtf8(text.substr(at), &length);
    const auto* property = utf8proc_get_property(static_cast<utf8proc_int32_t>(c));
    marks = property->combining_class == 0 ? 0 : marks + 1;
    if (marks < kMostMarks) continue;
    AppendComposed(text.substr(begin, at - begin), composed);
    begin = at;
    marks = 0;
  }
  AppendComposed(text.substr(begin), composed);
  return composed;
}

bool IsWhiteSpace(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

bool IsWordCharacter(char32_t c) {
  constexpr char32_t kJoiners[] = {0x200C, 0x200D};
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
      return true;
    default:
      return IsLetterSign(c) || c == kJoiners[0] || c == kJoiners[1];
  }
}

char32_t DecodeUtf8Before(std::string_view text, std::size_t end, std::size_t* begin) {
  std::size_t at = end - 1;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
  *begin = at;
  std::size_t length = 0;
  return DecodeUtf8(text.substr(at, end - at), &length);
}

}  // namespace paluku
