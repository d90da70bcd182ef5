// The byte-level alphabet of GPT-2: every byte has a printable character that stands for it in the
// stored text of a token. Bytes that print stand for themselves, the other 68 for U+0100 upwards.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace paluku {

// The bytes that `stored` stands for; nothing when it holds a character outside the alphabet.
std::optional<std::string> BytesOfStoredToken(std::string_view stored);
// The other way round.
std::string StoredTokenOfBytes(std::string_view bytes);

}  // namespace paluku
