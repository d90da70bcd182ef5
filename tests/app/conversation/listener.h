// Listener: waits for what a conversation service tells. The test's thread waits; Wake() may come
// from any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "app/conversation/conversation_service.h"

namespace paluku {

// Waits for events, keeping all that came.
class Listener {
 public:
  void Wake() {
    const std::scoped_lock lock(mutex_);
    woken_ = true;
    changed_.notify_one();
  }

  // The first event of type T, from now on, for which `wanted` holds.
  template <class T>
  T Await(
      ConversationService& service,
      const std::function<bool(const T&)>& wanted = [](const T&) { return true; }) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < deadline) {
      for (; next_ < events.size(); ++next_) {
        const T* event = std::get_if<T>(&events[next_]);
        if (event != nullptr && wanted(*event)) {
          ++next_;
          return *event;
        }
      }
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, std::chrono::milliseconds(100), [this] { return woken_; });
      woken_ = false;
      lock.unlock();
      for (ConversationEvent& event : service.Drain()) events.push_back(std::move(event));
    }
    throw std::runtime_error("the event did not come");
  }

  std::string Text(const std::string& message) const {
    std::string text;
    for (const ConversationEvent& event : events) {
      const auto* piece = std::get_if<ReplyText>(&event);
      if (piece != nullptr && piece->message == message) text += piece->text;
    }
    return text;
  }

  std::vector<ConversationEvent> events;

 private:
  std::size_t next_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
};

}  // namespace paluku
