// Interrupt: while one lives, Ctrl+C asks its stop token instead of ending the program.
// Main thread; one at a time.
#pragma once

#include <csignal>
#include <stop_token>
#include <thread>

namespace paluku::cli {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  struct sigaction previous_ = {};
  std::jthread watcher_;  // a stop source may not be asked inside a signal handler, so a thread
                          // looks for the signal
};

}  // namespace paluku::cli
