// Backend: the one interface between the model description and the arithmetic.
//
// The operations mean what the papers mean (RmsNorm, MlaAttention, RouteExperts); how they are
// tiled, fused, spread over threads or recorded is the backend's affair. Operations are called on
// the engine's thread, inside RunStep, in order; they return nothing and may run later.
// Synchronise() waits for them and returns the first error since the last call (kCancelled after a
// stop request, kDeviceFailed, kFileDamaged). Shapes are checked by PALUKU_CHECK: the loader has
// validated the model. Activations are f32; accumulation is f32 or better.
//
// A new operation comes with its double-precision reference, a row in tests/op_cases and its CPU
// version. At most 30 operations; see engine/README.md.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/backend/latent_pages.h"
#include "engine/backend/step_batch.h"
#include "engine/base/error.h"
#include "engine/tensor/tensor.h"

namespace paluku {

struct SamplingParams;  // engine/sampling/sampling_params.h

// The card that a backend computes on.
struct CardInfo {
  std::string name;             // "NVIDIA GeForce RTX 4070"; empty: there is none
  std::int64_t free_bytes = 0;  // of its memory, now
  double link_speed = 0;        // bytes a second from the computer to it; 0: not known
};

// Memory of a backend; freed when the last owner lets go.
struct Buffer {
  std::shared_ptr<std::byte> data;
  std::int64_t bytes = 0;
};

// Rotation angles: pair i of a row at position p turns by p * inverse_frequency[i]. YaRN is already
// in the frequencies (arXiv 2309.00071); nothing is multiplied on cos and sin.
struct RopeParams {
  std::span<const float> inverse_frequency;  // [rope / 2]
  bool interleaved = true;                   // pairs (2i, 2i+1); otherwise (i, i + rope/2)
};

struct LatentAppendParams {
  Tensor kv;    // [rows, latent + rope], output of kv_a
  Tensor norm;  // [latent]
  float epsilon = 0;
  RopeParams rope;
  int layer = 0;
  // Queries of the same rows, rotated in place in the last `rope` values of each head; empty: none.
  Tensor q = {};  // [rows, heads * (nope + rope)]
  int heads = 0;
  int nope = 0;
};

enum class AttentionPath : std::uint8_t { kAuto, kExpanded, kAbsorbed };

// Attention of DeepSeek-V2, section 2.1. kExpanded rebuilds keys and values of every head from the
// latent; kAbsorbed moves W_UK into the query and W_UV behind the sum. Same result; kAuto compares
// the arithmetic.
struct MlaAttentionParams {
  Tensor q;  // [rows, heads * (nope + rope)], rope part already rotated
  // f32 | f16 | bf16, and any type where TakesQuantisedUpProjections().
  Tensor w_uk;  // [heads, nope, latent]; turned: [heads, latent, nope]
  Tensor w_uv;  // [heads, value, latent]
  int heads = 0;
  int nope = 0;
  int rope = 0;
  int latent = 0;
  int value = 0;
  float scale = 0;  // mscale^2 / sqrt(nope + rope)
  // Llama 4's temperature, as Mistral uses it: the scale of the row at position p is multiplied by
  // 1 + temperature * ln(1 + floor(p / temperature_length)). 0: none.
  float temperature = 0;
  int temperature_length = 0;
  AttentionPath path = AttentionPath::kAuto;
  bool w_uk_turned = false;  // only of a quantised type
  int layer = 0;
  // [rows, k] i32, out of SelectTokens: the only tokens a row attends to. Empty: all up to its own.
  Tensor selected = {};
  Tensor out;  // [rows, heads * value]

  double ScaleAt(std::int64_t position) const {
    if (temperature == 0) return scale;
    const double turns = std::floor(static_cast<double>(position) / temperature_length);
    return scale * (1 + temperature * std::log(1 + turns));
  }
};

// DeepSeek Sparse Attention (DeepSeek-V3.2-Exp report, section 2.1): a small indexer with keys of
// its own in the cache chooses the tokens that MlaAttention looks at. Only the first
// 2 * inverse_frequency.size() values of its queries and keys are rotated.
struct IndexAppendParams {
  Tensor key;   // [rows, index]
  Tensor norm;  // [index], of a LayerNorm
  Tensor bias;  // [index]
  float epsilon = 0;
  RopeParams rope;
  int layer = 0;
};

struct SelectTokensParams {
  Tensor q;        // [rows, heads * index], not rotated yet; rotated in place
  Tensor weights;  // [rows, heads]
  int heads = 0;
  float scale = 0;  // 1 / sqrt(heads * index)
  RopeParams rope;
  int layer = 0;
  // out: [rows, k] i32, the positions of the k best scores of a row, ascending; all positions up to
  // the row's own when there are no more than k, then -1. Score of token s: sum over heads of
  // weight * scale * ReLU(q . key of s).
  Tensor selected;
};

enum class GateFunction : std::uint8_t { kSoftmax, kSigmoid };
// Score of a group of experts: its best expert (DeepSeek-V2) or the sum of its two best
// (DeepSeek-V3, with bias).
enum class GroupScore : std::uint8_t { kMax, kTopTwoSum };

struct RouteExpertsParams {
  Tensor x;     // [rows, hidden]
  Tensor gate;  // [experts, hidden], computed in f32
  Tensor bias;  // [experts] or empty; used for the choice only
  GateFunction function = GateFunction::kSoftmax;
  int experts = 0;
  int chosen = 0;  // experts per token
  int groups = 1;
  int groups_chosen = 1;
  GroupScore group_score = GroupScore::kMax;
  bool normalise = false;  // weights divided by their sum
  float scale = 1;         // routed_scaling_factor
  Tensor ids;              // out: [rows, chosen] i32
  Tensor weights;          // out: [rows, chosen] f32
};

// SwiGLU network: down(SiLU(gate x) * up x). DeepSeekMoE (arXiv 2401.06066) uses many small ones.
struct SwiGluWeights {
  Tensor gate;  // [inner, hidden] or, for routed experts, [experts, inner, hidden]
  Tensor up;    // the same shape
  Tensor down;  // [hidden, inner] or [experts, hidden, inner]
};

struct MoeFfnParams {
  Tensor x;        // [rows, hidden]
  Tensor ids;      // [rows, chosen] i32
  Tensor weights;  // [rows, chosen] f32
  SwiGluWeights routed;
  // `routed` lies in the host's memory in a file's form, whatever the backend: a card leaves it to
  // the processor.
  bool routed_on_processor = false;
  // A step of at least so many rows brings such experts to the card, slice by slice, if there is
  // room on it; 0: no step does.
  int stream_rows = 0;
  SwiGluWeights shared;  // tensors empty when the model has no shared expert
  Tensor out;            // [rows, hidden] = sum of weighted routed experts + shared
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string_view name() const = 0;
  virtual CardInfo card() const { return {}; }
  // What a person could install to make it faster with float weights, in words; empty: nothing.
  // May open a library to find out.
  virtual std::string Remark() { return {}; }

  // --- memory -------------------------------------------------------------------------------
  // Uninitialised memory, 64-byte aligned. Error: kOutOfMemory.
  virtual Result<Buffer> Allocate(std::int64_t bytes) = 0;
  // A weight in the form this backend computes with. The CPU uses a mapped weight in place and
  // returns it as it is; `host` must then outlive the backend's use. A card gets a copy in a layout
  // of its own, whose memory joins `owners`; such a tensor must not be cut into slabs or rows.
  // Error: kOutOfMemory, kUnsupportedTensorType, kCancelled (`stop` is looked at between slices).
  virtual Result<Tensor> PrepareWeight(const Tensor& host, std::vector<Buffer>& owners,
                                       const std::stop_token& stop) = 0;
  // MlaAttention applies W_UK and W_UV in the quantised type of the file, W_UK as it lies there.
  // Others get them as floats.
  virtual bool TakesQuantisedUpProjections() const { return false; }
  virtual void Upload(std::span<const std::byte> from, std::byte* to) = 0;
  virtual void Download(const std::byte* from, std::span<std::byte> to) = 0;  // waits
  virtual void Copy(const std::byte* from, std::byte* to, std::int64_t bytes) = 0;

  // --- a step -------------------------------------------------------------------------------
  // Runs `body`, which issues the operations of one forward pass over `batch` on `pages`. A backend
  // may replay a recording of an earlier body of the same `bucket` instead. `stop` is looked at
  // between operations and between pieces of work, at most 100 ms apart; after it, the remaining
  // operations do nothing.
  virtual void RunStep(std::int64_t bucket, const StepBatch& batch, const LatentPages& pages,
                       std::stop_token stop, const std::function<void()>& body) = 0;
  virtual Status Synchronise() = 0;

  // --- operations (inside RunStep) ----------------------------------------------------------
  // out[r] = scale * table[tokens[r]]. table: [vocabulary, hidden]; out: [rows, hidden].
  virtual void Embed(const Tensor& table, float scale, const Tensor& out) = 0;
  // out = x / rms(x) * weight. x, out: [rows, n]; weight: [n]. out may be x.
  virtual void RmsNorm(const Tensor& x, const Tensor& weight, float epsilon, const Tensor& out) = 0;
  // x += delta, then out = RmsNorm(x). x, delta, out: [rows, n].
  virtual void AddRmsNorm(const Tensor& x, const Tensor& delta, const Tensor& weight, float epsilon,
                          const Tensor& out) = 0;
  // out = x * weight^T. x: [rows, k]; weight: [n, k], any type; out: [rows, n].
  virtual void MatMul(const Tensor& x, const Tensor& weight, const Tensor& out) = 0;
  // Two products of the same x, which a card starts together.
  virtual void MatMulPair(const Tensor& x, const Tensor& first, const Tensor& first_out,
                          const Tensor& second, const Tensor& second_out) {
    MatMul(x, first, first_out);
    MatMul(x, second, second_out);
  }
  // Norms the latent, rotates the shared key and the queries, and writes latent and key to the
  // cache at each row's position.
  virtual void LatentAppend(const LatentAppendParams& params) = 0;
  // LayerNorms the indexer's key, rotates it and writes it to the cache at each row's position.
  virtual void IndexAppend(const IndexAppendParams& params) = 0;
  virtual void SelectTokens(const SelectTokensParams& params) = 0;
  virtual void MlaAttention(const MlaAttentionParams& params) = 0;
  virtual void RouteExperts(const RouteExpertsParams& params) = 0;
  virtual void MoeFfn(const MoeFfnParams& params) = 0;
  // A dense layer's network. x, out: [rows, hidden].
  virtual void SwiGluFfn(const Tensor& x, const SwiGluWeights& weights, const Tensor& out) = 0;
  // down(ReLU(up x)^2) (Primer, arXiv 2109.08668), without a gate. x, out: [rows, hidden];
  // up: [inner, hidden]; down: [hidden, inner].
  virtual void ReluSquaredFfn(const Tensor& x, const Tensor& up, const Tensor& down,
                              const Tensor& out) = 0;
  // out[i] = x[output_rows[i]]. x: [rows, n]; out: [output_rows, n].
  virtual void GatherRows(const Tensor& x, const Tensor& out) = 0;
  // Chooses one token from one row of logits. logits: [vocabulary]; `history` are the tokens the
  // penalties look at; `position` numbers the draw (counter-based random numbers); out: [1] i32.
  virtual void Sample(const Tensor& logits, const SamplingParams& params,
                      std::span<const std::int32_t> history, std::uint64_t position,
                      const Tensor& out) = 0;
};

}  // namespace paluku
