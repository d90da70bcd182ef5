// RouteExperts: scores in f32, choice of groups and experts per row (DeepSeek-V2 2.1.2,
// DeepSeek-V3 2.1.2).
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/cpu/tiling.h"

namespace paluku {
namespace {

constexpr float kExcluded = -std::numeric_limits<float>::infinity();

void SoftmaxInPlace(float* x, int n) {
  const float largest = *std::max_element(x, x + n);
  float sum = 0;
  for (int i = 0; i < n; ++i) sum += x[i] = std::exp(x[i] - largest);
  for (int i = 0; i < n; ++i) x[i] /= sum;
}

// Index of the largest of `values`, the lowest of equals; a NaN counts as minus infinity.
int Largest(const float* values, int n) {
  int best = 0;
  for (int i = 1; i < n; ++i) {
    if (values[i] > values[best] || (std::isnan(values[best]) && !std::isnan(values[i]))) best = i;
  }
  return best;
}

float ScoreOfGroup(const float* values, int n, GroupScore how) {
  float first = kExcluded, second = kExcluded;
  for (int i = 0; i < n; ++i) {
    if (values[i] > first) {
      second = first;
      first = values[i];
    } else if (values[i] > second) {
      second = values[i];
    }
  }
  return how == GroupScore::kMax ? first : first + second;
}

// Sets the choices of all but the best groups to minus infinity. `group_scores` [groups] is
// workspace.
void KeepBestGroups(const RouteExpertsParams& p, float* choice, float* group_scores) {
  if (p.groups <= 1 || p.groups_chosen >= p.groups) return;
  const int size = p.experts / p.groups;
  for (int g = 0; g < p.groups; ++g) {
    group_scores[g] = ScoreOfGroup(choice + g * size, size, p.group_score);
  }
  // Chosen groups are marked by NaN, which Largest passes over.
  for (int i = 0; i < p.groups_chosen; ++i) {
    group_scores[Largest(group_scores, p.groups)] = std::numeric_limits<float>::quiet_NaN();
  }
  for (int e = 0; e < p.experts; ++e) {
    if (!std::isnan(group_scores[e / size])) choice[e] = kExcluded;
  }
}

// `scores` [experts] hold the logits; `choice` [experts] and `group_scores` are workspace.
void RouteRow(const RouteExpertsParams& p, float* scores, float* choice, float* group_scores,
              std::int32_t* ids, float* weights) {
  if (p.function == GateFunction::kSoftmax) {
    SoftmaxInPlace(scores, p.experts);
  } else {
    for (int e = 0; e < p.experts; ++e) scores[e] = 1.0f / (1.0f + std::exp(-scores[e]));
  }
  for (int e = 0; e < p.experts; ++e) choice[e] = scores[e] + (p.bias ? p.bias.f32()[e] : 0.0f);
  KeepBestGroups(p, choice, group_scores);
  float sum = 0;
  for (int k = 0; k < p.chosen; ++k) {
    ids[k] = Largest(choice, p.experts);
    choice[ids[k]] = std::numeric_limits<float>::quiet_NaN();
    sum += scores[ids[k]];
  }
  // 1e-20 as in HF transformers' DeepseekV3TopkRouter: all-zero scores give zeros, not NaN.
  const float factor = p.normalise ? p.scale / (sum + 1e-20f) : p.scale;
  for (int k = 0; k < p.chosen; ++k) weights[k] = scores[ids[k]] * factor;
}

}  // namespace

void CpuBackend::RouteExperts(const RouteExpertsParams& p) {
  PALUKU_CHECK(p.gate.dim(0) == p.experts && p.gate.columns() == p.x.columns() &&
               p.chosen <= p.experts && p.groups >= 1 && p.experts % p.groups == 0);
  if (Idle()) return;
  BeginOperation();
  const std::int64_t rows = p.x.rows();
  auto* scores = scratch_.Take<float>(rows * p.experts);
  if (OutOfMemory() || !ReserveWorkers(static_cast<std::int64_t>(p.experts + p.groups) * 4)) return;
  const Inputs inputs = MakeInputs(p.x.f32(), rows, p.x.columns(), WeightsOf(p.gate).quantised);
  if (rows <= kFewRows) {
    MatMulFewRows(inputs, rows, p.gate, scores);
  } else {
    MatMulManyRows(inputs, rows, p.gate, scores);
  }
  RunRanges(rows, 16, [&](std::int64_t first, std::int64_t last, int worker) {
    auto* choice = reinterpret_cast<float*>(WorkerMemory(worker));
    for (std::int64_t r = first; r < last; ++r) {
      RouteRow(p, scores + r * p.experts, choice, choice + p.experts, p.ids.i32() + r * p.chosen,
               p.weights.f32() + r * p.chosen);
    }
  });
}

}  // namespace paluku
