#include "engine/model/activations.h"

#include <utility>
#include <vector>

namespace paluku {
namespace {

constexpr std::int64_t kAlignment = 64;  // a cache line, and the widest vector register

// Lays tensors one behind the other; their addresses are offsets until the arena exists.
class ArenaPlan {
 public:
  void Add(Tensor& tensor, std::int64_t rows, std::int64_t columns, DType dtype = DType::kF32) {
    if (columns == 0) return;
    tensor = {.dtype = dtype, .rank = 2, .shape = {rows, columns}, .data = nullptr};
    parts_.emplace_back(&tensor, bytes_);
    bytes_ += (tensor.bytes() + kAlignment - 1) / kAlignment * kAlignment;
  }
  std::int64_t bytes() const { return bytes_; }
  void Place(std::byte* arena) const {
    for (const auto& [tensor, offset] : parts_) tensor->data = arena + offset;
  }

 private:
  std::vector<std::pair<Tensor*, std::int64_t>> parts_;
  std::int64_t bytes_ = 0;
};

// Lays out the tensors of `a`; what it describes must stay where it is until it is placed.
ArenaPlan LayOut(Activations& a, const ModelConfig& config, int max_rows, int max_outputs) {
  ArenaPlan plan;
  const std::int64_t heads = config.heads;
  plan.Add(a.residual, max_rows, config.hidden);
  plan.Add(a.normed, max_rows, config.hidden);
  plan.Add(a.delta, max_rows, config.hidden);
  plan.Add(a.q_latent, max_rows, config.q_lora);
  plan.Add(a.q, max_rows, heads * (config.nope + config.rope));
  plan.Add(a.kv, max_rows, config.latent + config.rope);
  plan.Add(a.index_key, max_rows, config.index);
  plan.Add(a.index_q, max_rows, std::int64_t{config.index_heads} * config.index);
  plan.Add(a.index_weights, max_rows, config.index_heads);
  plan.Add(a.selected, max_rows, config.index_chosen, DType::kI32);
  plan.Add(a.attended, max_rows, heads * config.value);
  plan.Add(a.expert_ids, max_rows, config.experts_chosen, DType::kI32);
  plan.Add(a.expert_weights, max_rows, config.experts_chosen);
  plan.Add(a.out_residual, max_outputs, config.hidden);
  plan.Add(a.out_attended, max_outputs, heads * config.value);
  plan.Add(a.logits, max_outputs, config.vocabulary);
  plan.Add(a.token, 1, 1, DType::kI32);
  return plan;
}

}  // namespace

std::int64_t Activations::Bytes(const ModelConfig& config, int max_rows, int max_outputs) {
  Activations a;
  return LayOut(a, config, max_rows, max_outputs).bytes();
}

Result<Activations> Activations::Create(Backend& backend, const ModelConfig& config, int max_rows,
                                        int max_outputs) {
  Activations a;
  const ArenaPlan plan = LayOut(a, config, max_rows, max_outputs);
  PALUKU_ASSIGN_OR_RETURN(a.arena, backend.Allocate(plan.bytes()));
  plan.Place(a.arena.data.get());
  a.token.rank = 1;
  return a;
}

}  // namespace paluku
