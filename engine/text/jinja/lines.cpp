#include "engine/text/jinja/lines.h"

#include <algorithm>
#include <string>

#include "engine/base/utf8.h"
#include "engine/text/jinja/limits.h"
#include "engine/text/jinja/template_error.h"

namespace paluku::jinja {
namespace {

bool EndsLine(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

void CheckPieces(std::size_t count) {
  if (count > kMaxPieces) Throw("splits a text into too many pieces");
}

struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// The pieces between `cuts`, which stand in order.
std::vector<Text> Between(const Text& text, const std::vector<Range>& cuts) {
  std::vector<Text> pieces;
  std::size_t begin = 0;
  for (const Range& cut : cuts) {
    pieces.push_back(text.Substring(begin, cut.begin));
    begin = cut.end;
  }
  pieces.push_back(text.Substring(begin, text.size()));
  return pieces;
}

// Where `separator` stands, from the start and without overlaps; at most `most` of them.
std::vector<Range> FindAll(std::string_view text, std::string_view separator, std::int64_t most) {
  std::vector<Range> found;
  std::size_t from = 0;
  while (most < 0 || found.size() < static_cast<std::size_t>(most)) {
    const std::size_t at = FindText(text, separator, from);
    if (at == std::string_view::npos) break;
    from = at + separator.size();
    found.push_back({at, from});
    CheckPieces(found.size());
  }
  return found;
}

// Bytes up to the next white space, or back to the last one.
std::size_t WordAtStart(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && LeadingSpace(text.substr(at, 4)) == 0)
    at += ValidUtf8Prefix(text.substr(at));
  return at;
}

std::size_t WordAtEnd(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0 && TrailingSpace(text.substr(0, end)) == 0) --end;
  return text.size() - end;
}

}  // namespace

std::vector<Text> SplitLines(const Text& text, bool keep_ends) {
  std::vector<Text> lines;
  const std::string_view bytes = text.bytes();
  std::size_t begin = 0;
  std::size_t at = 0;
  while (at < bytes.size()) {
    std::size_t length = 0;
    const char32_t c = DecodeUtf8(bytes.substr(at), &length);
    if (!EndsLine(c)) {
      at += length;
      continue;
    }
    const std::size_t end = at;
    at += length;
    if (c == '\r' && at < bytes.size() && bytes[at] == '\n') ++at;
    lines.push_back(text.Substring(begin, keep_ends ? at : end));
    CheckPieces(lines.size());
    begin = at;
  }
  if (begin < bytes.size()) lines.push_back(text.Substring(begin, bytes.size()));
  return lines;
}

std::vector<Text> SplitAt(const Text& text, std::string_view separator, std::int64_t most,
                          bool from_end) {
  if (!from_end) return Between(text, FindAll(text.bytes(), separator, most));
  // Backwards, separators that overlap are found otherwise than forwards.
  const std::string mirrored(text.bytes().rbegin(), text.bytes().rend());
  const std::string mark(separator.rbegin(), separator.rend());
  std::vector<Range> cuts = FindAll(mirrored, mark, most);
  std::reverse(cuts.begin(), cuts.end());
  for (Range& cut : cuts) cut = {text.size() - cut.end, text.size() - cut.begin};
  return Between(text, cuts);
}

std::vector<Text> SplitWords(const Text& text, std::int64_t most, bool from_end) {
  const std::string_view bytes = text.bytes();
  std::vector<Text> words;
  std::size_t begin = 0;
  std::size_t end = bytes.size();
  while (true) {
    const std::string_view rest = bytes.substr(begin, end - begin);
    const std::size_t space = from_end ? TrailingSpace(rest) : LeadingSpace(rest);
    (from_end ? end : begin) = from_end ? end - space : begin + space;
    if (begin == end) break;
    const bool last = most >= 0 && words.size() == static_cast<std::size_t>(most);
    const std::string_view words_left = bytes.substr(begin, end - begin);
    const std::size_t length = last       ? words_left.size()
                               : from_end ? WordAtEnd(words_left)
                                          : WordAtStart(words_left);
    words.push_back(from_end ? text.Substring(end - length, end)
                             : text.Substring(begin, begin + length));
    CheckPieces(words.size());
    (from_end ? end : begin) = from_end ? end - length : begin + length;
  }
  if (from_end) std::reverse(words.begin(), words.end());
  return words;
}

}  // namespace paluku::jinja
