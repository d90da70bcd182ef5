// Operations that are a kernel or two: embedding, norms, products, rotation, cache, routing, draw.
#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/kernels/indexer.h"
#include "engine/backend/cuda/kernels/mat_vec.h"
#include "engine/backend/cuda/kernels/norm.h"
#include "engine/backend/cuda/kernels/route.h"
#include "engine/backend/cuda/weight_views.h"
#include "engine/base/check.h"

namespace paluku::cuda {
namespace {

int Rows(const Tensor& tensor) { return static_cast<int>(tensor.rows()); }
int ColumnsIn(const Tensor& tensor) { return static_cast<int>(tensor.columns()); }

RopeArgs RopeOf(const RopeParams& params, const float* frequencies) {
  return {.inverse_frequency = frequencies,
          .rope = 2 * static_cast<int>(params.inverse_frequency.size()),
          .interleaved = params.interleaved};
}

}  // namespace

void CudaBackend::Embed(const Tensor& table, float scale, const Tensor& out) {
  if (!Begin(Operation::kEmbed, table, scale, out)) return;
  Overwritten(out);
  LaunchEmbed(ViewOf(table), scale, step_.rows().rows, Rows(out), out.f32(), device_.stream());
  Launched();
}

void CudaBackend::RmsNorm(const Tensor& x, const Tensor& weight, float epsilon, const Tensor& out) {
  if (!Begin(Operation::kRmsNorm, x, weight, epsilon, out)) return;
  const QuantisedRows rounded = RoomForRounded(out);
  LaunchNorm({.x = x.f32(),
              .delta = nullptr,
              .weight = weight.f32(),
              .epsilon = epsilon,
              .rows = Rows(x),
              .n = ColumnsIn(x),
              .out = out.f32(),
              .quantised = rounded},
             device_.stream());
  Launched();
}

void CudaBackend::AddRmsNorm(const Tensor& x, const Tensor& delta, const Tensor& weight,
                             float epsilon, const Tensor& out) {
  if (!Begin(Operation::kAddRmsNorm, x, delta, weight, epsilon, out)) return;
  const QuantisedRows rounded = RoomForRounded(out);
  LaunchNorm({.x = x.f32(),
              .delta = delta.f32(),
              .weight = weight.f32(),
              .epsilon = epsilon,
              .rows = Rows(x),
              .n = ColumnsIn(x),
              .out = out.f32(),
              .quantised = rounded},
             device_.stream());
  Launched();
}

void CudaBackend::MatMul(const Tensor& x, const Tensor& weight, const Tensor& out) {
  if (!Begin(Operation::kMatMul, x, weight, out)) return;
  const WeightView view = ViewOf(weight);
  const Columns columns = ColumnsOf(x, !IsFloat(view.form));
  Overwritten(out);
  if (device_.failed()) return;
  Multiply(view, columns, Rows(x), out.f32());
}

void CudaBackend::MatMulPair(const Tensor& x, const Tensor& first, const Tensor& first_out,
                             const Tensor& second, const Tensor& second_out) {
  if (!Begin(Operation::kMatMulPair, x, first, first_out, second, second_out)) return;
  const WeightView views[2] = {ViewOf(first), ViewOf(second)};
  const Columns columns = ColumnsOf(x, !IsFloat(views[0].form) || !IsFloat(views[1].form));
  Overwritten(first_out);
  Overwritten(second_out);
  if (device_.failed()) return;
  if (Rows(x) > kMaxColumns) {
    Multiply(views[0], columns, Rows(x), first_out.f32());
    Multiply(views[1], columns, Rows(x), second_out.f32());
    return;
  }
  LaunchMatVec({.weight = views[0], .out = first_out.f32()},
               {.weight = views[1], .out = second_out.f32()}, columns, Rows(x), device_.stream());
  Launched();
}

void CudaBackend::LatentAppend(const LatentAppendParams& p) {
  if (!Begin(Operation::kLatentAppend, p.kv, p.norm, p.epsilon, p.rope, p.layer, p.q, p.heads,
             p.nope)) {
    return;
  }
  if (p.q) Overwritten(p.q);
  const float* frequencies = FrequenciesOf(p.rope);
  if (frequencies == nullptr) return;
  LaunchLatentAppend(
      {.kv = p.kv.f32(),
       .norm = p.norm.f32(),
       .epsilon = p.epsilon,
       .rope = RopeOf(p.rope, frequencies),
       .cache = CacheOf(p.layer),
       .rows = Rows(p.kv),
       .q = p.q ? p.q.f32() : nullptr,
       .queries = {.heads = p.heads, .width = p.nope + pages_.rope, .first = p.nope}},
      device_.stream());
  Launched();
}

void CudaBackend::IndexAppend(const IndexAppendParams& p) {
  if (!Begin(Operation::kIndexAppend, p.key, p.norm, p.bias, p.epsilon, p.rope, p.layer)) return;
  const float* frequencies = FrequenciesOf(p.rope);
  if (frequencies == nullptr) return;
  LaunchIndexAppend({.key = p.key.f32(),
                     .norm = p.norm.f32(),
                     .bias = p.bias.f32(),
                     .epsilon = p.epsilon,
                     .rope = RopeOf(p.rope, frequencies),
                     .cache = CacheOf(p.layer),
                     .rows = Rows(p.key)},
                    device_.stream());
  Launched();
}

void CudaBackend::SelectTokens(const SelectTokensParams& p) {
  if (!Begin(Operation::kSelectTokens, p.q, p.weights, p.heads, p.scale, p.rope, p.layer,
             p.selected)) {
    return;
  }
  Overwritten(p.q);
  constexpr std::int64_t kMostScores = 16 << 20;
  const int rows = Rows(p.q);
  const int rows_at_once =
      static_cast<int>(std::clamp<std::int64_t>(kMostScores / TokensBound(), 1, rows));
  Scratch::Plan plan;
  plan.Add<float>(std::int64_t{rows_at_once} * TokensBound());
  std::byte* scores = scratch_.Reserve(plan);
  const float* frequencies = FrequenciesOf(p.rope);
  if (scores == nullptr || frequencies == nullptr) return;
  LaunchRopeQuery(p.q.f32(), step_.rows().rows, rows,
                  {.heads = p.heads, .width = pages_.index, .first = 0},
                  RopeOf(p.rope, frequencies), device_.stream());
  for (int first = 0; first < rows && !Stopped(); first += rows_at_once) {
    LaunchSelectTokens({.q = p.q.f32(),
                        .weights = p.weights.f32(),
                        .heads = p.heads,
                        .rows = std::min(rows_at_once, rows - first),
                        .first_row = first,
                        .scale = p.scale,
                        .cache = CacheOf(p.layer),
                        .tokens = TokensBound(),
                        .scores = reinterpret_cast<float*>(scores),
                        .columns = ColumnsIn(p.selected),
                        .selected = p.selected.i32()},
                       device_.stream());
  }
  Launched();
}

void CudaBackend::RouteExperts(const RouteExpertsParams& p) {
  if (!Begin(Operation::kRouteExperts, p.x, p.gate, p.bias, p.function, p.experts, p.chosen,
             p.groups, p.groups_chosen, p.group_score, p.normalise, p.scale, p.ids, p.weights)) {
    return;
  }
  PALUKU_CHECK(p.experts <= kMaxExperts && p.groups <= kMaxGroups);
  const int rows = Rows(p.x);
  Scratch::Plan plan;
  plan.Add<float>(std::int64_t{rows} * p.experts);
  auto* logits = reinterpret_cast<float*>(scratch_.Reserve(plan));
  if (logits == nullptr) return;
  // The gate is small, and every model has one: not worth opening cuBLAS for.
  MultiplyByKernels(ViewOf(p.gate), ColumnsOf(p.x, false), rows, logits);
  LaunchRoute({.logits = logits,
               .bias = p.bias ? p.bias.f32() : nullptr,
               .sigmoid = p.function == GateFunction::kSigmoid,
               .experts = p.experts,
               .chosen = p.chosen,
               .groups = p.groups,
               .groups_chosen = p.groups_chosen,
               .top_two = p.group_score == GroupScore::kTopTwoSum,
               .normalise = p.normalise,
               .scale = p.scale,
               .rows = rows,
               .ids = p.ids.i32(),
               .weights = p.weights.f32()},
              device_.stream());
  Launched();
}

void CudaBackend::GatherRows(const Tensor& x, const Tensor& out) {
  if (!Begin(Operation::kGatherRows, x, out)) return;
  Overwritten(out);
  LaunchGather(x.f32(), step_.rows().rows, Rows(out), ColumnsIn(out), out.f32(), device_.stream());
  Launched();
}

void CudaBackend::Sample(const Tensor& logits, const SamplingParams& params,
                         std::span<const std::int32_t> history, std::uint64_t position,
                         const Tensor& out) {
  const int vocabulary = ColumnsIn(logits);
  PALUKU_CHECK(vocabulary <= kMaxVocabulary);
  if (pass_ == Pass::kFingerprint) step_.FillSample(params, history, position, vocabulary);
  if (!Begin(Operation::kSample, logits, out)) return;
  Scratch::Plan plan;
  const std::int64_t adjusted = plan.Add<float>(vocabulary);
  const std::int64_t weights = plan.Add<unsigned long long>(vocabulary);
  std::byte* room = scratch_.Reserve(plan);
  if (room == nullptr) return;
  LaunchSample({.logits = logits.f32(),
                .values = step_.sample(),
                .vocabulary = vocabulary,
                .adjusted = reinterpret_cast<float*>(room + adjusted),
                .weights = reinterpret_cast<unsigned long long*>(room + weights),
                .token = out.i32()},
               device_.stream());
  Launched();
}

}  // namespace paluku::cuda
