// Small deepseek2 files made in code: metadata alone, or a model with random weights that runs.
#pragma once

#include <cstdint>
#include <string>

#include "tests/engine/loader/gguf_builder.h"

namespace paluku::test {

// Metadata of DeepSeek-V2-Lite as a current file has it, and the few tensors that a configuration
// is read from, at `hidden` values a token.
GgufBuilder V2LiteMetadata();

inline constexpr int kTinyBos = 256;
inline constexpr int kTinyEos = 257;
inline constexpr int kTinyThinkOpen = 258;
inline constexpr int kTinyThinkClose = 259;
inline constexpr int kTinyUser = 260;
inline constexpr int kTinyAssistant = 261;
inline constexpr int kTinyVocabulary = 262;

struct TinyModel {
  int layers = 3;
  int context = 4096;
  std::uint32_t seed = 1;
  bool tokenizer = true;
  std::string leave_out = {};  // a tensor that is not written
  std::string misshape = {};   // a tensor with one row too many
};
// A model with random f32 weights: one dense layer, then 8 experts of which 2 are chosen. With a
// tokenizer of the 256 bytes and the special tokens below; its chat template is V3's.
GgufBuilder MakeTinyModel(const TinyModel& model = {});

}  // namespace paluku::test
