// Scratch: working memory of one operation on the card. It grows when an operation needs more than
// any before it; recordings, which hold its address, are then forgotten.
#pragma once

#include <cstdint>

#include "engine/backend/cuda/device.h"
#include "engine/backend/cuda/recordings.h"

namespace paluku::cuda {

class Scratch {
 public:
  Scratch(Device& device, Recordings& recordings) : device_(device), recordings_(recordings) {}

  // Parts of one block, each 256-byte aligned. All are asked for before the first is used.
  class Plan {
   public:
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
  // nullptr after a failure, which the device remembers.
  std::byte* Reserve(const Plan& plan);

 private:
  Device& device_;
  Recordings& recordings_;
  Buffer buffer_;
};

}  // namespace paluku::cuda
