#include "engine/backend/cuda/step_memory.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

#include "engine/sampling/rng.h"

namespace paluku::cuda {

StepMemory::~StepMemory() {
  if (copied_ != nullptr) cudaEventDestroy(copied_);
}

bool StepMemory::Grow(std::int64_t rows, std::int64_t pages) {
  if (rows <= rows_room_ && pages <= pages_room_) return false;
  constexpr std::int64_t kFirstRows = 512, kFirstPages = 4096;
  const auto doubled = [](std::int64_t need, std::int64_t least) {
    return static_cast<std::int64_t>(
        std::bit_ceil(static_cast<std::uint64_t>(std::max(need, least))));
  };
  rows_room_ = doubled(rows, std::max(rows_room_, kFirstRows));
  pages_room_ = doubled(pages, std::max(pages_room_, kFirstPages));
  const std::int64_t bytes =
      PagesAt() + pages_room_ * static_cast<std::int64_t>(sizeof(std::int32_t));
  device_.Check(cudaStreamSynchronize(device_.stream()), "waiting for the card");
  auto host = Device::AllocatePinned(bytes);
  auto card = device_.Allocate(bytes);
  if (!host || !card) {
    device_.Remember(host ? card.error() : host.error());
    rows_room_ = pages_room_ = 0;
    return true;
  }
  host_ = std::move(*host);
  card_ = std::move(*card);
  if (copied_ == nullptr) {
    device_.Check(cudaEventCreateWithFlags(&copied_, cudaEventDisableTiming), "making an event");
  }
  return true;
}

bool StepMemory::Fill(const StepBatch& batch) {
  std::int64_t pages = 0;
  for (const StepSequence& sequence : batch.sequences) {
    pages += static_cast<std::int64_t>(sequence.page_table.size());
  }
  const bool moved = Grow(batch.rows(), pages);
  rows_used_ = pages_used_ = sample_bytes_used_ = 0;
  if (device_.failed()) return moved;
  if (!moved) device_.Check(cudaEventSynchronize(copied_), "waiting for a copy");
  auto* rows = reinterpret_cast<StepRow*>(host_.data.get() + SampleBytes());
  auto* table = reinterpret_cast<std::int32_t*>(host_.data.get() + PagesAt());
  rows_used_ = batch.rows();
  for (const StepSequence& sequence : batch.sequences) {
    for (int i = 0; i < sequence.rows; ++i) {
      const auto r = static_cast<std::size_t>(sequence.first_row + i);
      rows[r] = {.token = batch.tokens[r],
                 .position = batch.positions[r],
                 .table_start = static_cast<std::int32_t>(pages_used_),
                 .output_row = r < batch.output_rows.size() ? batch.output_rows[r] : 0};
    }
    std::copy(sequence.page_table.begin(), sequence.page_table.end(), table + pages_used_);
    pages_used_ += static_cast<std::int64_t>(sequence.page_table.size());
  }
  return moved;
}

void StepMemory::FillSample(const SamplingParams& params, std::span<const std::int32_t> history,
                            std::uint64_t position, int vocabulary) {
  if (device_.failed()) return;
  auto& values = *reinterpret_cast<SampleValues*>(host_.data.get());
  values.uniform = UniformAt(params.seed, position);
  values.temperature = params.temperature;
  values.top_p = params.top_p;
  values.min_p = params.min_p;
  values.repetition_penalty = params.repetition_penalty;
  values.presence_penalty = params.presence_penalty;
  values.frequency_penalty = params.frequency_penalty;
  values.top_k = params.top_k;
  values.penalised = 0;
  const bool penalties = (params.repetition_penalty > 0 && params.repetition_penalty != 1) ||
                         params.presence_penalty != 0 || params.frequency_penalty != 0;
  if (penalties && params.penalty_window > 0) {
    const auto seen =
        history.last(std::min({history.size(), static_cast<std::size_t>(params.penalty_window),
                               static_cast<std::size_t>(kMaxPenalised)}));
    window_.assign(seen.begin(), seen.end());
    std::sort(window_.begin(), window_.end());
    for (std::size_t i = 0; i < window_.size(); ++i) {
      const std::int32_t id = window_[i];
      if (id < 0 || id >= vocabulary) continue;
      if (i == 0 || window_[i - 1] != id) values.tokens[values.penalised++] = {id, 0};
      ++values.tokens[values.penalised - 1].count;
    }
  }
  sample_bytes_used_ = static_cast<std::int64_t>(offsetof(SampleValues, tokens)) +
                       values.penalised * static_cast<std::int64_t>(sizeof(PenalisedToken));
}

void StepMemory::CopyPart(std::int64_t at, std::int64_t bytes) {
  if (bytes == 0 || device_.failed()) return;
  device_.Check(
      cudaMemcpyAsync(card_.data.get() + at, host_.data.get() + at, static_cast<std::size_t>(bytes),
                      cudaMemcpyHostToDevice, device_.stream()),
      "copying the rows of a step");
}

void StepMemory::Upload() {
  CopyPart(0, sample_bytes_used_);
  CopyPart(SampleBytes(), rows_used_ * kRowBytes);
  CopyPart(PagesAt(), pages_used_ * static_cast<std::int64_t>(sizeof(std::int32_t)));
  if (!device_.failed()) device_.Check(cudaEventRecord(copied_, device_.stream()), "an event");
}

StepRows StepMemory::rows() const {
  const std::byte* card = card_.data.get();
  return {.rows = reinterpret_cast<const StepRow*>(card + SampleBytes()),
          .page_table = reinterpret_cast<const std::int32_t*>(card + PagesAt())};
}

const SampleValues* StepMemory::sample() const {
  return reinterpret_cast<const SampleValues*>(card_.data.get());
}

}  // namespace paluku::cuda
