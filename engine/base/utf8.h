// UTF-8 helpers without tables: length of a sequence, validation, repair, text that is safe to
// show. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace paluku {

// Bytes that the sequence starting with `lead` should have (1 to 4), or 0 when `lead` cannot start
// one.
std::size_t Utf8SequenceLength(unsigned char lead);

// Length of the valid sequence at the start of `text` (Unicode 15, table 3-7: no overlong forms, no
// surrogates, nothing above U+10FFFF), or 0 when there is none. `text` must not be empty.
std::size_t ValidUtf8Prefix(std::string_view text);

bool IsValidUtf8(std::string_view text);

// `text` with every maximal invalid part replaced by U+FFFD, as the WHATWG Encoding Standard does.
std::string RepairUtf8(std::string_view text);

// `text` as it may stand in a sentence, a list or a terminal, whoever wrote it: valid UTF-8 in
// which control characters, line ends and marks of direction have become U+FFFD; what is longer
// than `most` bytes is cut to them and ends in "…".
std::string PlainLine(std::string_view text, std::size_t most);

// Decodes the valid sequence at the start of `text` and tells its length.
char32_t DecodeUtf8(std::string_view text, std::size_t* length);

void AppendUtf8(std::string& out, char32_t code_point);

}  // namespace paluku
