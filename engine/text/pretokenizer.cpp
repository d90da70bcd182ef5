#define PCRE2_CODE_UNIT_WIDTH 8
#include "engine/text/pretokenizer.h"

#include <pcre2.h>

#include <algorithm>
#include <limits>

#include "engine/base/check.h"
#include "engine/base/utf8.h"
#include "engine/text/pretokenizer_patterns.h"

namespace paluku {
namespace {

struct CodeDeleter {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct MatchDataDeleter {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct MatchContextDeleter {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
}

}  // namespace

struct PreTokenizer::Step {
  std::unique_ptr<pcre2_code, CodeDeleter> code;
  bool needs_non_ascii = false;  // no match lies in pure ASCII text
};

// One call of Split: what PCRE2 needs to match, and the place for the results.
class PreTokenizer::Run {
 public:
  Run(const std::vector<Step>& steps, std::string_view text, std::vector<std::size_t>& ends)
      : steps_(steps),
        text_(text),
        ends_(ends),
        match_(pcre2_match_data_create(1, nullptr)),
        context_(pcre2_match_context_create(nullptr)) {
    PALUKU_CHECK(match_ != nullptr && context_ != nullptr);
    // The patterns need linear time, so a limit would only refuse long texts.
    pcre2_set_match_limit(context_.get(), std::numeric_limits<std::uint32_t>::max());
    pcre2_set_heap_limit(context_.get(), std::numeric_limits<std::uint32_t>::max());
  }

  // Cuts text[begin, end) by the steps from `step` on. A step sees its piece alone: what follows
  // the piece is the end of the text to its look-aheads.
  void Cut(std::size_t step, std::size_t begin, std::size_t end) {
    while (step < steps_.size() && steps_[step].needs_non_ascii &&
           IsAscii(text_.substr(begin, end - begin)))
      ++step;
    if (step == steps_.size()) {
      ends_.push_back(end);
      return;
    }
    std::size_t done = begin;
    while (done < end && Find(steps_[step], begin, end, done)) {
      const PCRE2_SIZE* found = pcre2_get_ovector_pointer(match_.get());
      const std::size_t match_begin = begin + found[0];
      const std::size_t match_end = begin + found[1];
      if (match_begin > done) Cut(step + 1, done, match_begin);
      // In no known sequence a later step divides an ASCII match of an earlier one.
      if (IsAscii(text_.substr(match_begin, match_end - match_begin))) {
        ends_.push_back(match_end);
      } else {
        Cut(step + 1, match_begin, match_end);
      }
      done = match_end;
    }
    if (done < end) Cut(step + 1, done, end);
  }

 private:
  // False also when PCRE2 runs out of memory: the rest then stays one piece, which keeps the text.
  bool Find(const Step& step, std::size_t begin, std::size_t end, std::size_t from) {
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(text_.data() + begin);
    const auto match = [&](std::uint32_t options) {
      return pcre2_match(step.code.get(), subject, end - begin, from - begin,
                         PCRE2_NO_UTF_CHECK | options, match_.get(), context_.get());
    };
    const int found = match(0);
    return found > 0 || (found == PCRE2_ERROR_JIT_STACKLIMIT && match(PCRE2_NO_JIT) > 0);
  }

  const std::vector<Step>& steps_;
  std::string_view text_;
  std::vector<std::size_t>& ends_;
  std::unique_ptr<pcre2_match_data, MatchDataDeleter> match_;
  std::unique_ptr<pcre2_match_context, MatchContextDeleter> context_;
};

PreTokenizer::PreTokenizer(std::vector<Step> steps) : steps_(std::move(steps)) {}
PreTokenizer::PreTokenizer() = default;
PreTokenizer::PreTokenizer(PreTokenizer&&) noexcept = default;
PreTokenizer& PreTokenizer::operator=(PreTokenizer&&) noexcept = default;
PreTokenizer::~PreTokenizer() = default;

Result<PreTokenizer> PreTokenizer::Create(const std::string& name, const std::string& origin) {
  const auto patterns = PreTokenizerPatterns(name);
  if (patterns.empty()) return Fail(ErrorCode::kUnsupportedTokenizer, origin, PlainLine(name, 64));
  std::vector<Step> steps;
  for (const SplitPattern& pattern : patterns) {
    int error = 0;
    PCRE2_SIZE error_offset = 0;
    Step step;
    step.code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.regex.data()),
                                  pattern.regex.size(), PCRE2_UTF, &error, &error_offset, nullptr));
    PALUKU_CHECK(step.code != nullptr);
    // Where the system forbids executable memory this fails, and the interpreter is used.
    pcre2_jit_compile(step.code.get(), PCRE2_JIT_COMPLETE);
    step.needs_non_ascii = pattern.needs_non_ascii;
    steps.push_back(std::move(step));
  }
  return PreTokenizer(std::move(steps));
}

void PreTokenizer::Split(std::string_view text, std::vector<std::size_t>& ends) const {
  ends.clear();
  if (!text.empty()) Run(steps_, text, ends).Cut(0, 0, text.size());
}

}  // namespace paluku
