#include "engine/text/pretokenizer_patterns.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>

#include "engine/text/pretokenizer.h"

namespace paluku {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// White_Space of Unicode, without brackets.
#define PALUKU_SPACES \
  R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})"

// Cased letters as the tokenizer.json of DeepSeek LLM and V2 lists them; it leaves out some, among
// them the small letters of Armenian and Georgian, and so do we.
constexpr Range kLlmLetters[] = {
    {0x41, 0x5A},       {0x61, 0x7A},       {0xB5, 0xB5},       {0xC0, 0xD6},
    {0xD8, 0xF6},       {0xF8, 0x1BA},      {0x1BC, 0x1BF},     {0x1C4, 0x293},
    {0x295, 0x2AF},     {0x370, 0x373},     {0x376, 0x376},     {0x377, 0x377},
    {0x37B, 0x37D},     {0x37F, 0x37F},     {0x386, 0x386},     {0x388, 0x38A},
    {0x38C, 0x38C},     {0x38E, 0x3A1},     {0x3A3, 0x3F5},     {0x3F7, 0x481},
    {0x48A, 0x52F},     {0x531, 0x556},     {0x10A0, 0x10C5},   {0x13A0, 0x13F5},
    {0x13F8, 0x13FD},   {0x1C90, 0x1CBA},   {0x1CBD, 0x1CBF},   {0x1D00, 0x1D2B},
    {0x1D6B, 0x1D77},   {0x1D79, 0x1D9A},   {0x1E00, 0x1F15},   {0x1F18, 0x1F1D},
    {0x1F20, 0x1F45},   {0x1F48, 0x1F4D},   {0x1F50, 0x1F57},   {0x1F59, 0x1F59},
    {0x1F5B, 0x1F5B},   {0x1F5D, 0x1F5D},   {0x1F5F, 0x1F7D},   {0x1F80, 0x1FB4},
    {0x1FB6, 0x1FBC},   {0x1FBE, 0x1FBE},   {0x1FC2, 0x1FC4},   {0x1FC6, 0x1FCC},
    {0x1FD0, 0x1FD3},   {0x1FD6, 0x1FDB},   {0x1FE0, 0x1FEC},   {0x1FF2, 0x1FF4},
    {0x1FF6, 0x1FFC},   {0x2102, 0x2102},   {0x2107, 0x2107},   {0x210A, 0x2113},
    {0x2115, 0x2115},   {0x2119, 0x211D},   {0x2124, 0x2124},   {0x2126, 0x2126},
    {0x2128, 0x2128},   {0x212A, 0x212D},   {0x212F, 0x2134},   {0x2139, 0x2139},
    {0x213C, 0x213F},   {0x2145, 0x2149},   {0x214E, 0x214E},   {0x2183, 0x2183},
    {0x2184, 0x2184},   {0x2C00, 0x2C7B},   {0x2C7E, 0x2CE4},   {0x2CEB, 0x2CEE},
    {0x2CF2, 0x2CF2},   {0x2CF3, 0x2CF3},   {0xA640, 0xA66D},   {0xA680, 0xA69B},
    {0xA722, 0xA76F},   {0xA771, 0xA787},   {0xA78B, 0xA78E},   {0xAB70, 0xABBF},
    {0xFB00, 0xFB06},   {0xFB13, 0xFB17},   {0xFF21, 0xFF3A},   {0xFF41, 0xFF5A},
    {0x10400, 0x1044F}, {0x104B0, 0x104D3}, {0x104D8, 0x104FB}, {0x10C80, 0x10CB2},
    {0x10CC0, 0x10CF2}, {0x118A0, 0x118DF}, {0x1E900, 0x1E943}};
// ASCII and full-width punctuation, quotation marks, the CJK comma and full stop.
constexpr Range kLlmPunctuation[] = {{0x21, 0x2F},     {0x3A, 0x7E},     {0xFF01, 0xFF0F},
                                     {0xFF1A, 0xFF5E}, {0x2018, 0x201F}, {0x3000, 0x3002}};
constexpr Range kLlmCjk[] = {{0x4E00, 0x9FA5}, {0x800, 0x4E00}, {0xAC00, 0xD7FF}};
constexpr Range kV3Cjk[] = {{0x4E00, 0x9FA5}, {0x3040, 0x309F}, {0x30A0, 0x30FF}};

std::string Class(std::span<const Range> ranges) {
  std::string text = "[";
  for (const Range& range : ranges) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, R"(\x{%X}-\x{%X})", static_cast<unsigned>(range.first),
                  static_cast<unsigned>(range.last));
    text += buffer;
  }
  return text + "]";
}

// DeepSeek LLM, V2, V2.5, Coder-V2.
std::vector<SplitPattern> LlmPatterns() {
  const std::string optional_space = "[" PALUKU_SPACES "]?";
  return {{R"([\r\n])"},
          {optional_space + Class(kLlmLetters) + "+"},
          {optional_space + Class(kLlmPunctuation) + "+"},
          // \s+$, told so that a long run of spaces inside a piece is tried once and not once per
          // space. A line end is a piece of its own by now, so $ is the end of the piece.
          {"(?<![" PALUKU_SPACES "])[" PALUKU_SPACES R"(]++\z)"},
          {Class(kLlmCjk) + "+", /*needs_non_ascii=*/true},
          {R"(\p{N})"}};
}

// DeepSeek V3, R1, V3.x.
std::vector<SplitPattern> V3Patterns() {
  const std::string words = R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+)"
                            R"(|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+)"
                            R"(| ?[\p{P}\p{S}]+[\r\n]*)"
                            "|[" PALUKU_SPACES R"(]*[\r\n]+)"
                            "|[" PALUKU_SPACES "]+(?![^" PALUKU_SPACES
                            "])"
                            "|[" PALUKU_SPACES "]+";
  return {{R"(\p{N}{1,3})"}, {Class(kV3Cjk) + "+", /*needs_non_ascii=*/true}, {words}};
}

}  // namespace

std::vector<SplitPattern> PreTokenizerPatterns(std::string_view name) {
  if (name == "deepseek-llm") return LlmPatterns();
  if (name == "deepseek-v3") return V3Patterns();
  return {};
}

std::optional<std::string> PreTokenizerOfSteps(const std::vector<std::string>& steps) {
  const auto starts = [&](std::size_t i, std::string_view prefix) {
    return std::string_view(steps[i]).substr(0, prefix.size()) == prefix;
  };
  // Compared by what tells them apart from their neighbours, because the ranges of a class are
  // written as characters in one file and as escapes in another.
  if (steps.size() == 3 && steps[0] == R"(\p{N}{1,3})" && starts(1, "[") &&
      starts(2, R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^)"))
    return "deepseek-v3";
  if (steps.size() == 6 && (steps[0] == "[\r\n]" || steps[0] == R"([\r\n])") &&
      starts(1, R"(\s?[)") && starts(2, R"(\s?[)") && steps[3] == R"(\s+$)" && starts(4, "[") &&
      steps[5] == "digits")
    return "deepseek-llm";
  return std::nullopt;
}

}  // namespace paluku
