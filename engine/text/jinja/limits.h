// Limits: what one template may cost, whatever it holds. Counted, never timed, so that a template
// that works on one machine works on all. One Budget per rendering, on one thread.
//
// Source of the figures: security rules for hostile templates (steps, depth, output, ranges).
#pragma once

#include <cstddef>
#include <cstdint>

namespace paluku::jinja {

inline constexpr int kMaxNesting = 64;                // blocks and parentheses inside one another
inline constexpr int kMaxMacroDepth = 64;             // macros that call macros
inline constexpr int kMaxEvaluationDepth = 512;       // blocks and expressions, through macros
inline constexpr int kMaxDataDepth = 64;              // lists inside lists, of values and of JSON
inline constexpr std::int64_t kMaxSteps = 1'000'000;  // and one more for each byte of the messages
inline constexpr std::int64_t kBytesPerStep = 32;     // text that one step may touch
inline constexpr std::int64_t kMaxRange = 100'000;
inline constexpr std::size_t kMaxMemory = 16u << 20;  // and 8 bytes for each byte of the messages
inline constexpr std::size_t kMaxOutput = 4u << 20;   // and 2 bytes for each byte of the messages
inline constexpr std::size_t kMaxPieces = 200'000;    // that a text is split into
inline constexpr std::size_t kMaxSource = 256u << 10;
inline constexpr std::size_t kMaxTokens = 64u << 10;  // of the source

// Throws TemplateError (template_error.h) when something is used up.
class Budget {
 public:
  // `input_bytes`: text of the messages.
  explicit Budget(std::size_t input_bytes)
      : steps_(kMaxSteps + static_cast<std::int64_t>(input_bytes)),
        memory_(kMaxMemory + 8 * input_bytes),
        output_(kMaxOutput + 2 * input_bytes) {}

  void Spend(std::int64_t steps) {
    steps_ -= steps;
    if (steps_ < 0) FailSteps();
  }
  void SpendBytes(std::size_t bytes) {
    Spend(1 + static_cast<std::int64_t>(bytes) / kBytesPerStep);
  }
  // Memory, before it is allocated.
  void Take(std::size_t bytes) {
    Check(bytes);
    used_ += bytes;
  }
  // For copies that live only for a moment.
  void Check(std::size_t bytes) const {
    if (bytes > memory_ - used_) FailMemory();
  }
  void GiveBack(std::size_t bytes) { used_ -= bytes; }
  // Text must not become longer than what may be written out in the end.
  std::size_t max_text() const { return output_; }

 private:
  [[noreturn]] static void FailSteps();
  [[noreturn]] static void FailMemory();

  std::int64_t steps_;
  std::size_t memory_;
  std::size_t used_ = 0;
  std::size_t output_;
};

}  // namespace paluku::jinja
