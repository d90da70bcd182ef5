// The emulator's random numbers: the same seed gives the same run on every machine.
#pragma once

#include <cstdint>

namespace paluku::emulator {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15U + 88172645463325252U) {}
  std::uint32_t Next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<std::uint32_t>(state_ >> 20);
  }
  // 0 .. bound - 1
  std::uint32_t Below(std::uint32_t bound) { return Next() % bound; }

 private:
  std::uint64_t state_;
};

}  // namespace paluku::emulator
