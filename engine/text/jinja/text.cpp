#include "engine/text/jinja/text.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/base/utf8.h"

namespace paluku::jinja {
namespace {

// str.isspace: bidirectional type WS, B or S, or general category Zs (Unicode 15).
bool IsSpace(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

Text::Text(std::string bytes, Origin origin) : bytes_(std::move(bytes)) {
  if (!bytes_.empty()) runs_.push_back({bytes_.size(), origin});
}

Origin Text::OriginAt(std::size_t at) const {
  const auto run = std::upper_bound(runs_.begin(), runs_.end(), at,
                                    [](std::size_t place, const Run& r) { return place < r.end; });
  return run == runs_.end() ? Origin::kTemplate : run->origin;
}

void Text::Append(std::string_view bytes, Origin origin) {
  if (bytes.empty()) return;
  bytes_ += bytes;
  if (!runs_.empty() && runs_.back().origin == origin) {
    runs_.back().end = bytes_.size();
  } else {
    runs_.push_back({bytes_.size(), origin});
  }
}

void Text::Append(const Text& other, std::size_t begin, std::size_t end) {
  const std::string_view bytes = other.bytes_;
  auto run = std::upper_bound(other.runs_.begin(), other.runs_.end(), begin,
                              [](std::size_t place, const Run& r) { return place < r.end; });
  for (; begin < end; ++run) {
    const std::size_t stop = std::min(end, run->end);
    Append(bytes.substr(begin, stop - begin), run->origin);
    begin = stop;
  }
}

Text Text::Substring(std::size_t begin, std::size_t end) const {
  Text part;
  part.Append(*this, begin, end);
  return part;
}

std::size_t CountCharacters(std::string_view text) {
  return text.size() -
         static_cast<std::size_t>(std::count_if(text.begin(), text.end(), IsContinuation));
}

std::size_t ByteOfCharacter(std::string_view text, std::size_t index) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (IsContinuation(text[at])) continue;
    if (index == 0) break;
    --index;
  }
  return at;
}

std::size_t LeadingSpace(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t length = 0;
    if (!IsSpace(DecodeUtf8(text.substr(at), &length))) break;
    at += length;
  }
  return at;
}

std::size_t TrailingSpace(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0) {
    std::size_t begin = end - 1;
    while (begin > 0 && IsContinuation(text[begin])) --begin;
    std::size_t length = 0;
    if (!IsSpace(DecodeUtf8(text.substr(begin), &length))) break;
    end = begin;
  }
  return text.size() - end;
}

std::size_t FindText(std::string_view text, std::string_view needle, std::size_t from) {
  if (from > text.size()) return std::string_view::npos;
  if (needle.empty()) return from;
  const void* const found =
      memmem(text.data() + from, text.size() - from, needle.data(), needle.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

}  // namespace paluku::jinja
