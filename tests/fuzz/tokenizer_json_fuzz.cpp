// Any bytes as a tokenizer.json: an error, or a tokenizer whose ids are all of its vocabulary and,
// where it is byte-level, give every text back.
#include <array>
#include <cstdint>
#include <span>

#include "engine/base/check.h"
#include "engine/base/utf8.h"
#include "engine/text/tokenizer.h"
#include "tests/fuzz/input_file.h"

namespace {

using paluku::SpecialTokens;
using paluku::Tokenizer;

constexpr std::array<const char*, 4> kTexts = {
    "", "The model's 1234 words,  \n\n  x = [0]; <|end|></s>", "తెలుగు 漢字かな한글 ▁ \u0301A😀",
    "\xFF\xE0\xB0 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

void Encode(const Tokenizer& tokenizer, bool byte_level) {
  for (const char* text : kTexts) {
    for (const SpecialTokens special : {SpecialTokens::kAsText, SpecialTokens::kParse}) {
      const auto back = tokenizer.Decode(tokenizer.Encode(text, special));
      PALUKU_CHECK(back.has_value());
      PALUKU_CHECK(!byte_level || *back == paluku::RepairUtf8(text));
    }
    for (const std::int32_t id : tokenizer.Encode(text, SpecialTokens::kAsText))
      PALUKU_CHECK(!tokenizer.IsControl(id));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const paluku::test::InputFile input(std::span<const std::uint8_t>(data, size));
  auto vocabulary = paluku::VocabularyFromTokenizerJson(input.path());
  if (!vocabulary) {
    PALUKU_CHECK(paluku::IsValidUtf8(vocabulary.error().detail));
    return 0;
  }
  const bool byte_level = vocabulary->kind == paluku::VocabularyKind::kByteLevel;
  const auto tokenizer = Tokenizer::Create(std::move(*vocabulary));
  if (tokenizer) Encode(**tokenizer, byte_level);
  return 0;
}
