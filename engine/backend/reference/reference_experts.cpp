// Routing and experts: DeepSeekMoE (arXiv 2401.06066), DeepSeek-V2 2.2 (group-limited softmax
// routing), DeepSeek-V3 (arXiv 2412.19437) 2.1.2 (sigmoid routing with a bias that only steers the
// choice).
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "engine/backend/reference/reference_backend.h"

namespace paluku {
namespace reference {

std::vector<int> Best(const Vector& values, int count) {
  std::vector<int> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return values[static_cast<std::size_t>(a)] > values[static_cast<std::size_t>(b)];
  });
  order.resize(static_cast<std::size_t>(count));
  return order;
}

Vector SwiGlu(const Vector& x, const Matrix& gate, const Matrix& up, const Matrix& down) {
  Vector inner = Project(x, gate);
  const Vector factor = Project(x, up);
  for (std::size_t i = 0; i < inner.size(); ++i) {
    inner[i] = inner[i] / (1 + std::exp(-inner[i])) * factor[i];
  }
  return Project(inner, down);
}

}  // namespace reference

namespace {

using namespace reference;

constexpr double kExcluded = -std::numeric_limits<double>::infinity();

Vector Scores(const Vector& logits, GateFunction function) {
  Vector scores(logits.size());
  if (function == GateFunction::kSigmoid) {
    for (std::size_t i = 0; i < logits.size(); ++i) scores[i] = 1 / (1 + std::exp(-logits[i]));
    return scores;
  }
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) sum += scores[i] = std::exp(logits[i] - largest);
  for (double& s : scores) s /= sum;
  return scores;
}

double ScoreOfGroup(Vector members, GroupScore how) {
  std::sort(members.begin(), members.end(), std::greater<>());
  return how == GroupScore::kMax ? members.at(0) : members.at(0) + members.at(1);
}

// Sets the values of all but the best groups to minus infinity.
void KeepBestGroups(Vector& values, const RouteExpertsParams& p) {
  if (p.groups <= 1 || p.groups_chosen >= p.groups) return;
  const int size = p.experts / p.groups;
  Vector group_scores;
  for (int g = 0; g < p.groups; ++g) {
    group_scores.push_back(
        ScoreOfGroup({values.begin() + g * size, values.begin() + (g + 1) * size}, p.group_score));
  }
  const std::vector<int> kept = Best(group_scores, p.groups_chosen);
  for (int e = 0; e < p.experts; ++e) {
    if (std::find(kept.begin(), kept.end(), e / size) == kept.end()) {
      values[static_cast<std::size_t>(e)] = kExcluded;
    }
  }
}

}  // namespace

void ReferenceBackend::RouteExperts(const RouteExpertsParams& p) {
  const Matrix gate = AllRows(p.gate);
  for (std::int64_t r = 0; r < p.x.rows(); ++r) {
    if (Stopped()) return;
    const Vector scores = Scores(Project(Row(p.x, r), gate), p.function);
    Vector choice = scores;
    if (p.bias) {
      const Vector bias = Row(p.bias, 0);
      for (std::size_t i = 0; i < choice.size(); ++i) choice[i] += bias[i];
    }
    KeepBestGroups(choice, p);
    const std::vector<int> chosen = Best(choice, p.chosen);
    double sum = 1e-20;  // as HF transformers' DeepseekV3TopkRouter
    for (const int e : chosen) sum += scores[static_cast<std::size_t>(e)];
    for (int k = 0; k < p.chosen; ++k) {
      const int e = chosen[static_cast<std::size_t>(k)];
      const double weight = scores[static_cast<std::size_t>(e)] / (p.normalise ? sum : 1.0);
      p.ids.i32()[r * p.chosen + k] = e;
      p.weights.f32()[r * p.chosen + k] = static_cast<float>(weight * p.scale);
    }
  }
}

void ReferenceBackend::MoeFfn(const MoeFfnParams& p) {
  struct Expert {
    Matrix gate, up, down;
  };
  std::map<int, Expert> decoded;
  const int chosen = static_cast<int>(p.ids.columns());
  for (std::int64_t r = 0; r < p.x.rows(); ++r) {
    if (Stopped()) return;
    const Vector x = Row(p.x, r);
    Vector sum(x.size());
    for (int k = 0; k < chosen; ++k) {
      const int e = p.ids.i32()[r * chosen + k];
      Expert& expert = decoded[e];
      if (expert.gate.empty()) {
        expert = {AllRows(p.routed.gate.Slab(e)), AllRows(p.routed.up.Slab(e)),
                  AllRows(p.routed.down.Slab(e))};
      }
      const Vector y = SwiGlu(x, expert.gate, expert.up, expert.down);
      const double weight = p.weights.f32()[r * chosen + k];
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += weight * y[i];
    }
    StoreRow(p.out, r, sum);
  }
  if (!p.shared.gate) return;
  const Expert shared = {AllRows(p.shared.gate), AllRows(p.shared.up), AllRows(p.shared.down)};
  for (std::int64_t r = 0; r < p.x.rows(); ++r) {
    Vector sum = Row(p.out, r);
    const Vector y = SwiGlu(Row(p.x, r), shared.gate, shared.up, shared.down);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += y[i];
    StoreRow(p.out, r, sum);
  }
}

void ReferenceBackend::SwiGluFfn(const Tensor& x, const SwiGluWeights& weights, const Tensor& out) {
  const Matrix gate = AllRows(weights.gate), up = AllRows(weights.up), down = AllRows(weights.down);
  for (std::int64_t r = 0; r < x.rows(); ++r) {
    if (Stopped()) return;
    StoreRow(out, r, SwiGlu(Row(x, r), gate, up, down));
  }
}

void ReferenceBackend::ReluSquaredFfn(const Tensor& x, const Tensor& up, const Tensor& down,
                                      const Tensor& out) {
  const Matrix w_up = AllRows(up), w_down = AllRows(down);
  for (std::int64_t r = 0; r < x.rows(); ++r) {
    if (Stopped()) return;
    Vector inner = Project(Row(x, r), w_up);
    for (double& value : inner) value = value < 0 ? 0 : value * value;
    StoreRow(out, r, Project(inner, w_down));
  }
}

}  // namespace paluku
