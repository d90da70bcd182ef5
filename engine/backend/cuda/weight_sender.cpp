#include "engine/backend/cuda/weight_sender.h"

#include <algorithm>
#include <utility>

namespace paluku::cuda {
namespace {

constexpr std::int64_t kPartBytes = 16 << 20;
constexpr std::int64_t kPieceBytes = 64 << 10;  // of a part, for one thread at a time

std::int64_t RowBytesOf(const WeightLayout& layout) {
  return layout.low_row + layout.high_row + layout.scale_row + layout.super_row;
}

// The planes of a part from row `row` on.
PlanePointers RowOf(const PlanePointers& part, const WeightLayout& layout, std::int64_t row) {
  return {.low = part.low + row * layout.low_row,
          .high = part.high + row * layout.high_row,
          .scales = part.scales + row * layout.scale_row,
          .supers = part.supers + row * layout.super_row};
}

}  // namespace

WeightSender::~WeightSender() {
  for (cudaEvent_t event : sent_) {
    if (event == nullptr) continue;
    cudaEventSynchronize(event);
    cudaEventDestroy(event);
  }
}

bool WeightSender::Prepare(std::int64_t bytes) {
  if (!pool_) pool_.emplace(threads_);
  for (int i = 0; i < kParts; ++i) {
    if (sent_[i] == nullptr &&
        !device_.Check(cudaEventCreateWithFlags(&sent_[i], cudaEventDisableTiming),
                       "making an event")) {
      return false;
    }
    if (parts_[i].bytes >= bytes) continue;
    if (!device_.Check(cudaEventSynchronize(sent_[i]), "copying weights")) return false;
    parts_[i] = {};
    auto part = Device::AllocatePinned(bytes);
    if (!part) {
      device_.Remember(part.error());
      return false;
    }
    parts_[i] = std::move(*part);
  }
  return true;
}

bool WeightSender::Repack(const Tensor& host, const WeightLayout& layout, std::int64_t first,
                          std::int64_t count, const PlanePointers& to,
                          const std::stop_token& stop) {
  const std::int64_t rows = std::max<std::int64_t>(1, kPieceBytes / RowBytesOf(layout));
  return pool_->Run(static_cast<int>((count + rows - 1) / rows), stop, [&](int piece, int) {
    const std::int64_t at = piece * rows;
    RepackRows(host, layout, first + at, std::min(rows, count - at), RowOf(to, layout, at));
  });
}

bool WeightSender::Send(const Tensor& host, const WeightLayout& layout, std::byte* to,
                        cudaStream_t stream, const std::stop_token& stop) {
  if (device_.failed() || !Prepare(std::max(kPartBytes, RowBytesOf(layout)))) return false;
  const std::int64_t rows_at_once =
      std::clamp<std::int64_t>(kPartBytes / RowBytesOf(layout), 1, host.rows());
  for (std::int64_t first = 0; first < host.rows(); first += rows_at_once) {
    const std::int64_t count = std::min(rows_at_once, host.rows() - first);
    const int part = next_++ % kParts;
    if (!device_.Check(cudaEventSynchronize(sent_[part]), "copying weights")) return false;
    std::byte* at = parts_[part].data.get();
    const PlanePointers planes = {.low = at,
                                  .high = at += count * layout.low_row,
                                  .scales = at += count * layout.high_row,
                                  .supers = at += count * layout.scale_row};
    if (!Repack(host, layout, first, count, planes, stop)) return false;
    const auto copy = [&](const std::byte* from, std::int64_t plane_at, std::int64_t plane_row) {
      if (plane_row == 0) return;
      device_.Check(cudaMemcpyAsync(to + plane_at + first * plane_row, from,
                                    static_cast<std::size_t>(count * plane_row),
                                    cudaMemcpyHostToDevice, stream),
                    "copying weights");
    };
    copy(planes.low, 0, layout.low_row);
    copy(planes.high, layout.high_at, layout.high_row);
    copy(planes.scales, layout.scale_at, layout.scale_row);
    copy(planes.supers, layout.super_at, layout.super_row);
    if (!device_.Check(cudaEventRecord(sent_[part], stream), "copying weights")) return false;
  }
  return !device_.failed();
}

}  // namespace paluku::cuda
