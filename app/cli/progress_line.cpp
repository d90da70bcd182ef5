#include "app/cli/progress_line.h"

#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "app/cli/context.h"

namespace paluku::cli {

std::string ProgressText(std::int64_t done, std::int64_t total, double seconds) {
  constexpr double kTooSoon = 0.5;
  std::string text = Bytes(done) + " of " + Bytes(total);
  if (seconds < kTooSoon || done <= 0 || done >= total) return text;
  const auto left =
      std::llround(seconds * static_cast<double>(total - done) / static_cast<double>(done));
  text += ", ";
  if (left >= 60) text += std::to_string(left / 60) + " min ";
  return text + std::to_string(left % 60) + " s left";
}

ProgressLine::ProgressLine() : terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (terminal_ && shown_ != Clock::time_point()) std::fputs("\r\033[K", stderr);
}

void ProgressLine::Show(std::int64_t done, std::int64_t total) {
  constexpr std::chrono::milliseconds kPause(100);
  const Clock::time_point now = Clock::now();
  if (!terminal_ || now - shown_ < kPause) return;
  shown_ = now;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  std::fprintf(stderr, "\r\033[K%s", ProgressText(done, total, seconds).c_str());
}

}  // namespace paluku::cli
