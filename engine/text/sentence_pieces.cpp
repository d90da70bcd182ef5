#include "engine/text/sentence_pieces.h"

#include <algorithm>

#include "engine/base/utf8.h"

namespace paluku {
namespace {

constexpr std::string_view kSpaceMark = "\u2581";
constexpr char32_t kSpaceCharacter = 0x2581;

std::uint64_t Pair(char32_t left, char32_t right) {
  return static_cast<std::uint64_t>(left) << 32 | right;
}

}  // namespace

SentencePieces::SentencePieces(const std::vector<Token>& tokens,
                               const std::array<std::int32_t, 256>& bytes, SpacePrefix prefix,
                               bool words_begin_at_spaces, const std::stop_token& stop)
    : bytes_(bytes), prefix_(prefix), words_begin_at_spaces_(words_begin_at_spaces) {
  for (const Token& token : tokens) {
    if (stop.stop_requested()) return;
    std::size_t length = 0;
    char32_t left = DecodeUtf8(token.text, &length);
    if (length == token.text.size()) {
      if (left >= characters_.size()) characters_.resize(left + 1, -1);
      characters_[left] = token.id;
      continue;
    }
    for (std::size_t at = length; at < token.text.size(); at += length) {
      const char32_t right = DecodeUtf8(token.text.substr(at), &length);
      neighbours_.insert(Pair(left, right));
      left = right;
    }
  }
}

std::string SentencePieces::Normalise(std::string_view text, bool at_start) const {
  std::string normal;
  if (text.empty()) return normal;
  normal.reserve(text.size() + text.size() / 3 + 4);
  const bool there = text.front() == ' ' || text.starts_with(kSpaceMark);
  if (prefix_ == SpacePrefix::kAlways || (prefix_ == SpacePrefix::kUnlessThere && !there) ||
      (prefix_ == SpacePrefix::kAtStart && at_start && !there)) {
    normal += kSpaceMark;
  }
  for (const char c : text) {
    if (c == ' ') {
      normal += kSpaceMark;
    } else {
      normal += c;
    }
  }
  return normal;
}

bool SentencePieces::BeginsWord(std::string_view piece) const {
  return words_begin_at_spaces_ && piece.starts_with(kSpaceMark);
}

bool SentencePieces::MayJoin(char32_t left, char32_t right) const {
  if (words_begin_at_spaces_ && right == kSpaceCharacter) return false;
  return neighbours_.contains(Pair(left, right));
}

void SentencePieces::Split(std::string_view text, std::vector<std::size_t>& ends) const {
  ends.clear();
  if (text.empty()) return;
  std::size_t length = 0;
  char32_t left = DecodeUtf8(text, &length);
  for (std::size_t at = length; at < text.size(); at += length) {
    const char32_t right = DecodeUtf8(text.substr(at), &length);
    if (!MayJoin(left, right)) ends.push_back(at);
    left = right;
  }
  ends.push_back(text.size());
}

void SentencePieces::AppendSymbols(std::string_view piece,
                                   std::vector<std::int32_t>& symbols) const {
  std::size_t length = 0;
  for (; !piece.empty(); piece.remove_prefix(length)) {
    const char32_t character = DecodeUtf8(piece, &length);
    if (character < characters_.size() && characters_[character] >= 0) {
      symbols.push_back(characters_[character]);
      continue;
    }
    for (const char byte : piece.substr(0, length))
      symbols.push_back(bytes_[static_cast<unsigned char>(byte)]);
  }
}

std::string BytesOfSentencePiece(std::string_view stored) {
  std::string bytes;
  while (!stored.empty()) {
    const std::size_t mark = std::min(stored.find(kSpaceMark), stored.size());
    bytes += stored.substr(0, mark);
    if (mark == stored.size()) break;
    bytes += ' ';
    stored.remove_prefix(mark + kSpaceMark.size());
  }
  return bytes;
}

}  // namespace paluku
