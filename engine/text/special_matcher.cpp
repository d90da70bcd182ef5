#include "engine/text/special_matcher.h"

#include <algorithm>

#include "engine/base/utf8.h"

namespace paluku {

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
  for (std::size_t i = from; i < text.size(); ++i) {
    if (!starts_[static_cast<unsigned char>(text[i])]) continue;
    if (const auto match = LongestAt(text, i)) return match;
  }
  return std::nullopt;
}

// Narrows the sorted tokens byte by byte to those that share the text read so far; a token that
// ends there stands first among them.
std::optional<SpecialMatcher::Match> SpecialMatcher::LongestAt(std::string_view text,
                                                               std::size_t begin) const {
  std::optional<Match> longest;
  auto low = tokens_.begin();
  auto high = tokens_.end();
  for (std::size_t depth = 0; begin + depth < text.size() && low != high; ++depth) {
    const auto byte = static_cast<unsigned char>(text[begin + depth]);
    const auto at = [depth](const Token& token) {
      return depth < token.text.size() ? static_cast<unsigned char>(token.text[depth]) : -1;
    };
    low = std::partition_point(low, high, [&](const Token& t) { return at(t) < byte; });
    high = std::partition_point(low, high, [&](const Token& t) { return at(t) <= byte; });
    if (low != high && low->text.size() == depth + 1)
      longest = Match{begin, begin + depth + 1, low->id};
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
