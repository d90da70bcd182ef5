#include "tests/op_cases/device_mirror.h"

#include <cstring>
#include <utility>
#include <vector>

#include "engine/backend/host_memory.h"
#include "engine/base/check.h"

namespace paluku::op_cases {

// One operation: its tensors on the device, and which of them come back.
class DeviceMirror::Call {
 public:
  explicit Call(DeviceMirror& mirror) : mirror_(mirror), pages_(mirror.pages_) {
    if (pages_.data == nullptr) return;
    const Tensor all = Bytes(pages_.data, pages_.page_bytes() * pages_.page_count);
    pages_.data = InOut(all).data;
  }

  Tensor In(const Tensor& host) { return host ? Place(host, true, false) : host; }
  Tensor Out(const Tensor& host) { return Place(host, false, true); }
  Tensor InOut(const Tensor& host) { return Place(host, true, true); }
  Tensor Weight(const Tensor& host) {
    if (!host) return host;
    auto weight = mirror_.device_->PrepareWeight(host, buffers_, {});
    PALUKU_CHECK(weight.has_value());
    return *weight;
  }
  SwiGluWeights Weights(const SwiGluWeights& host) {
    return {Weight(host.gate), Weight(host.up), Weight(host.down)};
  }

  // Small cases run three times, as a decode step is issued, recorded and replayed. What the
  // operation changes in place is restored in between.
  void Run(const std::function<void(Backend&)>& operation) {
    Backend& device = *mirror_.device_;
    std::int64_t bytes = 0;
    for (const Placed& placed : placed_) bytes += placed.bytes;
    const int rounds = bytes <= kReplayedBytes ? 3 : 1;
    for (int round = 0; round < rounds; ++round) {
      for (const Placed& placed : placed_) Fill(placed);
      device.RunStep(mirror_.bucket_, mirror_.batch_, pages_, mirror_.stop_,
                     [&] { operation(device); });
    }
    if (mirror_.stop_.stop_requested()) return;
    for (const Placed& placed : placed_) {
      if (!placed.out) continue;
      device.Download(placed.device, {placed.host, static_cast<std::size_t>(placed.bytes)});
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
      placed.in = placed.in || in;
      placed.out = placed.out || out;
      Tensor known = host;
      known.data = placed.device;
      return known;
    }
    auto buffer = mirror_.device_->Allocate(host.bytes());
    PALUKU_CHECK(buffer.has_value());
    Tensor tensor = host;
    tensor.data = buffer->data.get();
    placed_.push_back({host.data, tensor.data, host.bytes(), in, out});
    buffers_.push_back(std::move(*buffer));
    return tensor;
  }

  void Fill(const Placed& placed) {
    if (placed.in) {
      mirror_.device_->Upload({placed.host, static_cast<std::size_t>(placed.bytes)}, placed.device);
      return;
    }
    const std::vector<std::byte> garbage(static_cast<std::size_t>(placed.bytes), std::byte{0x7f});
    mirror_.device_->Upload(garbage, placed.device);
  }

  DeviceMirror& mirror_;
  LatentPages pages_;
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
  bucket_ = bucket;
  batch_ = batch;
  pages_ = pages;
  stop_ = std::move(stop);
  body();
}

Status DeviceMirror::Synchronise() { return device_->Synchronise(); }

void DeviceMirror::Embed(const Tensor& table, float scale, const Tensor& out) {
  Call call(*this);
  const Tensor on_table = call.Weight(table), on_out = call.Out(out);
  call.Run([&](Backend& b) { b.Embed(on_table, scale, on_out); });
}

void DeviceMirror::RmsNorm(const Tensor& x, const Tensor& weight, float epsilon,
                           const Tensor& out) {
  Call call(*this);
  const Tensor on_x = call.In(x), on_weight = call.In(weight), on_out = call.Out(out);
  call.Run([&](Backend& b) { b.RmsNorm(on_x, on_weight, epsilon, on_out); });
}

void DeviceMirror::AddRmsNorm(const Tensor& x, const Tensor& delta, const Tensor& weight,
                              float epsilon, const Tensor& out) {
  Call call(*this);
  // x is what the rounds start from, so the sum goes to a copy of its own.
  const Tensor on_x = call.InOut(x), on_delta = call.In(delta), on_weight = call.In(weight);
  const Tensor on_out = call.Out(out);
  call.Run([&](Backend& b) { b.AddRmsNorm(on_x, on_delta, on_weight, epsilon, on_out); });
}

void DeviceMirror::MatMul(const Tensor& x, const Tensor& weight, const Tensor& out) {
  Call call(*this);
  const Tensor on_x = call.In(x), on_weight = call.Weight(weight), on_out = call.Out(out);
  call.Run([&](Backend& b) { b.MatMul(on_x, on_weight, on_out); });
}

void DeviceMirror::MatMulPair(const Tensor& x, const Tensor& first, const Tensor& first_out,
                              const Tensor& second, const Tensor& second_out) {
  Call call(*this);
  const Tensor on_x = call.In(x), on_first = call.Weight(first), on_second = call.Weight(second);
  const Tensor on_first_out = call.Out(first_out), on_second_out = call.Out(second_out);
  call.Run(
      [&](Backend& b) { b.MatMulPair(on_x, on_first, on_first_out, on_second, on_second_out); });
}

void DeviceMirror::LatentAppend(const LatentAppendParams& params) {
  Call call(*this);
  LatentAppendParams on = params;
  on.kv = call.In(params.kv);
  on.norm = call.In(params.norm);
  if (params.q) on.q = call.InOut(params.q);
  call.Run([&](Backend& b) { b.LatentAppend(on); });
}

void DeviceMirror::IndexAppend(const IndexAppendParams& params) {
  Call call(*this);
  IndexAppendParams on = params;
  on.key = call.In(params.key);
  on.norm = call.In(params.norm);
  on.bias = call.In(params.bias);
  call.Run([&](Backend& b) { b.IndexAppend(on); });
}

void DeviceMirror::SelectTokens(const SelectTokensParams& params) {
  Call call(*this);
  SelectTokensParams on = params;
  on.q = call.InOut(params.q);
  on.weights = call.In(params.weights);
  on.selected = call.Out(params.selected);
  call.Run([&](Backend& b) { b.SelectTokens(on); });
}

void DeviceMirror::MlaAttention(const MlaAttentionParams& params) {
  Call call(*this);
  MlaAttentionParams on = params;
  on.q = call.In(params.q);
  on.w_uk = call.Weight(params.w_uk);
  on.w_uv = call.Weight(params.w_uv);
  on.selected = call.In(params.selected);
  on.out = call.Out(params.out);
  call.Run([&](Backend& b) { b.MlaAttention(on); });
}

void DeviceMirror::RouteExperts(const RouteExpertsParams& params) {
  Call call(*this);
  RouteExpertsParams on = params;
  on.x = call.In(params.x);
  on.gate = call.Weight(params.gate);
  on.bias = call.In(params.bias);
  on.ids = call.Out(params.ids);
  on.weights = call.Out(params.weights);
  call.Run([&](Backend& b) { b.RouteExperts(on); });
}

void DeviceMirror::MoeFfn(const MoeFfnParams& params) {
  Call call(*this);
  MoeFfnParams on = params;
  on.x = call.In(params.x);
  on.ids = call.In(params.ids);
  on.weights = call.In(params.weights);
  on.routed = call.Weights(params.routed);
  on.shared = call.Weights(params.shared);
  on.out = call.Out(params.out);
  call.Run([&](Backend& b) { b.MoeFfn(on); });
}

void DeviceMirror::SwiGluFfn(const Tensor& x, const SwiGluWeights& weights, const Tensor& out) {
  Call call(*this);
  const Tensor on_x = call.In(x), on_out = call.Out(out);
  const SwiGluWeights on_weights = call.Weights(weights);
  call.Run([&](Backend& b) { b.SwiGluFfn(on_x, on_weights, on_out); });
}

void DeviceMirror::ReluSquaredFfn(const Tensor& x, const Tensor& up, const Tensor& down,
                                  const Tensor& out) {
  Call call(*this);
  const Tensor on_x = call.In(x), on_up = call.Weight(up), on_down = call.Weight(down);
  const Tensor on_out = call.Out(out);
  call.Run([&](Backend& b) { b.ReluSquaredFfn(on_x, on_up, on_down, on_out); });
}

void DeviceMirror::GatherRows(const Tensor& x, const Tensor& out) {
  Call call(*this);
  const Tensor on_x = call.In(x), on_out = call.Out(out);
  call.Run([&](Backend& b) { b.GatherRows(on_x, on_out); });
}

void DeviceMirror::Sample(const Tensor& logits, const SamplingParams& params,
                          std::span<const std::int32_t> history, std::uint64_t position,
                          const Tensor& out) {
  Call call(*this);
  const Tensor on_logits = call.In(logits), on_out = call.Out(out);
  call.Run([&](Backend& b) { b.Sample(on_logits, params, history, position, on_out); });
}

}  // namespace paluku::op_cases
