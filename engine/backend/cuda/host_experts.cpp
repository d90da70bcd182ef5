#include "engine/backend/cuda/host_experts.h"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/backend/cuda/kernels/mat_vec.h"
#include "engine/backend/cuda/scratch_plan.h"

namespace paluku::cuda {
namespace {

Tensor Matrix(DType dtype, std::int64_t rows, std::int64_t columns, void* data) {
  return {.dtype = dtype,
          .rank = 2,
          .shape = {rows, columns},
          .data = static_cast<std::byte*>(data),
          .slab_stride = 0};
}

bool SameTensor(const Tensor& a, const Tensor& b) {
  return a.data == b.data && a.dtype == b.dtype && a.shape == b.shape &&
         a.slab_stride == b.slab_stride;
}

bool SameWeights(const SwiGluWeights& a, const SwiGluWeights& b) {
  return SameTensor(a.gate, b.gate) && SameTensor(a.up, b.up) && SameTensor(a.down, b.down);
}

}  // namespace

HostExperts::~HostExperts() {
  if (stream_ == nullptr) return;
  cudaStreamSynchronize(stream_);
  const std::scoped_lock lock(working_);
  if (given_ != nullptr) cudaEventDestroy(given_);
  if (taken_ != nullptr) cudaEventDestroy(taken_);
  cudaStreamDestroy(stream_);
}

void HostExperts::Begin(std::stop_token stop) {
  if (busy_ && !device_.failed()) {
    device_.Check(cudaStreamSynchronize(stream_), "waiting for the processor");
  }
  busy_ = false;
  stop_ = std::move(stop);
}

bool HostExperts::Prepare() {
  if (processor_) return true;
  processor_.reset(host_.make_processor(host_.threads));
  if (!processor_) {
    device_.Remember({ErrorCode::kDeviceFailed, device_.card(), "the processor cannot help"});
    return false;
  }
  return device_.Check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking),
                       "making a stream") &&
         device_.Check(cudaEventCreateWithFlags(&given_, cudaEventDisableTiming),
                       "making an event") &&
         device_.Check(cudaEventCreateWithFlags(&taken_, cudaEventDisableTiming),
                       "making an event");
}

// Recordings hold addresses of jobs and memory.
void HostExperts::Forget() {
  device_.Check(cudaStreamSynchronize(device_.stream()), "waiting for the card");
  device_.Check(cudaStreamSynchronize(stream_), "waiting for the processor");
  recordings_.Clear();
  jobs_.clear();
  pinned_ = {};
  card_ = {};
}

bool HostExperts::Reserve(const MoeFfnParams& p) {
  if (!Prepare()) return false;
  const std::int64_t values = p.x.elements(), slots = p.ids.elements(), rows = p.x.rows();
  if (values <= values_room_ && slots <= slots_room_ && rows <= rows_room_) return true;
  Forget();
  values_room_ = std::max(values_room_, values);
  slots_room_ = std::max(slots_room_, slots);
  rows_room_ = std::max(rows_room_, rows);
  ScratchPlan host, card;
  const std::int64_t x = host.Add<float>(values_room_), sums = host.Add<float>(values_room_);
  const std::int64_t ids = host.Add<std::int32_t>(slots_room_);
  const std::int64_t weights = host.Add<float>(slots_room_);
  const std::int64_t card_sums = card.Add<float>(values_room_), ones = card.Add<float>(rows_room_);
  auto pinned = Device::AllocatePinned(host.bytes());
  auto memory = device_.Allocate(card.bytes());
  if (!pinned || !memory) {
    device_.Remember(pinned ? memory.error() : pinned.error());
    values_room_ = slots_room_ = rows_room_ = 0;
    return false;
  }
  pinned_ = std::move(*pinned);
  card_ = std::move(*memory);
  std::byte* at = pinned_.data.get();
  x_ = reinterpret_cast<float*>(at + x);
  sums_ = reinterpret_cast<float*>(at + sums);
  ids_ = reinterpret_cast<std::int32_t*>(at + ids);
  weights_ = reinterpret_cast<float*>(at + weights);
  card_sums_ = reinterpret_cast<float*>(card_.data.get() + card_sums);
  auto* ones_at = reinterpret_cast<float*>(card_.data.get() + ones);
  ones_ = ones_at;
  const std::vector<float> filled(static_cast<std::size_t>(rows_room_), 1.0F);
  return device_.Check(cudaMemcpyAsync(ones_at, filled.data(), filled.size() * sizeof(float),
                                       cudaMemcpyHostToDevice, device_.stream()),
                       "copying to the card") &&
         device_.Check(cudaStreamSynchronize(device_.stream()), "copying to the card");
}

HostExperts::Job* HostExperts::JobFor(const MoeFfnParams& p) {
  const int rows = static_cast<int>(p.x.rows());
  for (const auto& job : jobs_) {
    // Long steps are not recorded, and the one before has ended (Begin): they share a job.
    const bool both_long = rows > kMaxColumns && job->rows > kMaxColumns;
    if ((job->rows != rows && !both_long) || !SameWeights(job->routed, p.routed)) continue;
    job->rows = rows;
    return job.get();
  }
  jobs_.push_back(std::make_unique<Job>(Job{.owner = this,
                                            .routed = p.routed,
                                            .rows = rows,
                                            .hidden = static_cast<int>(p.x.columns()),
                                            .chosen = static_cast<int>(p.ids.columns())}));
  return jobs_.back().get();
}

void HostExperts::Start(const MoeFfnParams& p) {
  if (!Reserve(p) || device_.failed()) return;
  busy_ = true;
  Job* job = JobFor(p);
  const auto fetch = [&](void* to, const Tensor& from) {
    device_.Check(cudaMemcpyAsync(to, from.data, static_cast<std::size_t>(from.elements() * 4),
                                  cudaMemcpyDeviceToHost, stream_),
                  "handing rows to the processor");
  };
  device_.Check(cudaEventRecord(given_, device_.stream()), "handing rows to the processor");
  device_.Check(cudaStreamWaitEvent(stream_, given_, 0), "handing rows to the processor");
  fetch(x_, p.x);
  fetch(ids_, p.ids);
  fetch(weights_, p.weights);
  device_.Check(cudaLaunchHostFunc(stream_, Run, job), "handing rows to the processor");
  device_.Check(cudaMemcpyAsync(card_sums_, sums_, static_cast<std::size_t>(p.x.elements() * 4),
                                cudaMemcpyHostToDevice, stream_),
                "taking sums from the processor");
  device_.Check(cudaEventRecord(taken_, stream_), "taking sums from the processor");
}

const float* HostExperts::Await() {
  if (device_.failed()) return nullptr;
  device_.Check(cudaStreamWaitEvent(device_.stream(), taken_, 0), "taking sums from the processor");
  return device_.failed() ? nullptr : card_sums_;
}

void HostExperts::Run(void* job) {
  const Job& known = *static_cast<const Job*>(job);
  known.owner->Compute(known);
}

// On a thread of the CUDA runtime, which must not be called from here.
void HostExperts::Compute(const Job& job) {
  const std::scoped_lock lock(working_);
  if (error_) return;  // the step is void already
  const int experts = static_cast<int>(job.routed.down.dim(0));
  const int slots = job.rows * job.chosen;
  const bool known = std::all_of(ids_, ids_ + slots,
                                 [experts](std::int32_t id) { return id >= 0 && id < experts; });
  if (!known) {
    error_ =
        Error{ErrorCode::kDeviceFailed, device_.card(), "it chose an expert that is not there"};
    return;
  }
  const MoeFfnParams p = {.x = Matrix(DType::kF32, job.rows, job.hidden, x_),
                          .ids = Matrix(DType::kI32, job.rows, job.chosen, ids_),
                          .weights = Matrix(DType::kF32, job.rows, job.chosen, weights_),
                          .routed = job.routed,
                          .routed_on_processor = true,
                          .shared = {},
                          .out = Matrix(DType::kF32, job.rows, job.hidden, sums_)};
  processor_->RunStep(0, {}, {}, stop_, [&] { processor_->MoeFfn(p); });
  if (const Status done = processor_->Synchronise(); !done) error_ = done.error();
}

std::optional<Error> HostExperts::TakeError() {
  busy_ = false;
  const std::scoped_lock lock(working_);
  return std::exchange(error_, std::nullopt);
}

}  // namespace paluku::cuda
