#include "engine/backend/cuda/expert_stream.h"

#include <algorithm>
#include <utility>

#include "engine/backend/cuda/expert_plan.h"
#include "engine/base/check.h"
#include "engine/base/log.h"

namespace paluku::cuda {

ExpertStream::~ExpertStream() {
  if (stream_ == nullptr) return;
  cudaStreamSynchronize(stream_);
  for (int i = 0; i < kBanks; ++i) {
    if (arrived_[i] != nullptr) cudaEventDestroy(arrived_[i]);
    if (free_[i] != nullptr) cudaEventDestroy(free_[i]);
  }
  cudaStreamDestroy(stream_);
}

bool ExpertStream::Prepare() {
  if (stream_ != nullptr) return !device_.failed();
  device_.Check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream");
  for (int i = 0; i < kBanks; ++i) {
    for (cudaEvent_t* event : {&arrived_[i], &free_[i]}) {
      device_.Check(cudaEventCreateWithFlags(event, cudaEventDisableTiming), "making an event");
    }
  }
  return !device_.failed();
}

bool ExpertStream::Reserve(const SwiGluWeights& experts) {
  const std::int64_t bytes =
      std::max(SliceOf({experts.gate, experts.up}).bytes, SliceOf({experts.down}).bytes);
  if (banks_[0].bytes >= bytes) return true;
  if (device_.failed() || (refused_ != 0 && bytes >= refused_) || !Prepare()) return false;
  device_.Check(cudaStreamSynchronize(device_.stream()), "waiting for the card");
  device_.Check(cudaStreamSynchronize(stream_), "waiting for the card");
  if (device_.failed()) return false;
  for (Buffer& bank : banks_) bank = {};  // before the new ones, so that both need not fit
  for (Buffer& bank : banks_) {
    auto larger = device_.Allocate(bytes);
    if (!larger) {
      for (Buffer& other : banks_) other = {};
      refused_ = bytes;
      host_.log(static_cast<int>(LogLevel::kWarning),
                "the card has no memory for experts to pass through: the processor computes them "
                "for long prompts, too");
      return false;
    }
    bank = std::move(*larger);
  }
  return true;
}

bool ExpertStream::Pass(std::initializer_list<Tensor> matrices, const std::stop_token& stop,
                        const Work& work) {
  PALUKU_CHECK(matrices.size() <= kMostMatrices);
  const int experts = static_cast<int>(matrices.begin()->dim(0));
  const int at_once = SliceOf(matrices).experts;
  for (int first = 0; first < experts; first += at_once) {
    const int count = std::min(at_once, experts - first), bank = next_++ % kBanks;
    device_.Check(cudaStreamWaitEvent(stream_, free_[bank], 0), "bringing experts");
    std::byte* at = banks_[bank].data.get();
    WeightView views[kMostMatrices];
    WeightView* view = views;
    for (const Tensor& matrix : matrices) {
      const Tensor slice = matrix.Rows(first, count);
      const auto layout = LayoutOf(slice.dtype, slice.rows(), slice.columns());
      PALUKU_CHECK(layout.has_value() &&
                   at + layout->bytes <= banks_[bank].data.get() + banks_[bank].bytes);
      if (!sender_.Send(slice, *layout, at, stream_, stop)) return false;
      *view++ = layout->At(at);
      at += layout->bytes;
    }
    device_.Check(cudaEventRecord(arrived_[bank], stream_), "bringing experts");
    device_.Check(cudaStreamWaitEvent(device_.stream(), arrived_[bank], 0), "bringing experts");
    if (device_.failed()) return false;
    work(views, first, count);
    device_.Check(cudaEventRecord(free_[bank], device_.stream()), "bringing experts");
  }
  return !device_.failed();
}

}  // namespace paluku::cuda
