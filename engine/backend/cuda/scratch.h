// Scratch: working memory of one operation on the card. It grows when an operation needs more than
// any before it; recordings, which hold its address, are then forgotten.
#pragma once

#include "engine/backend/cuda/device.h"
#include "engine/backend/cuda/recordings.h"
#include "engine/backend/cuda/scratch_plan.h"

namespace paluku::cuda {

class Scratch {
 public:
  Scratch(Device& device, Recordings& recordings) : device_(device), recordings_(recordings) {}

  using Plan = ScratchPlan;
  // nullptr after a failure, which the device remembers.
  std::byte* Reserve(const Plan& plan);

 private:
  Device& device_;
  Recordings& recordings_;
  Buffer buffer_;
};

}  // namespace paluku::cuda
