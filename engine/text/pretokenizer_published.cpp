// How published tokenizer.json files write the steps of the known pre-tokenizers.
#include <algorithm>
#include <array>

#include "engine/text/pretokenizer.h"

namespace paluku {
namespace {

// Line ends stand in these files as characters or as escapes.
std::string WithEscapes(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\r') {
      escaped += R"(\r)";
    } else if (c == '\n') {
      escaped += R"(\n)";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

#define PALUKU_CONTRACTION "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define PALUKU_UPPER R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])"
#define PALUKU_LOWER R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])"
#define PALUKU_UPPER_NOT_HAN R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]])"
#define PALUKU_LOWER_NOT_HAN R"([\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]])"
#define PALUKU_CASED(UPPER, LOWER, SUFFIX)                                                    \
  R"([^\r\n\p{L}\p{N}]?)" UPPER "*" LOWER "+" SUFFIX R"(|[^\r\n\p{L}\p{N}]?)" UPPER "+" LOWER \
  "*" SUFFIX "|"
#define PALUKU_SYMBOLS_AND_SPACES R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"
#define PALUKU_SYMBOLS_AND_SLASH R"(| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"
#define PALUKU_LLAMA3(DIGITS) \
  PALUKU_CONTRACTION R"(|[^\r\n\p{L}\p{N}]?\p{L}+|)" DIGITS PALUKU_SYMBOLS_AND_SPACES

// Where a step ends in "…", the file has ranges of characters there, in one spelling or another,
// and the name is told by the rest.
constexpr std::string_view kRest = "…";

struct Published {
  std::string_view name;
  std::array<std::string_view, 6> steps;
};
constexpr Published kPublished[] = {
    {"deepseek-v3",
     {R"(\p{N}{1,3})", "[…", R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}…)"}},
    {"deepseek-llm", {R"([\r\n])", R"(\s?[…)", R"(\s?[…)", R"(\s+$)", "[…", "digits"}},
    {"deepseek-coder", {R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)", "[…", "digits"}},
    {"llama-bpe", {PALUKU_LLAMA3(R"(\p{N}{1,3})")}},
    {"qwen2", {PALUKU_LLAMA3(R"(\p{N})")}},
    {"gpt-2", {"gpt-2"}},
    {"gpt-4o",
     {PALUKU_CASED(PALUKU_UPPER, PALUKU_LOWER,
                   PALUKU_CONTRACTION "?") R"(\p{N}{1,3})" PALUKU_SYMBOLS_AND_SLASH}},
    {"tekken", {PALUKU_CASED(PALUKU_UPPER, PALUKU_LOWER, "") R"(\p{N})" PALUKU_SYMBOLS_AND_SLASH}},
    {"kimi-k2",
     {R"([\p{Han}]+|)" PALUKU_CASED(PALUKU_UPPER_NOT_HAN, PALUKU_LOWER_NOT_HAN,
                                    PALUKU_CONTRACTION
                                    "?") R"(\p{N}{1,3})" PALUKU_SYMBOLS_AND_SPACES}},
    {"youtu",
     {"[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-"
      "ゟ゠-"
      "ヿ]"
      "+",
      PALUKU_CASED(PALUKU_UPPER, PALUKU_LOWER,
                   PALUKU_CONTRACTION "?") R"(\p{N})" PALUKU_SYMBOLS_AND_SLASH}},
};

bool SameStep(std::string_view published, const std::string& step) {
  if (!published.ends_with(kRest)) return published == step;
  return step.starts_with(published.substr(0, published.size() - kRest.size()));
}

}  // namespace

std::optional<std::string> PreTokenizerOfSteps(std::vector<std::string> steps) {
  for (std::string& step : steps) step = WithEscapes(step);
  for (const Published& published : kPublished) {
    const auto end = std::find(published.steps.begin(), published.steps.end(), "");
    if (std::equal(published.steps.begin(), end, steps.begin(), steps.end(), SameStep))
      return std::string(published.name);
  }
  return std::nullopt;
}

}  // namespace paluku
