#include "engine/text/pretokenizer_patterns.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <span>

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
constexpr Range kHangul[] = {{0xAC00, 0xD7A3}, {0x3131, 0x318E}};
constexpr Range kBopomofo[] = {{0x3105, 0x312F}};
constexpr Range kYoutuPunctuation[] = {{0xFF01, 0xFF01}, {0x2026, 0x2026}, {0x201C, 0x201D},
                                       {0x2018, 0x2019}, {0x2014, 0x2014}, {0xFF1A, 0xFF1B},
                                       {0xFF0C, 0xFF0C}, {0x3001, 0x303F}, {0xFE30, 0xFE4F}};

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

// DeepSeek Coder.
std::vector<SplitPattern> CoderPatterns() {
  return {{R"([\r\n])"},
          {"[" PALUKU_SPACES R"(]?\p{L}+)"},
          {"[" PALUKU_SPACES R"(]?\p{P}+)"},
          {Class(kLlmCjk) + "+", /*needs_non_ascii=*/true},
          {R"(\p{N})"}};
}

// (?i:'s|'t|'re|'ve|'m|'ll|'d), where Unicode counts the long s as an s.
constexpr char kContraction[] = R"('(?:[sS\x{17F}tTmMdD]|[rRvV][eE]|[lL][lL]))";
constexpr char kAnyPrefix[] = R"([^\r\n\p{L}\p{N}]?)";

// What most patterns end in: digits, symbols with the line ends (or `after_symbols`) behind them,
// white space up to its last line end, white space but for the last before a word.
std::string DigitsSymbolsSpaces(const std::string& digits, const std::string& after_symbols) {
  return "|" + digits + "| ?[^" PALUKU_SPACES R"(\p{L}\p{N}]+[)" + after_symbols +
         "]*"
         "|[" PALUKU_SPACES R"(]*[\r\n]+)"
         "|[" PALUKU_SPACES "]+(?![^" PALUKU_SPACES
         "])"
         "|[" PALUKU_SPACES "]+";
}

// Llama 3, GLM-4; with single digits Qwen 2.
std::vector<SplitPattern> Llama3Patterns(const std::string& digits) {
  return {{std::string(kContraction) + "|" + kAnyPrefix + R"(\p{L}+)" +
           DigitsSymbolsSpaces(digits, R"(\r\n)")}};
}

// Words that part where a capital follows a small letter, as o200k of OpenAI has them.
std::string CasedWords(const std::string& upper, const std::string& lower,
                       const std::string& suffix) {
  return kAnyPrefix + upper + "*" + lower + "+" + suffix + "|" + kAnyPrefix + upper + "+" + lower +
         "*" + suffix;
}
constexpr char kUpper[] = R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])";
constexpr char kLower[] = R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])";

// GPT-4o, Kanana-2.
std::vector<SplitPattern> O200kPatterns() {
  return {{CasedWords(kUpper, kLower, std::string("(?:") + kContraction + ")?") +
           DigitsSymbolsSpaces(R"(\p{N}{1,3})", R"(\r\n/)")}};
}

// Mistral's Tekken.
std::vector<SplitPattern> TekkenPatterns() {
  return {{CasedWords(kUpper, kLower, "") + DigitsSymbolsSpaces(R"(\p{N})", R"(\r\n/)")}};
}

// Youtu-LLM.
std::vector<SplitPattern> YoutuPatterns() {
  return {{Class(kHangul) + "+|" + Class(kYoutuPunctuation) + "+|" + Class(kBopomofo) + "+|" +
               Class(kV3Cjk) + "+",
           /*needs_non_ascii=*/true},
          {CasedWords(kUpper, kLower, std::string("(?:") + kContraction + ")?") +
           DigitsSymbolsSpaces(R"(\p{N})", R"(\r\n/)")}};
}

// Kimi-K2, Moonlight, Kimi-VL: runs of Han, and cased words of everything else. PCRE2 cannot
// intersect classes, so the two classes are written as what they leave out. \p{sc:Han} is the
// script; \p{Han} would be its extensions.
std::vector<SplitPattern> KimiPatterns() {
  const std::string upper = R"([^\p{Ll}\p{N}\p{P}\p{S}\p{Z}\p{C}\p{sc:Han}])";
  const std::string lower = R"([^\p{Lu}\p{Lt}\p{N}\p{P}\p{S}\p{Z}\p{C}\p{sc:Han}])";
  return {{R"(\p{sc:Han}+|)" + CasedWords(upper, lower, std::string("(?:") + kContraction + ")?") +
           DigitsSymbolsSpaces(R"(\p{N}{1,3})", R"(\r\n)")}};
}

// GPT-2, GigaChat: the built-in rule of ByteLevel in Hugging Face tokenizers.
std::vector<SplitPattern> Gpt2Patterns() {
  return {{R"('(?:[stmd]|[rv]e|ll)| ?\p{L}+| ?\p{N}+)"
           "| ?[^" PALUKU_SPACES R"(\p{L}\p{N}]+)"
           "|[" PALUKU_SPACES "]+(?![^" PALUKU_SPACES "])"
           "|[" PALUKU_SPACES "]+"}};
}

constexpr PreTokenizerTraits kFamilies[] = {
    {.name = "deepseek-llm", .adds_bos = true},
    {.name = "deepseek-v3", .adds_bos = true},
    {.name = "deepseek-coder", .adds_bos = true},
    {.name = "kimi-k2", .ignores_merges = true, .merges_by_id = true},
    {.name = "glm4"},
    {.name = "llama-bpe", .ignores_merges = true, .adds_bos = true},
    {.name = "youtu", .ignores_merges = true},
    {.name = "gpt-2"},
    {.name = "gpt-4o"},
    {.name = "tekken", .ignores_merges = true, .adds_bos = true},
    {.name = "qwen2"},
};

// Names that other converters give to the same rules.
constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
    {"joyai-llm", "deepseek-v3"}, {"chatglm-bpe", "glm4"}, {"llama3", "llama-bpe"},
    {"llama-v3", "llama-bpe"},    {"gigachat", "gpt-2"},   {"kanana2", "gpt-4o"}};

}  // namespace

std::optional<PreTokenizerTraits> FindPreTokenizer(std::string_view name) {
  for (const auto& [alias, rules] : kAliases)
    if (name == alias) name = rules;
  for (const PreTokenizerTraits& family : kFamilies)
    if (family.name == name) return family;
  return std::nullopt;
}

std::vector<SplitPattern> PreTokenizerPatterns(std::string_view name) {
  const auto family = FindPreTokenizer(name);
  if (!family) return {};
  if (family->name == "deepseek-llm") return LlmPatterns();
  if (family->name == "deepseek-v3") return V3Patterns();
  if (family->name == "deepseek-coder") return CoderPatterns();
  if (family->name == "kimi-k2") return KimiPatterns();
  if (family->name == "youtu") return YoutuPatterns();
  if (family->name == "gpt-2") return Gpt2Patterns();
  if (family->name == "gpt-4o") return O200kPatterns();
  if (family->name == "tekken") return TekkenPatterns();
  if (family->name == "qwen2") return Llama3Patterns(R"(\p{N})");
  return Llama3Patterns(R"(\p{N}{1,3})");
}

}  // namespace paluku
