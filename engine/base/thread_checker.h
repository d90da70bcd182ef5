// ThreadChecker asserts that an object is used by one thread only: the first that calls Check().
#pragma once

#include <atomic>
#include <thread>

#include "engine/base/check.h"

namespace paluku {

class ThreadChecker {
 public:
  // Aborts when called on another thread than the first time (or than after the last Release()).
  void Check() const {
    std::thread::id expected{};
    const std::thread::id self = std::this_thread::get_id();
    if (!owner_.compare_exchange_strong(expected, self)) PALUKU_CHECK(expected == self);
  }
  // Lets the next caller of Check() become the owner.
  void Release() { owner_.store(std::thread::id{}); }

 private:
  mutable std::atomic<std::thread::id> owner_{};
};

}  // namespace paluku
