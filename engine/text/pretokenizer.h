// PreTokenizer: cuts text into the pieces that byte-pair merges never cross.
//
// A pre-tokenizer is a sequence of isolating splits: each step cuts the pieces that the step before
// left; every match becomes a piece, and what lies between matches stays one. The regular
// expressions are those of the published tokenizer.json files, with \s spelled out (Unicode's
// White_Space, where PCRE2 adds U+180E). Const after Create, safe on any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"

namespace paluku {

class PreTokenizer {
 public:
  // Leaves every text in one piece.
  PreTokenizer();
  // `name` as in `tokenizer.ggml.pre`; `origin` is the file, for the error: kUnsupportedTokenizer.
  static Result<PreTokenizer> Create(const std::string& name, const std::string& origin);
  PreTokenizer(PreTokenizer&&) noexcept;
  PreTokenizer& operator=(PreTokenizer&&) noexcept;
  ~PreTokenizer();

  // Replaces `ends` by the end offset of every piece of `text`, ascending; the last is text.size().
  // `text` must be valid UTF-8.
  void Split(std::string_view text, std::vector<std::size_t>& ends) const;

 private:
  struct Step;
  class Run;
  explicit PreTokenizer(std::vector<Step> steps);
  std::vector<Step> steps_;
};

// The name of the pre-tokenizer whose steps a tokenizer.json lists: patterns, "digits" for single
// digits, "gpt-2" for the built-in rule of ByteLevel. Nothing when no known one has these steps.
std::optional<std::string> PreTokenizerOfSteps(std::vector<std::string> steps);

}  // namespace paluku
