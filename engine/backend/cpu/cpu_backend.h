// CpuBackend: the operations on the processor's cores, with weights used in place from the mapped
// file.
//
// Each operation runs to its end before it returns, spread over a WorkerPool in pieces whose
// results do not depend on who computes them: same build, same instruction set, same input give the
// same bits for any number of threads. Workspaces grow to the largest step seen; after that nothing
// is allocated. Used by the engine's thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/cpu/kernels/kernel_table.h"
#include "engine/backend/cpu/scratch.h"
#include "engine/backend/cpu/worker_pool.h"
#include "engine/sampling/sampler.h"

namespace paluku {

class CpuBackend final : public Backend {
 public:
  // `instruction_set`: see ChooseKernels. Error: kInvalidArgument.
  static Result<std::unique_ptr<CpuBackend>> Create(int threads, std::string_view instruction_set);

  std::string_view name() const override { return "cpu"; }
  const Kernels& kernels() const { return kernels_; }

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
  CpuBackend(int threads, const Kernels& kernels) : kernels_(kernels), pool_(threads) {}

  const WeightKernels& WeightsOf(const Tensor& tensor) const {
    return kernels_.weights[static_cast<std::size_t>(tensor.dtype)];
  }

  // --- running pieces (cpu_backend.cpp) -----------------------------------------------------
  // True when an earlier operation of the step was stopped or failed: the operation does nothing.
  bool Idle();
  // Starts an operation's workspace. Pieces taken from scratch_ live until the next call.
  void BeginOperation() { scratch_.Reset(); }
  // Notes that memory was short; true when it was.
  bool OutOfMemory();
  // At least `bytes` of workspace for each worker.
  bool ReserveWorkers(std::int64_t bytes);
  std::byte* WorkerMemory(int worker) {
    return worker_memory_[static_cast<std::size_t>(worker)].data.get();
  }
  template <class Body>
  void Run(std::int64_t pieces, const Body& body) {
    PALUKU_CHECK(pieces <= WorkerPool::kMaxPieces);
    if (failure_ == Failure::kNone && !pool_.Run(static_cast<int>(pieces), stop_, body)) {
      failure_ = Failure::kCancelled;
    }
  }
  // Pieces of `step` elements that cover [0, count).
  template <class Body>
  void RunRanges(std::int64_t count, std::int64_t step, const Body& body) {
    Run((count + step - 1) / step, [&](int piece, int worker) {
      const std::int64_t first = piece * step;
      body(first, std::min(first + step, count), worker);
    });
  }

  // --- activations in the form the weights want (matmul.cpp) ---------------------------------
  // Rows of f32 and, if quantised weights use them, the same rows in int8.
  struct Inputs {
    std::int64_t k = 0;
    const float* f32 = nullptr;            // [rows][k]
    const std::byte* quantised = nullptr;  // [rows] of QuantisedRowLayout, or nullptr
    std::int64_t quantised_bytes = 0;      // per row
    ActivationRow Row(std::int64_t row) const {
      return {f32 + row * k, quantised + row * quantised_bytes};
    }
  };
  Inputs MakeInputs(const float* x, std::int64_t rows, std::int64_t k, bool quantised);
  // Blocks of kBlockColumns of the rows `index[0 .. count)` (all of them in order when index is
  // nullptr).
  struct Blocks {
    std::byte* data = nullptr;
    std::int64_t block_bytes = 0;
    int columns = 0;  // rows in all blocks together
    int count() const { return (columns + kBlockColumns - 1) / kBlockColumns; }
    int ColumnsOf(int block) const {
      return std::min(kBlockColumns, columns - block * kBlockColumns);
    }
    const std::byte* Block(int block) const { return data + block * block_bytes; }
  };
  Blocks TakeBlocks(std::int64_t k, int columns, bool quantised);
  void PackBlock(const Inputs& inputs, const int* index, int block, bool quantised,
                 const Blocks& blocks) const;
  // out [rows, weight.rows()] = x [rows, weight.columns()] * weight^T, within an operation.
  void Multiply(const float* x, std::int64_t rows, const Tensor& weight, float* out);
  void MatMulFewRows(const Inputs& inputs, std::int64_t rows, const Tensor& weight, float* out);
  void MatMulManyRows(const Inputs& inputs, std::int64_t rows, const Tensor& weight, float* out);

  // --- feed-forward networks (experts.cpp) ----------------------------------------------------
  // The rows that go through one SwiGLU network: slots [first_slot, first_slot + slots).
  struct Expert {
    SwiGluWeights weights;  // 2-D
    int first_slot = 0;
    int slots = 0;
    float* inner = nullptr;  // [slots][inner]
    Inputs inner_inputs;
    Blocks x_blocks[2];  // by quantised; empty for few rows
    Blocks inner_blocks[2];
    int first_piece = 0;  // of the gate and up phase
    std::int64_t inner_size() const { return weights.gate.dim(0); }
  };
  void AddExpert(const SwiGluWeights& weights, int first_slot, int slots);
  void RunExperts(const Tensor& x, const Tensor& out);
  void PackExpertInputs(const Inputs& inputs);
  void PackExpertInner();
  void GateAndUp(const Inputs& inputs);
  void GateAndUpPiece(const Expert& expert, const Inputs& inputs, std::int64_t first,
                      std::int64_t last, std::byte* memory) const;
  void GateAndUpTiles(const Expert& expert, std::int64_t first, std::int64_t last,
                      std::byte* memory) const;
  void Down(const Tensor& out);
  void DownPiece(const Expert& expert, std::int64_t first, std::int64_t last, float* out,
                 std::int64_t hidden, std::byte* memory) const;
  void DownTiles(const Expert& expert, std::int64_t first, std::int64_t last, float* out,
                 std::int64_t hidden, std::byte* memory) const;

  // --- rotation (cpu_backend.cpp) and attention (attention_*.cpp) ------------------------------
  // cos and sin of every row and pair of this step, [rows][rope / 2][2]; nullptr when memory is
  // short.
  const float* RopeTable(const RopeParams& params);
  void RotateQueries(const LatentAppendParams& params, const float* table);
  // The rows [first, first + rows) of a sequence, all of which see the tokens they may see; or one
  // row that sees `chosen`.
  void AttendAbsorbed(const MlaAttentionParams& p, const StepSequence& sequence, int first,
                      int rows, std::span<const std::int32_t> chosen);
  void AttendExpanded(const MlaAttentionParams& p, const StepSequence& sequence);
  void AttendSelected(const MlaAttentionParams& p, const StepSequence& sequence);
  // Decodes tokens [first, first + count) of the cache, or of the list `chosen` of tokens when it
  // is not empty, to f32 rows of `stride`; the rows up to kAttentionTile become zeros.
  void LoadLatents(const StepSequence& sequence, int layer, std::span<const std::int32_t> chosen,
                   std::int64_t first, int count, std::int64_t stride, float* out) const;
  // Asks for the rows of tokens [first, last), which the next tile needs.
  void PrefetchLatents(const StepSequence& sequence, int layer, std::int64_t first,
                       std::int64_t last) const;

  // --- the indexer of sparse attention (indexer.cpp) -----------------------------------------
  void ScoreTokens(const SelectTokensParams& p, const StepSequence& sequence, int row,
                   float* scores);

  enum class Failure { kNone, kCancelled, kOutOfMemory };

  const Kernels& kernels_;
  WorkerPool pool_;
  Scratch scratch_;
  std::vector<Buffer> worker_memory_;
  Sampler sampler_;

  StepBatch batch_;
  LatentPages pages_;
  std::stop_token stop_;
  Failure failure_ = Failure::kNone;
  std::vector<float> rope_table_;
  const float* rope_table_source_ = nullptr;  // frequencies the table was made from, this step

  std::vector<Expert> experts_;
  std::vector<int> slot_rows_;       // row of x that a slot works on
  std::vector<float> slot_weights_;  // its weight in the sum
  std::vector<int> slot_counts_;
};

}  // namespace paluku
