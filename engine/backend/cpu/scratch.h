// Scratch: a grow-only workspace for one operation at a time. Take() hands out aligned pieces,
// Reset() takes them all back and keeps the memory, so that a step of a size seen before allocates
// nothing. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/host_memory.h"

namespace paluku {

class Scratch {
 public:
  // `count` values of type T, 64-byte aligned, uninitialised; nullptr when memory is short
  // (failed() tells).
  template <class T>
  T* Take(std::int64_t count) {
    return reinterpret_cast<T*>(TakeBytes(count * static_cast<std::int64_t>(sizeof(T))));
  }
  bool failed() const { return failed_; }

  // Forgets all pieces. Several blocks are replaced by one that holds what they held together.
  void Reset() {
    failed_ = false;
    used_ = 0;
    if (blocks_.size() <= 1) return;
    std::int64_t total = 0;
    for (const Buffer& block : blocks_) total += block.bytes;
    blocks_.clear();
    AddBlock(total);
    failed_ = false;
  }

 private:
  std::byte* TakeBytes(std::int64_t bytes) {
    const std::int64_t padded = (bytes + 63) / 64 * 64;
    if (blocks_.empty() || used_ + padded > blocks_.back().bytes) {
      used_ = 0;
      if (!AddBlock(padded)) return nullptr;
    }
    std::byte* piece = blocks_.back().data.get() + used_;
    used_ += padded;
    return piece;
  }
  bool AddBlock(std::int64_t bytes) {
    Result<Buffer> block = AllocateHostMemory(bytes);
    failed_ = failed_ || !block;
    if (block) blocks_.push_back(std::move(*block));
    return block.has_value();
  }

  std::vector<Buffer> blocks_;
  std::int64_t used_ = 0;  // of the last block
  bool failed_ = false;
};

}  // namespace paluku
