#include <algorithm>

#include "app/conversation/conversation_service.h"
#include "engine/base/utf8.h"

namespace paluku {
namespace {

constexpr std::size_t kMaxTitleCharacters = 60;

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

std::string TitleFromText(const std::string& text) {
  std::string title;
  std::size_t characters = 0;
  std::size_t last_word_end = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (IsSpace(text[i])) {
      if (!title.empty() && title.back() != ' ') {
        last_word_end = title.size();
        title.push_back(' ');
        ++characters;
      }
      ++i;
      continue;
    }
    const std::size_t length =
        std::max<std::size_t>(1, ValidUtf8Prefix(std::string_view(text).substr(i)));
    title.append(text, i, length);
    i += length;
    // A word is never cut unless it alone is too long: half a cluster would show as a broken
    // letter.
    if (++characters > kMaxTitleCharacters && last_word_end > 0) {
      title.resize(last_word_end);
      return title + "…";
    }
    if (characters > 4 * kMaxTitleCharacters) break;
  }
  if (!title.empty() && title.back() == ' ') title.pop_back();
  return title;
}

}  // namespace paluku
