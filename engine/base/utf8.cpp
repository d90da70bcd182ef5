#include "engine/base/utf8.h"

namespace paluku {
namespace {

bool IsContinuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// The range of the second byte for `lead`; narrower than a plain continuation for four lead bytes.
bool SecondByteFits(unsigned char lead, unsigned char second) {
  switch (lead) {
    case 0xE0:
      return second >= 0xA0 && second <= 0xBF;
    case 0xED:
      return second >= 0x80 && second <= 0x9F;
    case 0xF0:
      return second >= 0x90 && second <= 0xBF;
    case 0xF4:
      return second >= 0x80 && second <= 0x8F;
    default:
      return IsContinuation(second);
  }
}

// Length of the longest part at the start of `text` that could begin a valid sequence (at least 1).
std::size_t MaximalSubpart(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t want = Utf8SequenceLength(lead);
  if (want < 2 || text.size() < 2 || !SecondByteFits(lead, static_cast<unsigned char>(text[1])))
    return 1;
  std::size_t have = 2;
  while (have < want && have < text.size() &&
         IsContinuation(static_cast<unsigned char>(text[have])))
    ++have;
  return have;
}

// A terminal or a line of text obeys these instead of showing them.
bool Steers(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x61C || c == 0x200E || c == 0x200F ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

}  // namespace

std::size_t Utf8SequenceLength(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

std::size_t ValidUtf8Prefix(std::string_view text) {
  const std::size_t want = Utf8SequenceLength(static_cast<unsigned char>(text[0]));
  if (want == 0 || text.size() < want) return 0;
  return want == 1 || MaximalSubpart(text) == want ? want : 0;
}

bool IsValidUtf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = ValidUtf8Prefix(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string RepairUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    std::size_t length = ValidUtf8Prefix(text);
    if (length > 0) {
      out.append(text.substr(0, length));
    } else {
      length = MaximalSubpart(text);
      out.append("\xEF\xBF\xBD");
    }
    text.remove_prefix(length);
  }
  return out;
}

std::string PlainLine(std::string_view text, std::size_t most) {
  constexpr std::string_view kCut = "…";
  std::string out;
  std::size_t fits = 0;  // bytes of `out` that leave room for the mark of a cut
  while (!text.empty()) {
    std::size_t length = ValidUtf8Prefix(text);
    const bool shown = length > 0 && !Steers(DecodeUtf8(text, &length));
    if (length == 0) length = MaximalSubpart(text);
    const std::string_view next = shown ? text.substr(0, length) : "\xEF\xBF\xBD";
    if (out.size() + next.size() > most) return out.substr(0, fits).append(kCut);
    out += next;
    if (out.size() + kCut.size() <= most) fits = out.size();
    text.remove_prefix(length);
  }
  return out;
}

char32_t DecodeUtf8(std::string_view text, std::size_t* length) {
  const auto at = [&](std::size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[i]));
  };
  *length = Utf8SequenceLength(static_cast<unsigned char>(text[0]));
  switch (*length) {
    case 2:
      return (at(0) & 0x1F) << 6 | (at(1) & 0x3F);
    case 3:
      return (at(0) & 0x0F) << 12 | (at(1) & 0x3F) << 6 | (at(2) & 0x3F);
    case 4:
      return (at(0) & 0x07) << 18 | (at(1) & 0x3F) << 12 | (at(2) & 0x3F) << 6 | (at(3) & 0x3F);
    default:
      return at(0);
  }
}

void AppendUtf8(std::string& out, char32_t c) {
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

}  // namespace paluku
