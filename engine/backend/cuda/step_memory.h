// StepMemory: what changes from step to step, at addresses that stay: rows, page tables and the
// values of the draw. Written on the host, copied once per step, read by kernels and recordings.
#pragma once

#include <span>

#include "engine/backend/cuda/device.h"
#include "engine/backend/cuda/kernels/sample.h"
#include "engine/backend/cuda/kernels/step_rows.h"
#include "engine/backend/step_batch.h"
#include "engine/sampling/sampling_params.h"

namespace paluku::cuda {

class StepMemory {
 public:
  explicit StepMemory(Device& device) : device_(device) {}
  ~StepMemory();
  StepMemory(const StepMemory&) = delete;
  StepMemory& operator=(const StepMemory&) = delete;

  // Writes the rows of `batch`. Waits until the step before has been copied. True when addresses
  // have changed: recordings of earlier steps are then worthless.
  bool Fill(const StepBatch& batch);
  // Writes the values of the draw numbered `position`.
  void FillSample(const SamplingParams& params, std::span<const std::int32_t> history,
                  std::uint64_t position, int vocabulary);
  // Copies what was filled, in order with the stream.
  void Upload();

  StepRows rows() const;
  const SampleValues* sample() const;

 private:
  bool Grow(std::int64_t rows, std::int64_t pages);
  void CopyPart(std::int64_t at, std::int64_t bytes);
  std::int64_t PagesAt() const { return SampleBytes() + rows_room_ * kRowBytes; }
  static constexpr std::int64_t SampleBytes() { return sizeof(SampleValues); }
  static constexpr std::int64_t kRowBytes = sizeof(StepRow);

  Device& device_;
  // Both: sample values, rows, page table.
  Buffer host_;
  Buffer card_;
  std::int64_t rows_room_ = 0, pages_room_ = 0;
  std::int64_t rows_used_ = 0, pages_used_ = 0;
  std::int64_t sample_bytes_used_ = 0;
  std::vector<std::int32_t> window_;  // tokens the penalties see, sorted
  cudaEvent_t copied_ = nullptr;
};

}  // namespace paluku::cuda
