// The known pre-tokenizers: their regular expressions in PCRE2's syntax, and what their names imply
// beside. Pure functions, safe on any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace paluku {

struct SplitPattern {
  std::string regex;
  bool needs_non_ascii = false;  // no match lies in pure ASCII text
};

// What a name in `tokenizer.ggml.pre` implies where the file does not say it.
struct PreTokenizerTraits {
  std::string_view name;        // ours; files may use others for the same rules
  bool ignores_merges = false;  // a piece that is a token as a whole is that token
  bool merges_by_id = false;    // a file without merges: the lower id is joined first
  bool adds_bos = false;        // unless the file says otherwise
};

// Nothing for an unknown name.
std::optional<PreTokenizerTraits> FindPreTokenizer(std::string_view name);

// The steps of `name` in order; empty for an unknown name.
std::vector<SplitPattern> PreTokenizerPatterns(std::string_view name);

}  // namespace paluku
