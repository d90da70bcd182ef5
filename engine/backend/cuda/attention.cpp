// MlaAttention: the choice between its two ways, their working memory, the split of the context
// over the card.
#include "engine/backend/cuda/kernels/attention.h"

#include <algorithm>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/kernels/attention_expanded.h"
#include "engine/backend/cuda/weight_views.h"
#include "engine/base/check.h"

namespace paluku::cuda {
namespace {

constexpr int kSplitTokens = 64;                 // a split is not shorter
constexpr int kBlocksPerSm = 2;                  // wanted on the card at once
constexpr std::int64_t kMostPartial = 64 << 20;  // values of partial means at a time
constexpr int kRunTokens = 1024;                 // expanded at a time, so that L2 holds them

// Multiplications per way and head. The absorbed way multiplies with both halves of a query.
bool ExpandedIsCheaper(const MlaAttentionParams& p, const StepSequence& sequence) {
  const double rows = sequence.rows, tokens = static_cast<double>(sequence.cached) + rows;
  const double pairs = rows * static_cast<double>(sequence.cached) + rows * (rows + 1) / 2;
  const double per_row = static_cast<double>(p.latent) * (p.nope + p.value);
  const double absorbed = pairs * (3.0 * p.latent + 2.0 * p.rope) + rows * per_row;
  const double expanded = pairs * (p.nope + p.rope + p.value) + tokens * per_row;
  return expanded < absorbed;
}

}  // namespace

void CudaBackend::MlaAttention(const MlaAttentionParams& p) {
  if (!Begin(Operation::kMlaAttention, p.q, p.w_uk, p.w_uk_turned, p.w_uv, p.heads, p.nope, p.rope,
             p.latent, p.value, p.scale, p.temperature, p.temperature_length, p.path, p.layer,
             p.selected, p.out)) {
    return;
  }
  PALUKU_CHECK(p.latent <= kMaxLatent && p.rope <= kMaxRope && p.q.rows() == batch_.rows());
  Overwritten(p.out);
  int done = 0;  // rows
  for (const StepSequence& sequence : batch_.sequences) {
    if (!GoesExpanded(p, sequence)) continue;
    AttendAbsorbed(p, done, sequence.first_row - done, {});
    AttendExpanded(p, sequence);
    done = sequence.first_row + sequence.rows;
  }
  const bool all = done == 0;
  AttendAbsorbed(p, done, batch_.rows() - done,
                 all && p.value % kGroup == 0 ? RoomForRounded(p.out) : QuantisedRows{});
  Launched();
  KeepPace();
}

// A recorded step, which is short, knows the length of its context in steps of powers of two only;
// its attention is the absorbed one whatever the caller asks for.
bool CudaBackend::GoesExpanded(const MlaAttentionParams& p, const StepSequence& sequence) const {
  if (p.path == AttentionPath::kAbsorbed || batch_.rows() <= kMaxColumns ||
      !HasExpandedAttention(pages_, p.nope, p.value)) {
    return false;
  }
  if (p.selected && sequence.cached + sequence.rows > p.selected.columns()) return false;
  return p.path == AttentionPath::kExpanded || ExpandedIsCheaper(p, sequence);
}

void CudaBackend::AttendExpanded(const MlaAttentionParams& p, const StepSequence& sequence) {
  const auto tokens = static_cast<int>(sequence.cached) + sequence.rows;
  const std::int64_t most = std::min(kRunTokens, tokens);
  Scratch::Plan plan;
  const std::int64_t keys = plan.Add<std::uint16_t>(most * p.heads * p.nope);
  const std::int64_t values = plan.Add<std::uint16_t>(most * p.heads * p.value);
  const std::int64_t state = plan.Add<float2>(std::int64_t{sequence.rows} * p.heads);
  std::byte* room = scratch_.Reserve(plan);
  if (room == nullptr) return;
  ExpandedArgs args = {.q = p.q.f32() + sequence.first_row * p.q.columns(),
                       .w_uk = ViewOf(p.w_uk),
                       .w_uv = ViewOf(p.w_uv),
                       .w_uk_turned = p.w_uk_turned,
                       .cache = CacheOf(p.layer),
                       .rows = sequence.rows,
                       .heads = p.heads,
                       .nope = p.nope,
                       .rope = p.rope,
                       .latent = p.latent,
                       .value = p.value,
                       .scale = p.scale,
                       .temperature = p.temperature,
                       .temperature_length = p.temperature_length,
                       .first = 0,
                       .tokens = 0,
                       .last = false,
                       .keys = reinterpret_cast<std::uint16_t*>(room + keys),
                       .values = reinterpret_cast<std::uint16_t*>(room + values),
                       .state = reinterpret_cast<float2*>(room + state),
                       .out = p.out.f32() + sequence.first_row * p.out.columns()};
  args.cache.rows.rows += sequence.first_row;
  for (int first = 0; first < tokens && !Stopped(); first += kRunTokens) {
    args.first = first;
    args.tokens = std::min(kRunTokens, tokens - first);
    args.last = first + args.tokens == tokens;
    LaunchExpandedAttention(args, device_.stream());
  }
}

void CudaBackend::AttendAbsorbed(const MlaAttentionParams& p, int first_row, int rows,
                                 const QuantisedRows& rounded) {
  if (rows == 0) return;
  const int tokens =
      p.selected ? std::min(TokensBound(), static_cast<int>(p.selected.columns())) : TokensBound();
  const int heads_at_once = HasTensorAttention(pages_) ? kHeadsPerTensorBlock : kHeadsPerBlock;
  const int blocks = rows * ((p.heads + heads_at_once - 1) / heads_at_once);
  const int wanted = (kBlocksPerSm * device_.multiprocessors() + blocks - 1) / blocks;
  const int splits = std::clamp(std::min(wanted, tokens / kSplitTokens), 1, kMaxSplits);
  const std::int64_t parts_row = std::int64_t{p.heads} * splits;
  const int rows_at_once =
      static_cast<int>(std::clamp<std::int64_t>(kMostPartial / (parts_row * p.latent), 1, rows));
  const std::int64_t parts = rows_at_once * parts_row;
  Scratch::Plan plan;
  const std::int64_t query =
      plan.Add<float>(std::int64_t{rows_at_once} * p.heads * (p.latent + p.rope));
  const std::int64_t means = HasTensorAttention(pages_) ? plan.Add<std::uint16_t>(parts * p.latent)
                                                        : plan.Add<float>(parts * p.latent);
  const std::int64_t weights = plan.Add<float2>(parts);
  std::byte* room = scratch_.Reserve(plan);
  if (room == nullptr) return;
  AttentionArgs args = {.q = nullptr,
                        .w_uk = ViewOf(p.w_uk),
                        .w_uv = ViewOf(p.w_uv),
                        .w_uk_turned = p.w_uk_turned,
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
                        .means = room + means,
                        .weights = reinterpret_cast<float2*>(room + weights),
                        .out = nullptr,
                        .rounded = {}};
  const StepRow* step = args.cache.rows.rows;
  const int end = first_row + rows;
  for (int first = first_row; first < end && !Stopped(); first += rows_at_once) {
    args.rows = std::min(rows_at_once, end - first);
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
}

}  // namespace paluku::cuda
