#include "engine/text/utf8_stream.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/base/utf8.h"

namespace paluku {
namespace {

// A model that never ends its cluster must not hold back text for good.
constexpr std::size_t kMaxHeldBytes = 128;

// Characters of the canonical combining class 9 (Unicode 14): viramas and their like, sorted.
constexpr char32_t kViramas[] = {
    0x94D,   0x9CD,   0xA4D,   0xACD,   0xB4D,   0xBCD,   0xC4D,   0xCCD,   0xD3B,
    0xD3C,   0xD4D,   0xDCA,   0xE3A,   0xEBA,   0xF84,   0x1039,  0x103A,  0x1714,
    0x1715,  0x1734,  0x17D2,  0x1A60,  0x1B44,  0x1BAA,  0x1BAB,  0x1BF2,  0x1BF3,
    0x2D7F,  0xA806,  0xA82C,  0xA8C4,  0xA953,  0xA9C0,  0xAAF6,  0xABED,  0x10A3F,
    0x11046, 0x11070, 0x1107F, 0x110B9, 0x11133, 0x11134, 0x111C0, 0x11235, 0x112EA,
    0x1134D, 0x11442, 0x114C2, 0x115BF, 0x1163F, 0x116B6, 0x1172B, 0x11839, 0x1193D,
    0x1193E, 0x119E0, 0x11A34, 0x11A47, 0x11A99, 0x11C3F, 0x11D44, 0x11D45, 0x11D97};

// Joins what stands before it with what follows: virama, ZWNJ, ZWJ.
bool IsLinker(char32_t c) {
  return c == 0x200C || c == 0x200D ||
         std::binary_search(std::begin(kViramas), std::end(kViramas), c);
}

// Belongs to the character before it. The Indic blocks from Devanagari to Malayalam share the
// layout of ISCII: candrabindu to visarga, nukta and vowel signs stand at the same offsets.
bool IsSign(char32_t c) {
  if (c >= 0x900 && c < 0xD80) {
    const char32_t offset = c & 0x7F;
    return offset <= 0x03 || offset == 0x3C || (offset >= 0x3E && offset <= 0x4D) ||
           (offset >= 0x55 && offset <= 0x57) || (offset >= 0x62 && offset <= 0x63);
  }
  return (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0x1F3FB && c <= 0x1F3FF);  // variation, skin tone
}

// The character that ends at text[end), and where it begins. `text` is valid and end > 0.
char32_t CharacterBefore(std::string_view text, std::size_t end, std::size_t* begin) {
  *begin = end - 1;
  while ((static_cast<unsigned char>(text[*begin]) & 0xC0) == 0x80) --*begin;
  std::size_t length = 0;
  return DecodeUtf8(text.substr(*begin), &length);
}

// Where the text that must wait begins: text.size() unless it ends in a linker, then the start of
// the chain of consonants and linkers before it.
std::size_t WaitingFrom(std::string_view text) {
  std::size_t from = text.size();
  while (from > 0) {
    std::size_t begin = 0;
    if (!IsLinker(CharacterBefore(text, from, &begin))) break;
    // The linker, further linkers and signs before it, and the base they stand on.
    bool base = false;
    while (!base && from > 0 && text.size() - from <= kMaxHeldBytes) {
      const char32_t c = CharacterBefore(text, from, &begin);
      base = !IsLinker(c) && !IsSign(c);
      from = begin;
    }
    if (text.size() - from > kMaxHeldBytes) return text.size();
  }
  return from;
}

// Length of an incomplete character at the end of `bytes` that further bytes may complete.
std::size_t IncompleteTail(std::string_view bytes) {
  for (std::size_t length = 1; length <= std::min<std::size_t>(3, bytes.size()); ++length) {
    const std::string_view tail = bytes.substr(bytes.size() - length);
    const auto lead = static_cast<unsigned char>(tail[0]);
    if ((lead & 0xC0) == 0x80) continue;
    // One U+FFFD in repair means one maximal part of a valid sequence.
    return Utf8SequenceLength(lead) > length && RepairUtf8(tail) == "\xEF\xBF\xBD" ? length : 0;
  }
  return 0;
}

}  // namespace

std::string Utf8Stream::Push(std::string_view bytes) {
  bytes_.append(bytes);
  const std::size_t whole = bytes_.size() - IncompleteTail(bytes_);
  std::string text = std::exchange(cluster_, {}) + RepairUtf8(bytes_.substr(0, whole));
  bytes_.erase(0, whole);
  const std::size_t shown = WaitingFrom(text);
  cluster_ = text.substr(shown);
  text.resize(shown);
  return text;
}

std::string Utf8Stream::FlushCluster() { return std::exchange(cluster_, {}); }

std::string Utf8Stream::Finish() {
  return std::exchange(cluster_, {}) + RepairUtf8(std::exchange(bytes_, {}));
}

}  // namespace paluku
