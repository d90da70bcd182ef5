// DeviceMirror: a backend whose operations take tensors in host memory and run them on a device.
//
// The operation cases keep their tensors where the test can read them. The mirror copies what the
// operations of a step read to the device, runs them there and copies back what they wrote, so that
// one table of cases serves processors and cards. Weights go through PrepareWeight, as in a model.
// Everything that an operation writes is filled with garbage on the device first where it is not
// read as well.
#pragma once

#include <map>
#include <memory>

#include "engine/backend/backend.h"

namespace paluku::op_cases {

class DeviceMirror final : public Backend {
 public:
  explicit DeviceMirror(std::unique_ptr<Backend> device) : device_(std::move(device)) {}

  std::string_view name() const override { return device_->name(); }
  Result<Buffer> Allocate(std::int64_t bytes) override;
  Result<Tensor> PrepareWeight(const Tensor& host, std::vector<Buffer>& owners,
                               const std::stop_token& stop) override;
  bool TakesQuantisedUpProjections() const override {
    return device_->TakesQuantisedUpProjections();
  }
  void Upload(std::span<const std::byte> from, std::byte* to) override;
  void Download(const std::byte* from, std::span<std::byte> to) override;
  void Copy(const std::byte* from, std::byte* to, std::int64_t bytes) override;
  void RunStep(std::int64_t bucket, const StepBatch& batch, const LatentPages& pages,
               std::stop_token stop, const std::function<void()>& body) override;
  Status Synchronise() override;

  void Embed(const Tensor& table, float scale, const Tensor& out) override;
  void RmsNorm(const Tensor& x, const Tensor& weight, float epsilon, const Tensor& out) override;
  void AddRmsNorm(const Tensor& x, const Tensor& delta, const Tensor& weight, float epsilon,
                  const Tensor& out) override;
  void MatMul(const Tensor& x, const Tensor& weight, const Tensor& out) override;
  void MatMulPair(const Tensor& x, const Tensor& first, const Tensor& first_out,
                  const Tensor& second, const Tensor& second_out) override;
  void LatentAppend(const LatentAppendParams& params) override;
  void IndexAppend(const IndexAppendParams& params) override;
  void SelectTokens(const SelectTokensParams& params) override;
  void MlaAttention(const MlaAttentionParams& params) override;
  void RouteExperts(const RouteExpertsParams& params) override;
  void MoeFfn(const MoeFfnParams& params) override;
  void SwiGluFfn(const Tensor& x, const SwiGluWeights& weights, const Tensor& out) override;
  void ReluSquaredFfn(const Tensor& x, const Tensor& up, const Tensor& down,
                      const Tensor& out) override;
  void GatherRows(const Tensor& x, const Tensor& out) override;
  void Sample(const Tensor& logits, const SamplingParams& params,
              std::span<const std::int32_t> history, std::uint64_t position,
              const Tensor& out) override;

 private:
  class Operations;

  std::unique_ptr<Backend> device_;
  Operations* step_ = nullptr;  // the step in progress
};

}  // namespace paluku::op_cases
