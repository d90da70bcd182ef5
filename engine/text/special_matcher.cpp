#include "engine/text/special_matcher.h"

#include <algorithm>

#include "engine/base/utf8.h"
#include "engine/text/unicode.h"
#include "engine/text/vocabulary.h"

namespace paluku {
namespace {

// A word goes on over one of the ends of text[begin, end).
bool TouchesAWord(std::string_view text, std::size_t begin, std::size_t end) {
  std::size_t other = 0;
  return (begin > 0 && IsWordCharacter(DecodeUtf8Before(text, begin, &other))) ||
         (end < text.size() && IsWordCharacter(DecodeUtf8(text.substr(end), &other)));
}

// Where the white space before `begin` starts, not before `from`.
std::size_t SpaceBefore(std::string_view text, std::size_t from, std::size_t begin) {
  std::size_t start = begin;
  while (start > from) {
    std::size_t before = 0;
    if (!IsWhiteSpace(DecodeUtf8Before(text, start, &before)) || before < from) break;
    start = before;
  }
  return start;
}

// Where the white space from `end` on ends.
std::size_t SpaceAfter(std::string_view text, std::size_t end) {
  std::size_t length = 0;
  while (end < text.size() && IsWhiteSpace(DecodeUtf8(text.substr(end), &length))) end += length;
  return end;
}

}  // namespace

SpecialMatcher::SpecialMatcher(std::vector<Token> tokens) : tokens_(std::move(tokens)) {
  std::erase_if(tokens_,
                [](const Token& token) { return token.text.empty() || !IsValidUtf8(token.text); });
  std::sort(tokens_.begin(), tokens_.end(), [](const Token& a, const Token& b) {
    return a.text != b.text ? a.text < b.text : a.id < b.id;
  });
  const auto same = [](const Token& a, const Token& b) { return a.text == b.text; };
  tokens_.erase(std::unique(tokens_.begin(), tokens_.end(), same), tokens_.end());
  for (const Token& token : tokens_) starts_[static_cast<unsigned char>(token.text[0])] = true;
}

std::optional<SpecialMatcher::Match> SpecialMatcher::Find(std::string_view text,
                                                          std::size_t from) const {
  if (tokens_.empty()) return std::nullopt;
  for (std::size_t i = from; i < text.size();) {
    const Token* token =
        starts_[static_cast<unsigned char>(text[i])] ? LongestAt(text, i) : nullptr;
    if (token == nullptr) {
      ++i;
      continue;
    }
    const std::size_t end = i + token->text.size();
    if ((token->flags & kWholeWordOnly) == 0 || !TouchesAWord(text, i, end)) {
      return Match{(token->flags & kTakesSpaceBefore) != 0 ? SpaceBefore(text, from, i) : i,
                   (token->flags & kTakesSpaceAfter) != 0 ? SpaceAfter(text, end) : end, token->id};
    }
    i = end;
  }
  return std::nullopt;
}

// Narrows the sorted tokens byte by byte to those that share the text read so far; a token that
// ends there stands first among them.
const SpecialMatcher::Token* SpecialMatcher::LongestAt(std::string_view text,
                                                       std::size_t begin) const {
  const Token* longest = nullptr;
  auto low = tokens_.begin();
  auto high = tokens_.end();
  for (std::size_t depth = 0; begin + depth < text.size() && low != high; ++depth) {
    const auto byte = static_cast<unsigned char>(text[begin + depth]);
    const auto at = [depth](const Token& token) {
      return depth < token.text.size() ? static_cast<unsigned char>(token.text[depth]) : -1;
    };
    low = std::partition_point(low, high, [&](const Token& t) { return at(t) < byte; });
    high = std::partition_point(low, high, [&](const Token& t) { return at(t) <= byte; });
    if (low != high && low->text.size() == depth + 1) longest = &*low;
  }
  return longest;
}

std::optional<std::int32_t> SpecialMatcher::IdOf(std::string_view text) const {
  const auto found =
      std::lower_bound(tokens_.begin(), tokens_.end(), text,
                       [](const Token& token, std::string_view t) { return token.text < t; });
  if (found == tokens_.end() || found->text != text) return std::nullopt;
  return found->id;
}

}  // namespace paluku
