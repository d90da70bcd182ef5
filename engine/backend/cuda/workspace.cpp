#include "engine/backend/cuda/workspace.h"

#include <algorithm>
#include <bit>

#include "engine/backend/cuda/kernels/weight_view.h"
#include "engine/backend/cuda/scratch_plan.h"

namespace paluku::cuda {
namespace {

constexpr int kRunTokens = 1024;  // expanded at a time
constexpr std::int64_t kMostScores = 16 << 20;
constexpr int kFewRows = 8;     // what networks of float weights take at a time
constexpr int kLeastTile = 16;  // places of an expert's tile
// Rows, page tables, the values of a draw, rotation angles.
constexpr std::int64_t kStepBytes = 64 << 10;
struct Tile {
  std::int32_t expert, first, count;
};

// A network on many rows: inner values, the same rounded, the result.
void AddNetwork(ScratchPlan& plan, std::int64_t places, std::int64_t inner, std::int64_t hidden) {
  plan.Add<float>(places * inner);
  plan.Add<std::int8_t>(places * inner);
  plan.Add<QuantisedGroup>(places * inner / kGroup);
  plan.Add<float>(places * hidden);
}

// As HasTensorAttention (kernels/attention.h).
bool HasTensor(const WorkspaceShape& s) {
  const bool widths =
      (s.latent == 512 && s.rope == 64) || (s.latent == 256 && (s.rope == 64 || s.rope == 32));
  return widths && s.rounded_cache && s.index % 8 == 0;
}

// As HasExpandedAttention (kernels/attention_expanded.h).
bool HasExpanded(const WorkspaceShape& s) {
  const int query = s.nope + s.rope;
  const bool heads = (query == 192 && (s.value == 128 || s.value == 192)) ||
                     (query == 256 && s.value == 256) || (query == 96 && s.value == 64);
  return heads && s.rounded_cache && s.latent % 256 == 0;
}

// Rows of a step up to which attention may go the absorbed way.
std::int64_t AbsorbedRows(const WorkspaceShape& s) {
  const std::int64_t saved = 3 * s.latent + 2 * s.rope - (s.nope + s.rope + s.value);
  if (!HasExpanded(s) || saved <= 0) return s.rows;
  const std::int64_t rows = std::int64_t{s.latent} * (s.nope + s.value) / saved + 1;
  return std::min<std::int64_t>(rows, s.rows);
}

std::int64_t AttentionBytes(const WorkspaceShape& s) {
  ScratchPlan absorbed, expanded;
  const std::int64_t rows = AbsorbedRows(s) * s.heads;
  absorbed.Add<float>(rows * (s.latent + s.rope));
  if (HasTensor(s)) {
    absorbed.Add<std::uint16_t>(rows * s.latent);
  } else {
    absorbed.Add<float>(rows * s.latent);
  }
  absorbed.Add<float>(2 * rows);
  if (HasExpanded(s)) {
    const std::int64_t most = std::int64_t{std::min(kRunTokens, s.tokens)} * s.heads;
    expanded.Add<std::uint16_t>(most * s.nope);
    expanded.Add<std::uint16_t>(most * s.value);
    expanded.Add<float>(std::int64_t{2} * s.rows * s.heads);
  }
  return std::max(absorbed.bytes(), expanded.bytes());
}

std::int64_t DenseBytes(const WorkspaceShape& s) {
  ScratchPlan dense;
  if (s.whole_dense) {
    AddNetwork(dense, s.rows, s.dense_inner, s.hidden);
  } else {
    dense.Add<float>(std::min(s.rows, kFewRows) * s.dense_inner);
  }
  return dense.bytes();
}

std::int64_t NetworkBytes(const WorkspaceShape& s) {
  const std::int64_t slots = std::int64_t{s.rows} * s.chosen;
  const std::int64_t few = std::min(s.rows, kFewRows);
  ScratchPlan sparse;
  if (!s.whole_experts) {
    sparse.Add<float>(few * s.chosen * s.expert_inner);
    sparse.Add<float>(few * s.shared_inner);
    return std::max(sparse.bytes(), DenseBytes(s));
  }
  sparse.Add<std::int32_t>(slots);
  sparse.Add<Tile>(slots / kLeastTile + s.experts);
  AddNetwork(sparse, slots, s.expert_inner, s.hidden);
  if (s.shared_inner > 0) AddNetwork(sparse, s.rows, s.shared_inner, s.hidden);
  return std::max(sparse.bytes(), DenseBytes(s));
}

std::int64_t OtherBytes(const WorkspaceShape& s) {
  ScratchPlan sample, route, select;
  sample.Add<float>(s.vocabulary);
  sample.Add<std::uint64_t>(s.vocabulary);
  route.Add<float>(std::int64_t{s.rows} * s.experts);
  if (s.index > 0) {
    const auto bound =
        static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(std::max(s.tokens, 1))));
    select.Add<float>(std::clamp<std::int64_t>(kMostScores / bound, 1, s.rows) * bound);
  }
  return std::max({sample.bytes(), route.bytes(), select.bytes()});
}

// The widest activations that are rounded to int8.
std::int64_t RoundedBytes(const WorkspaceShape& s) {
  const std::int64_t width = std::max({s.hidden, s.heads * s.value, s.q_lora});
  ScratchPlan plan;
  plan.Add<std::int8_t>(s.rows * width);
  plan.Add<QuantisedGroup>(s.rows * width / kGroup);
  return plan.bytes();
}

std::int64_t DenseLibraryBytes(const WorkspaceShape& s) {
  if (s.dense_columns == 0) return 0;
  ScratchPlan split;
  if (s.split_columns > 0) {
    split.Add<std::uint16_t>(s.rows * s.split_columns);
    split.Add<std::uint16_t>(s.rows * s.split_columns);
    split.Add<float>(s.rows);
  }
  return kDenseWorkspaceBytes + split.bytes();
}

std::int64_t HostExpertBytes(const WorkspaceShape& s) {
  ScratchPlan plan;
  plan.Add<float>(std::int64_t{s.rows_on_host} * s.hidden);
  plan.Add<float>(s.rows_on_host);
  return plan.bytes();
}

}  // namespace

std::int64_t WorkspaceBytes(const WorkspaceShape& shape) {
  return std::max({AttentionBytes(shape), NetworkBytes(shape), OtherBytes(shape)}) +
         RoundedBytes(shape) + DenseLibraryBytes(shape) + HostExpertBytes(shape) + kStepBytes;
}

}  // namespace paluku::cuda
