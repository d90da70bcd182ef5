#include "tests/op_cases/device_mirror.h"

#include <cstring>
#include <functional>
#include <utility>
#include <vector>

#include "engine/backend/host_memory.h"
#include "engine/base/check.h"
#include "engine/sampling/sampling_params.h"

namespace paluku::op_cases {

// The operations of one step: their tensors on the device, and which of these come back.
class DeviceMirror::Operations {
 public:
  Operations(Backend& device, const LatentPages& pages) : device_(device), pages_(pages) {
    if (pages_.data == nullptr) return;
    const Tensor all = Bytes(pages_.data, pages_.page_bytes() * pages_.page_count);
    pages_.data = InOut(all).data;
  }

  Tensor In(const Tensor& host) { return host ? Place(host, true, false) : host; }
  Tensor Out(const Tensor& host) { return Place(host, false, true); }
  Tensor InOut(const Tensor& host) { return Place(host, true, true); }
  Tensor Weight(const Tensor& host) {
    if (!host) return host;
    auto weight = device_.PrepareWeight(host, buffers_, {});
    PALUKU_CHECK(weight.has_value());
    return *weight;
  }
  SwiGluWeights Weights(const SwiGluWeights& host) {
    return {Weight(host.gate), Weight(host.up), Weight(host.down)};
  }

  void Add(std::function<void(Backend&)> operation) { operations_.push_back(std::move(operation)); }

  // Small cases run three times, as a decode step is issued, recorded and replayed. What the
  // operations change in place is restored in between.
  void Run(std::int64_t bucket, const StepBatch& batch, const std::stop_token& stop) {
    std::int64_t bytes = 0;
    for (const Placed& placed : placed_) bytes += placed.bytes;
    const int rounds = bytes <= kReplayedBytes ? 3 : 1;
    for (int round = 0; round < rounds; ++round) {
      for (const Placed& placed : placed_) Fill(placed);
      device_.RunStep(bucket, batch, pages_, stop, [&] {
        for (const auto& operation : operations_) operation(device_);
      });
    }
    if (stop.stop_requested()) return;
    for (const Placed& placed : placed_) {
      if (!placed.out) continue;
      device_.Download(placed.device, {placed.host, static_cast<std::size_t>(placed.bytes)});
    }
  }

 private:
  static constexpr std::int64_t kReplayedBytes = 32 << 10;
  struct Placed {
    std::byte* host;
    std::byte* device;
    std::int64_t bytes;
    bool in, out;
  };

  static Tensor Bytes(std::byte* data, std::int64_t count) {
    PALUKU_CHECK(count % 2 == 0);
    return {.dtype = DType::kF16, .rank = 1, .shape = {count / 2}, .data = data};
  }

  Tensor Place(const Tensor& host, bool in, bool out) {
    PALUKU_CHECK(host.slab_stride == 0);
    for (Placed& placed : placed_) {  // the same tensor in two roles
      if (placed.host != host.data) continue;
      // What an operation before wrote is not the host's.
      placed.in = placed.in || (in && !placed.out);
      placed.out = placed.out || out;
      Tensor known = host;
      known.data = placed.device;
      return known;
    }
    auto buffer = device_.Allocate(host.bytes());
    PALUKU_CHECK(buffer.has_value());
    Tensor tensor = host;
    tensor.data = buffer->data.get();
    placed_.push_back({host.data, tensor.data, host.bytes(), in, out});
    buffers_.push_back(std::move(*buffer));
    return tensor;
  }

  void Fill(const Placed& placed) {
    if (placed.in) {
      device_.Upload({placed.host, static_cast<std::size_t>(placed.bytes)}, placed.device);
      return;
    }
    const std::vector<std::byte> garbage(static_cast<std::size_t>(placed.bytes), std::byte{0x7f});
    device_.Upload(garbage, placed.device);
  }

  Backend& device_;
  LatentPages pages_;
  std::vector<std::function<void(Backend&)>> operations_;
  std::vector<Placed> placed_;
  std::vector<Buffer> buffers_;
};

Result<Buffer> DeviceMirror::Allocate(std::int64_t bytes) { return AllocateHostMemory(bytes); }

Result<Tensor> DeviceMirror::PrepareWeight(const Tensor& host, std::vector<Buffer>&,
                                           const std::stop_token&) {
  return host;
}

void DeviceMirror::Upload(std::span<const std::byte> from, std::byte* to) {
  std::memcpy(to, from.data(), from.size());
}

void DeviceMirror::Download(const std::byte* from, std::span<std::byte> to) {
  std::memcpy(to.data(), from, to.size());
}

void DeviceMirror::Copy(const std::byte* from, std::byte* to, std::int64_t bytes) {
  std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

void DeviceMirror::RunStep(std::int64_t bucket, const StepBatch& batch, const LatentPages& pages,
                           std::stop_token stop, const std::function<void()>& body) {
  Operations operations(*device_, pages);
  step_ = &operations;
  body();
  step_ = nullptr;
  operations.Run(bucket, batch, stop);
}

Status DeviceMirror::Synchronise() { return device_->Synchronise(); }

void DeviceMirror::Embed(const Tensor& table, float scale, const Tensor& out) {
  const Tensor on_table = step_->Weight(table), on_out = step_->Out(out);
  step_->Add([=](Backend& b) { b.Embed(on_table, scale, on_out); });
}

void DeviceMirror::RmsNorm(const Tensor& x, const Tensor& weight, float epsilon,
                           const Tensor& out) {
  const Tensor on_x = step_->In(x), on_weight = step_->In(weight), on_out = step_->Out(out);
  step_->Add([=](Backend& b) { b.RmsNorm(on_x, on_weight, epsilon, on_out); });
}

void DeviceMirror::AddRmsNorm(const Tensor& x, const Tensor& delta, const Tensor& weight,
                              float epsilon, const Tensor& out) {
  // x is what the rounds start from, so the sum goes to a copy of its own.
  const Tensor on_x = step_->InOut(x), on_delta = step_->In(delta), on_weight = step_->In(weight);
  const Tensor on_out = step_->Out(out);
  step_->Add([=](Backend& b) { b.AddRmsNorm(on_x, on_delta, on_weight, epsilon, on_out); });
}

void DeviceMirror::MatMul(const Tensor& x, const Tensor& weight, const Tensor& out) {
  const Tensor on_x = step_->In(x), on_weight = step_->Weight(weight), on_out = step_->Out(out);
  step_->Add([=](Backend& b) { b.MatMul(on_x, on_weight, on_out); });
}

void DeviceMirror::MatMulPair(const Tensor& x, const Tensor& first, const Tensor& first_out,
                              const Tensor& second, const Tensor& second_out) {
  const Tensor on_x = step_->In(x), on_first = step_->Weight(first),
               on_second = step_->Weight(second);
  const Tensor on_first_out = step_->Out(first_out), on_second_out = step_->Out(second_out);
  step_->Add(
      [=](Backend& b) { b.MatMulPair(on_x, on_first, on_first_out, on_second, on_second_out); });
}

void DeviceMirror::LatentAppend(const LatentAppendParams& params) {
  LatentAppendParams on = params;
  on.kv = step_->In(params.kv);
  on.norm = step_->In(params.norm);
  if (params.q) on.q = step_->InOut(params.q);
  step_->Add([=](Backend& b) { b.LatentAppend(on); });
}

void DeviceMirror::IndexAppend(const IndexAppendParams& params) {
  IndexAppendParams on = params;
  on.key = step_->In(params.key);
  on.norm = step_->In(params.norm);
  on.bias = step_->In(params.bias);
  step_->Add([=](Backend& b) { b.IndexAppend(on); });
}

void DeviceMirror::SelectTokens(const SelectTokensParams& params) {
  SelectTokensParams on = params;
  on.q = step_->InOut(params.q);
  on.weights = step_->In(params.weights);
  on.selected = step_->Out(params.selected);
  step_->Add([=](Backend& b) { b.SelectTokens(on); });
}

void DeviceMirror::MlaAttention(const MlaAttentionParams& params) {
  MlaAttentionParams on = params;
  on.q = step_->In(params.q);
  on.w_uk = step_->Weight(params.w_uk);
  on.w_uv = step_->Weight(params.w_uv);
  on.selected = step_->In(params.selected);
  on.out = step_->Out(params.out);
  step_->Add([=](Backend& b) { b.MlaAttention(on); });
}

void DeviceMirror::RouteExperts(const RouteExpertsParams& params) {
  RouteExpertsParams on = params;
  on.x = step_->In(params.x);
  on.gate = step_->Weight(params.gate);
  on.bias = step_->In(params.bias);
  on.ids = step_->Out(params.ids);
  on.weights = step_->Out(params.weights);
  step_->Add([=](Backend& b) { b.RouteExperts(on); });
}

void DeviceMirror::MoeFfn(const MoeFfnParams& params) {
  MoeFfnParams on = params;
  on.x = step_->In(params.x);
  on.ids = step_->In(params.ids);
  on.weights = step_->In(params.weights);
  on.routed = step_->Weights(params.routed);
  on.shared = step_->Weights(params.shared);
  on.out = step_->Out(params.out);
  step_->Add([=](Backend& b) { b.MoeFfn(on); });
}

void DeviceMirror::SwiGluFfn(const Tensor& x, const SwiGluWeights& weights, const Tensor& out) {
  const Tensor on_x = step_->In(x), on_out = step_->Out(out);
  const SwiGluWeights on_weights = step_->Weights(weights);
  step_->Add([=](Backend& b) { b.SwiGluFfn(on_x, on_weights, on_out); });
}

void DeviceMirror::ReluSquaredFfn(const Tensor& x, const Tensor& up, const Tensor& down,
                                  const Tensor& out) {
  const Tensor on_x = step_->In(x), on_up = step_->Weight(up), on_down = step_->Weight(down);
  const Tensor on_out = step_->Out(out);
  step_->Add([=](Backend& b) { b.ReluSquaredFfn(on_x, on_up, on_down, on_out); });
}

void DeviceMirror::GatherRows(const Tensor& x, const Tensor& out) {
  const Tensor on_x = step_->In(x), on_out = step_->Out(out);
  step_->Add([=](Backend& b) { b.GatherRows(on_x, on_out); });
}

void DeviceMirror::Sample(const Tensor& logits, const SamplingParams& params,
                          std::span<const std::int32_t> history, std::uint64_t position,
                          const Tensor& out) {
  const Tensor on_logits = step_->In(logits), on_out = step_->Out(out);
  step_->Add([=](Backend& b) { b.Sample(on_logits, params, history, position, on_out); });
}

}  // namespace paluku::op_cases
