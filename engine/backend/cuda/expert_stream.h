// ExpertStream: in a step of many rows, routed experts that live in the host's memory pass through
// the card instead of being computed by the processor. They come in slices (expert_plan.h) through
// two banks in turn: while the card computes on one, the next slice is repacked and copied into the
// other, on a stream of its own; events keep the two apart.
//
// Used by the engine's thread, in steps that are not recorded.
#pragma once

#include <functional>
#include <initializer_list>
#include <stop_token>

#include "engine/backend/cuda/device.h"
#include "engine/backend/cuda/plugin_api.h"
#include "engine/backend/cuda/weight_sender.h"

namespace paluku::cuda {

class ExpertStream {
 public:
  ExpertStream(Device& device, WeightSender& sender, const CudaHost& host)
      : device_(device), sender_(sender), host_(host) {}
  ~ExpertStream();
  ExpertStream(const ExpertStream&) = delete;
  ExpertStream& operator=(const ExpertStream&) = delete;

  // Room for slices of these experts. False when the card has none, which the log then says once:
  // the processor computes them.
  bool Reserve(const SwiGluWeights& experts);

  // Brings `matrices`, [experts, rows, columns] each, one or two, slice by slice. `work` launches
  // what uses experts [first, first + count) on the card's stream; views[i] is of matrix i, and
  // begins with expert `first`. False after a request to stop or a failure.
  using Work = std::function<void(const WeightView* views, int first, int count)>;
  bool Pass(std::initializer_list<Tensor> matrices, const std::stop_token& stop, const Work& work);

 private:
  bool Prepare();

  static constexpr int kBanks = 2;
  static constexpr int kMostMatrices = 2;
  Device& device_;
  WeightSender& sender_;
  CudaHost host_;
  cudaStream_t stream_ = nullptr;
  Buffer banks_[kBanks];
  cudaEvent_t arrived_[kBanks] = {};  // the slice is on the card
  cudaEvent_t free_[kBanks] = {};     // the card has worked on it
  std::int64_t refused_ = 0;          // bytes of a bank that there was no memory for
  int next_ = 0;
};

}  // namespace paluku::cuda
