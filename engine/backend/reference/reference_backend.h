// ReferenceBackend: every operation as its formula says, in double precision, one value after
// another. It is the oracle of the other backends (tests/op_cases) and a way to doubt them
// (PALUKU_BACKEND=reference); it is far too slow to chat with. Used by one thread.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/sampling/sampler.h"

namespace paluku {

namespace reference {
using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;
}  // namespace reference

class ReferenceBackend final : public Backend {
 public:
  std::string_view name() const override { return "reference"; }

  Result<Buffer> Allocate(std::int64_t bytes) override;
  Result<Tensor> PrepareWeight(const Tensor& host, std::vector<Buffer>& owners,
                               const std::stop_token& stop) override;
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
  // True when the step was asked to stop; the operation then does nothing.
  bool Stopped();
  double IndexScore(const SelectTokensParams& p, std::int64_t row,
                    const reference::Vector& key) const;

  StepBatch batch_;
  LatentPages pages_;
  std::stop_token stop_;
  bool cancelled_ = false;
  Sampler sampler_;
};

// Shared by the files of this folder.
namespace reference {

// Row `index` of a tensor of any type, decoded.
Vector Row(const Tensor& tensor, std::int64_t index);
Matrix AllRows(const Tensor& tensor);
void StoreRow(const Tensor& tensor, std::int64_t index, const Vector& values);
double Dot(const Vector& a, const Vector& b);
// x * weight^T for one row x.
Vector Project(const Vector& x, const Matrix& weight);
// x / rms(x) * weight
Vector Normalise(const Vector& x, const Vector& weight, double epsilon);
// Rotates `x` [rope] for `position`, in place.
void Rotate(double* x, int rope, double position, const RopeParams& params);
// Indices of the `count` largest values, best first; of equal values the lower index comes first.
std::vector<int> Best(const Vector& values, int count);
// down(SiLU(gate x) * up x)
Vector SwiGlu(const Vector& x, const Matrix& gate, const Matrix& up, const Matrix& down);

}  // namespace reference
}  // namespace paluku
