// ScratchPlan: parts of one block of memory, each 256-byte aligned. All are asked for before the
// first is used. Plain values.
#pragma once

#include <cstdint>

namespace paluku::cuda {

class ScratchPlan {
 public:
  // Where a part of `count` values begins.
  template <class T>
  std::int64_t Add(std::int64_t count) {
    const std::int64_t at = bytes_;
    bytes_ += (count * static_cast<std::int64_t>(sizeof(T)) + 255) / 256 * 256;
    return at;
  }
  std::int64_t bytes() const { return bytes_; }

 private:
  std::int64_t bytes_ = 0;
};

}  // namespace paluku::cuda
