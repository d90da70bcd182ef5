// What Unicode says of characters, as far as tokenizers ask: composition (NFC), words, white space.
// Pure functions; the only place that uses utf8proc.
#pragma once

#include <string>
#include <string_view>

namespace paluku {

// `text` (valid UTF-8) in normalisation form C (Unicode Standard Annex 15).
std::string ComposeUtf8(std::string_view text);

// White_Space, and what a regular expression calls a word character (letters, marks, digits,
// connectors and joiners; Unicode Technical Standard 18, annex C).
bool IsWhiteSpace(char32_t c);
bool IsWordCharacter(char32_t c);

// The character that ends at `end` of valid UTF-8, 0 < end, and where it begins.
char32_t DecodeUtf8Before(std::string_view text, std::size_t end, std::size_t* begin);

}  // namespace paluku
