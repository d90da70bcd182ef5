// SpeedWindow: tokens per second as the average of the last two seconds, known from the 8th token
// on. A value of ChatController; times are milliseconds of any steady clock.
#pragma once

#include <cstdint>
#include <deque>

namespace paluku {

class SpeedWindow {
 public:
  void clear() { points_.clear(); }

  // `tokens` in all were generated at `ms`.
  void add(std::int64_t ms, int tokens) {
    points_.push_back({ms, tokens});
    while (points_.size() > 2 && points_[1].ms <= ms - kWindowMs) points_.pop_front();
  }

  // 0 while unknown.
  double tokensPerSecond() const {
    if (points_.empty() || points_.back().tokens < kFirstTokens) return 0;
    const std::int64_t ms = points_.back().ms - points_.front().ms;
    return ms > 0 ? 1000.0 * (points_.back().tokens - points_.front().tokens) / double(ms) : 0;
  }

 private:
  static constexpr std::int64_t kWindowMs = 2000;
  static constexpr int kFirstTokens = 8;
  struct Point {
    std::int64_t ms;
    int tokens;
  };
  std::deque<Point> points_;
};

}  // namespace paluku
