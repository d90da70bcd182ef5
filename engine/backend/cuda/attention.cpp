// MlaAttention: the split of the context over the card.
#include "engine/backend/cuda/kernels/attention.h"

#include <algorithm>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/weight_views.h"
#include "engine/base/check.h"

namespace paluku::cuda {
namespace {

constexpr int kSplitTokens = 64;                 // a split is not shorter
constexpr int kBlocksPerSm = 2;                  // wanted on the card at once
constexpr std::int64_t kMostPartial = 64 << 20;  // floats of partial sums at a time

}  // namespace

void CudaBackend::MlaAttention(const MlaAttentionParams& p) {
  if (!Begin(Operation::kMlaAttention, p.q, p.w_uk, p.w_uv, p.heads, p.nope, p.rope, p.latent,
             p.value, p.scale, p.temperature, p.temperature_length, p.path, p.layer, p.selected,
             p.out)) {
    return;
  }
  PALUKU_CHECK(p.latent <= kMaxLatent && p.rope <= kMaxRope);
  Overwritten(p.out);
  const int rows = static_cast<int>(p.q.rows());
  const int tokens =
      p.selected ? std::min(TokensBound(), static_cast<int>(p.selected.columns())) : TokensBound();
  const int heads_at_once = HasTensorAttention(pages_) ? kHeadsPerTensorBlock : kHeadsPerBlock;
  const int blocks = rows * ((p.heads + heads_at_once - 1) / heads_at_once);
  const int wanted = (kBlocksPerSm * device_.multiprocessors() + blocks - 1) / blocks;
  const int splits = std::clamp(std::min(wanted, tokens / kSplitTokens), 1, kMaxSplits);
  const std::int64_t partial_row = std::int64_t{p.heads} * splits * (p.latent + 2);
  const int rows_at_once =
      static_cast<int>(std::clamp<std::int64_t>(kMostPartial / partial_row, 1, rows));
  Scratch::Plan plan;
  const std::int64_t query =
      plan.Add<float>(std::int64_t{rows_at_once} * p.heads * (p.latent + p.rope));
  const std::int64_t partial = plan.Add<float>(rows_at_once * partial_row);
  std::byte* room = scratch_.Reserve(plan);
  if (room == nullptr) return;
  const QuantisedRows rounded = p.value % kGroup == 0 ? RoomForRounded(p.out) : QuantisedRows{};
  AttentionArgs args = {.q = nullptr,
                        .w_uk = ViewOf(p.w_uk),
                        .w_uv = ViewOf(p.w_uv),
                        .cache = CacheOf(p.layer),
                        .rows = 0,
                        .heads = p.heads,
                        .nope = p.nope,
                        .rope = p.rope,
                        .latent = p.latent,
                        .value = p.value,
                        .scale = p.scale,
                        .temperature = p.temperature,
                        .temperature_length = p.temperature_length,
                        .selected = nullptr,
                        .selected_columns = 0,
                        .splits = splits,
                        .query = reinterpret_cast<float*>(room + query),
                        .partial = reinterpret_cast<float*>(room + partial),
                        .out = nullptr,
                        .rounded = {}};
  const StepRow* step = args.cache.rows.rows;
  for (int first = 0; first < rows && !Stopped(); first += rows_at_once) {
    args.rows = std::min(rows_at_once, rows - first);
    args.cache.rows.rows = step + first;
    args.q = p.q.f32() + first * p.q.columns();
    if (p.selected) {
      args.selected = p.selected.i32() + first * p.selected.columns();
      args.selected_columns = static_cast<int>(p.selected.columns());
    }
    args.out = p.out.f32() + first * p.out.columns();
    if (rounded.values != nullptr) {
      args.rounded = {.values = rounded.values + first * p.out.columns(),
                      .groups = rounded.groups + first * (p.out.columns() / kGroup)};
    }
    LaunchAbsorbedAttention(args, device_.stream());
  }
  Launched();
  KeepPace();
}

}  // namespace paluku::cuda
