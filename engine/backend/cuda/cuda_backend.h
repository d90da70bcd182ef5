// CudaBackend: the operations of backend.h on one NVIDIA card.
//
// A step is two passes over its body. The first only takes the fingerprint of the operations and
// collects the values of the draw; then rows and page tables are copied to the card, and the second
// pass launches the kernels, unless a recording of the same fingerprint is replayed instead
// (recordings.h). All memory that operations work in is allocated before or between steps. Used by
// the engine's thread only.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/cuda/dense_library.h"
#include "engine/backend/cuda/device.h"
#include "engine/backend/cuda/expert_stream.h"
#include "engine/backend/cuda/fingerprint.h"
#include "engine/backend/cuda/host_experts.h"
#include "engine/backend/cuda/kernels/experts.h"
#include "engine/backend/cuda/kernels/rows.h"
#include "engine/backend/cuda/recordings.h"
#include "engine/backend/cuda/scratch.h"
#include "engine/backend/cuda/step_memory.h"
#include "engine/backend/cuda/weight_sender.h"

namespace paluku::cuda {

class CudaBackend final : public Backend {
 public:
  // Error: kDeviceFailed with the reason in words.
  static Result<std::unique_ptr<CudaBackend>> Create(const CudaHost& host);
  ~CudaBackend() override;

  std::string_view name() const override { return "cuda"; }
  CardInfo card() const override {
    return {device_.card(), device_.FreeBytes(), device_.link_speed()};
  }
  std::string Remark() override { return dense_library_.Problem(); }

  Result<Buffer> Allocate(std::int64_t bytes) override;
  Result<Tensor> PrepareWeight(const Tensor& host, std::vector<Buffer>& owners,
                               const std::stop_token& stop) override;
  bool TakesQuantisedUpProjections() const override { return true; }
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
  CudaBackend(Device device, const CudaHost& host);

  enum class Pass { kNone, kFingerprint, kLaunch };
  enum class Operation : std::uint8_t {
    kEmbed,
    kRmsNorm,
    kAddRmsNorm,
    kMatMul,
    kMatMulPair,
    kLatentAppend,
    kIndexAppend,
    kSelectTokens,
    kMlaAttention,
    kRouteExperts,
    kMoeFfn,
    kSwiGluFfn,
    kReluSquaredFfn,
    kGatherRows,
    kSample,
  };
  // Every operation begins with it: true when kernels are to be launched now.
  template <class... Arguments>
  bool Begin(Operation operation, const Arguments&... arguments) {
    if (pass_ == Pass::kFingerprint) {
      fingerprint_.Add(operation);
      (fingerprint_.Add(arguments), ...);
      return false;
    }
    return !Stopped();
  }
  bool Stopped();
  bool LaunchAll(const std::function<void()>& body);
  void KeepPace();
  // Kernels were launched with what the runtime found wrong at once.
  void Launched() { device_.Check(cudaGetLastError(), "starting a kernel"); }

  // --- activations as kernels want them ---
  // Room for [rows, columns] rounded activations of the tensor that is being written, or nothing
  // when its rows cannot be cut into groups.
  QuantisedRows RoomForRounded(const Tensor& x);
  // `x` as columns for `weight` (and others of the same length): rounded when it wants integers.
  Columns ColumnsOf(const Tensor& x, bool integers);
  // The tensor at `data` is about to be written: its rounded copy is no longer one.
  void Overwritten(const Tensor& tensor);
  const float* FrequenciesOf(const RopeParams& params);
  CacheView CacheOf(int layer) const;
  // A power of two that no row of the step sees more tokens than.
  int TokensBound() const { return tokens_bound_; }

  // The two ways of MlaAttention: a sequence, and rows of any sequences. `rounded`: of all rows.
  bool GoesExpanded(const MlaAttentionParams& p, const StepSequence& sequence) const;
  void AttendExpanded(const MlaAttentionParams& p, const StepSequence& sequence);
  void AttendAbsorbed(const MlaAttentionParams& p, int first_row, int rows,
                      const QuantisedRows& rounded);
  // out[r] = weight * column r of x, for any number of rows; with our own kernels alone, and with
  // cuBLAS where that is faster.
  void MultiplyByKernels(const WeightView& weight, const Columns& x, int rows, float* out);
  void Multiply(const WeightView& weight, const Columns& x, int rows, float* out);
  // `passing`: the routed experts when they are not on the card but pass through it.
  void RunManyRows(const Tensor& x, const ExpertArgs& args, const Tensor& out,
                   const SwiGluWeights* passing);
  bool Passes(const MoeFfnParams& p);
  void RunNetworks(const Tensor& x, ExpertArgs args, const Tensor& out);
  void RunWithProcessor(const MoeFfnParams& p, const ExpertArgs& shared);

  Device device_;
  StepMemory step_;
  Recordings recordings_;
  Scratch scratch_;
  HostExperts host_experts_;
  WeightSender sender_;
  ExpertStream expert_stream_;
  DenseLibrary dense_library_;

  // The step in progress.
  StepBatch batch_;
  LatentPages pages_;
  std::stop_token stop_;
  Pass pass_ = Pass::kNone;
  Fingerprint fingerprint_;
  bool cancelled_ = false;
  int tokens_bound_ = 0;
  int attentions_ = 0;  // launched in this step

  // Rounded activations of the tensor written last, valid for several operations.
  Scratch rounded_;
  Tensor rounded_of_;
  QuantisedRows rounded_rows_;

  struct Frequencies {
    std::vector<float> host;
    Buffer card;
  };
  std::vector<Frequencies> frequencies_;
  static constexpr int kPaceEvents = 2;
  cudaEvent_t pace_[kPaceEvents] = {};
};

}  // namespace paluku::cuda
