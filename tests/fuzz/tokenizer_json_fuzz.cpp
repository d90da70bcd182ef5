// Any bytes as a tokenizer.json: an error, or a tokenizer whose ids are all of its vocabulary and,
// where it loses nothing, give every text back.
#include <cstdint>
#include <span>
#include <utility>

#include "tests/fuzz/checks.h"
#include "tests/fuzz/input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const paluku::test::InputFile input(std::span<const std::uint8_t>(data, size));
  auto vocabulary = paluku::VocabularyFromTokenizerJson(input.path());
  if (!vocabulary) return paluku::test::CheckShown(vocabulary.error()), 0;
  paluku::test::CheckVocabulary(std::move(*vocabulary));
  return 0;
}
