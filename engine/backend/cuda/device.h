// The card: one stream, its memory, and the first thing that went wrong.
//
// Calls of the CUDA runtime go through Check; after a failure everything later is skipped until
// Synchronise has told it. Used by the engine's thread only.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <optional>
#include <string>

#include "engine/backend/backend.h"
#include "engine/base/error.h"

namespace paluku::cuda {

class Device {
 public:
  // The first card. Error: kDeviceFailed with the reason in words.
  static Result<Device> Open();
  Device(Device&& other) noexcept;
  Device& operator=(Device&&) = delete;
  ~Device();

  const std::string& card() const { return card_; }  // "NVIDIA GeForce RTX 4070"
  int multiprocessors() const { return multiprocessors_; }
  int architecture() const { return architecture_; }  // 75, 80, ...
  cudaStream_t stream() const { return stream_; }
  // Bytes that a second brings from pinned memory to the card; 0 when it could not be measured.
  double link_speed() const { return link_speed_; }

  std::int64_t FreeBytes() const;  // of its memory; 0 when it cannot say
  // Memory of the card, 256-byte aligned. Error: kOutOfMemory.
  Result<Buffer> Allocate(std::int64_t bytes) const;
  // Memory of the host that the card copies from at full speed. Error: kOutOfMemory.
  static Result<Buffer> AllocatePinned(std::int64_t bytes);

  // False, and remembers the first error, when `result` is one.
  bool Check(cudaError_t result, const char* what);
  void Remember(Error error);
  bool failed() const { return error_.has_value(); }
  // Waits for the stream; the first error since the last call.
  Status Synchronise();

 private:
  Device() = default;
  void MeasureLink();
  std::string card_;
  int multiprocessors_ = 0;
  int architecture_ = 0;
  double link_speed_ = 0;
  cudaStream_t stream_ = nullptr;
  std::optional<Error> error_;
};

}  // namespace paluku::cuda
