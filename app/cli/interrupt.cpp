#include "app/cli/interrupt.h"

#include <atomic>
#include <chrono>

namespace paluku::cli {
namespace {

constexpr std::chrono::milliseconds kPollInterval{20};
std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "it is set inside a signal handler");

void OnInterrupt(int /*signal*/) { interrupted.store(true); }

}  // namespace

Interrupt::Interrupt() {
  interrupted.store(false);
  struct sigaction action = {};
  action.sa_handler = OnInterrupt;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, &previous_);
  watcher_ = std::jthread([source = source_](const std::stop_token& ended) mutable {
    while (!ended.stop_requested() && !interrupted.load())
      std::this_thread::sleep_for(kPollInterval);
    if (interrupted.load()) source.request_stop();
  });
}

Interrupt::~Interrupt() {
  watcher_.request_stop();
  watcher_.join();
  sigaction(SIGINT, &previous_, nullptr);
}

}  // namespace paluku::cli
