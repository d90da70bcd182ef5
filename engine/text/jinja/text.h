// Text: a string that knows, byte by byte, who wrote it: the template or a message.
//
// Only what the template wrote may become a special token, so every operation on strings keeps the
// origin of each byte. Valid UTF-8, cut only between characters. A plain value; TextPtr shares it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace paluku::jinja {

enum class Origin : bool { kMessage, kTemplate };

class Text {
 public:
  // A stretch of one origin; neighbouring runs differ.
  struct Run {
    std::size_t end = 0;
    Origin origin = Origin::kTemplate;
  };

  Text() = default;
  Text(std::string bytes, Origin origin);

  const std::string& bytes() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  const std::vector<Run>& runs() const { return runs_; }
  // Of the byte at `at`.
  Origin OriginAt(std::size_t at) const;

  void Append(const Text& other) { Append(other, 0, other.size()); }
  // The bytes [begin, end) of `other`.
  void Append(const Text& other, std::size_t begin, std::size_t end);
  void Append(std::string_view bytes, Origin origin);
  Text Substring(std::size_t begin, std::size_t end) const;

  // The same text with every byte changed by `map`, which keeps ASCII and other bytes apart.
  template <class Map>
  Text MapBytes(const Map& map) const {
    Text mapped = *this;
    for (char& c : mapped.bytes_) c = map(c);
    return mapped;
  }

 private:
  std::string bytes_;
  std::vector<Run> runs_;  // empty for an empty text
};

// Helpers over UTF-8 in the sense of Python's str: places are numbers of characters.
std::size_t CountCharacters(std::string_view text);
// The byte at which character `index` begins; the size for an index behind the end.
std::size_t ByteOfCharacter(std::string_view text, std::size_t index);
// Bytes of the white space (str.isspace of Python) at the start and at the end of `text`.
std::size_t LeadingSpace(std::string_view text);
std::size_t TrailingSpace(std::string_view text);
// Where `needle` begins at or after `from`, in linear time whatever both hold.
std::size_t FindText(std::string_view text, std::string_view needle, std::size_t from);

inline bool IsAsciiUpper(char c) { return c >= 'A' && c <= 'Z'; }
inline bool IsAsciiLower(char c) { return c >= 'a' && c <= 'z'; }
inline bool IsAsciiDigit(char c) { return c >= '0' && c <= '9'; }
inline bool IsAsciiLetter(char c) { return IsAsciiUpper(c) || IsAsciiLower(c); }
inline char ToAsciiUpper(char c) { return IsAsciiLower(c) ? static_cast<char>(c - 32) : c; }
inline char ToAsciiLower(char c) { return IsAsciiUpper(c) ? static_cast<char>(c + 32) : c; }

}  // namespace paluku::jinja
