// WeightSender: brings weights to the card in the form of weight_layout.h. Several threads repack a
// part into pinned memory while the part before it is on its way. Used by the engine's thread.
#pragma once

#include <optional>
#include <stop_token>

#include "engine/backend/cpu/worker_pool.h"
#include "engine/backend/cuda/device.h"
#include "engine/backend/cuda/weight_layout.h"

namespace paluku::cuda {

class WeightSender {
 public:
  // `threads` as in BackendOptions.
  WeightSender(Device& device, int threads) : device_(device), threads_(threads) {}
  ~WeightSender();
  WeightSender(const WeightSender&) = delete;
  WeightSender& operator=(const WeightSender&) = delete;

  // Writes `host` to `to`, layout.bytes of memory of the card, in order with `stream`. `host` has
  // been read when it returns. False after a request to stop, or a failure, which the device
  // remembers.
  bool Send(const Tensor& host, const WeightLayout& layout, std::byte* to, cudaStream_t stream,
            const std::stop_token& stop);

 private:
  bool Prepare(std::int64_t bytes);  // parts of at least so many
  bool Repack(const Tensor& host, const WeightLayout& layout, std::int64_t first,
              std::int64_t count, const PlanePointers& to, const std::stop_token& stop);

  static constexpr int kParts = 2;
  Device& device_;
  int threads_;
  std::optional<WorkerPool> pool_;  // from the first weight on
  Buffer parts_[kParts];            // pinned
  cudaEvent_t sent_[kParts] = {};   // the part may be written again
  int next_ = 0;
};

}  // namespace paluku::cuda
