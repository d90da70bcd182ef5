// ProgressLine: bytes done and time left of a long command, in one line of a terminal that is
// written over. Silent where stderr is no terminal. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace paluku::cli {

// "1.2 GB of 10.4 GB, 12 s left"; without the time while too little is done to tell.
std::string ProgressText(std::int64_t done, std::int64_t total, double seconds);

class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();  // clears the line
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void Show(std::int64_t done, std::int64_t total);

 private:
  using Clock = std::chrono::steady_clock;

  const bool terminal_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point shown_;
};

}  // namespace paluku::cli
