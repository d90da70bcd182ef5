#include "engine/backend/cuda/scratch.h"

#include <utility>

namespace paluku::cuda {

std::byte* Scratch::Reserve(const Plan& plan) {
  if (plan.bytes() <= buffer_.bytes) return buffer_.data.get();
  device_.Check(cudaStreamSynchronize(device_.stream()), "waiting for the card");
  recordings_.Clear();
  buffer_ = {};  // before the new one, so that both need not fit
  auto larger = device_.Allocate(plan.bytes());
  if (!larger) {
    device_.Remember(larger.error());
    return nullptr;
  }
  buffer_ = std::move(*larger);
  return buffer_.data.get();
}

}  // namespace paluku::cuda
