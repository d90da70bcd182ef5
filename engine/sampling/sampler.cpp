#include "engine/sampling/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/sampling/rng.h"

namespace paluku {
namespace {

// Weights below e^-40 of the best are left out before anything is sorted or drawn: a hundred
// thousand of them together weigh 4e-13.
constexpr double kNegligible = -40.0;

bool HasPenalty(const SamplingParams& params) {
  return (params.repetition_penalty > 0 && params.repetition_penalty != 1) ||
         params.presence_penalty != 0 || params.frequency_penalty != 0;
}

double PenalisedLogit(double logit, const SamplingParams& params, std::ptrdiff_t count) {
  if (params.repetition_penalty > 0)
    logit = logit > 0 ? logit / params.repetition_penalty : logit * params.repetition_penalty;
  return logit - params.presence_penalty - params.frequency_penalty * static_cast<double>(count);
}

}  // namespace

bool Sampler::Better(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

std::int32_t Sampler::Choose(std::span<const float> logits, const SamplingParams& params,
                             std::span<const std::int32_t> history, std::uint64_t position) {
  Penalise(logits, params, history);
  const Candidate best = Best(logits);
  const bool greedy = !(params.temperature > 0) || params.top_k == 1 || std::isinf(best.logit);
  if (greedy) return best.id;
  Gather(logits, best.logit, params.temperature);
  KeepTopK(params.top_k);
  KeepTopP(params.top_p);
  KeepMinP(params.min_p);
  SortById();
  return Draw(UniformAt(params.seed, position));
}

// Calls `visit(logit, id)` for every token in the order of ids, penalties applied.
template <class Visit>
void Sampler::ForEach(std::span<const float> logits, const Visit& visit) const {
  std::size_t i = 0;
  for (const Candidate& penalised : penalised_) {
    const auto id = static_cast<std::size_t>(penalised.id);
    for (; i < id; ++i) visit(static_cast<double>(logits[i]), i);
    visit(penalised.logit, i++);
  }
  for (; i < logits.size(); ++i) visit(static_cast<double>(logits[i]), i);
}

Sampler::Candidate Sampler::Best(std::span<const float> logits) const {
  Candidate best{-std::numeric_limits<double>::infinity(), kNoToken, 0};
  ForEach(logits, [&](double logit, std::size_t id) {
    if (logit > best.logit) best = {logit, static_cast<std::int32_t>(id), 0};
  });
  return best;
}

void Sampler::Penalise(std::span<const float> logits, const SamplingParams& params,
                       std::span<const std::int32_t> history) {
  penalised_.clear();
  if (!HasPenalty(params) || params.penalty_window <= 0) return;
  const auto window = static_cast<std::size_t>(params.penalty_window);
  const auto last = history.last(std::min(history.size(), window));
  window_.assign(last.begin(), last.end());
  std::sort(window_.begin(), window_.end());
  for (auto begin = window_.begin(); begin != window_.end();) {
    const auto end = std::upper_bound(begin, window_.end(), *begin);
    if (*begin >= 0 && static_cast<std::size_t>(*begin) < logits.size()) {
      const double logit = logits[static_cast<std::size_t>(*begin)];
      penalised_.push_back({PenalisedLogit(logit, params, end - begin), *begin, 0});
    }
    begin = end;
  }
}

void Sampler::Gather(std::span<const float> logits, double best, double temperature) {
  candidates_.clear();
  ForEach(logits, [&](double logit, std::size_t id) {
    const double scaled = (logit - best) / temperature;
    if (scaled >= kNegligible)
      candidates_.push_back({logit, static_cast<std::int32_t>(id), std::exp(scaled)});
  });
}

void Sampler::KeepTopK(int top_k) {
  if (top_k <= 0 || static_cast<std::size_t>(top_k) >= candidates_.size()) return;
  std::nth_element(candidates_.begin(), candidates_.begin() + top_k, candidates_.end(), Better);
  candidates_.resize(static_cast<std::size_t>(top_k));
}

// The fewest best candidates that together hold `top_p`: taken off a heap one by one, so that the
// rest is never sorted.
void Sampler::KeepTopP(double top_p) {
  if (!(top_p < 1)) return;
  top_p = std::max(top_p, 0.0);
  double total = 0;
  for (const Candidate& candidate : candidates_) total += candidate.weight;
  // Candidates below the mean of the share to drop hold less than that share all together.
  const double droppable = (1 - top_p) * total / static_cast<double>(candidates_.size());
  std::erase_if(candidates_, [&](const Candidate& c) { return c.weight < droppable; });
  const auto worse = [](const Candidate& a, const Candidate& b) { return Better(b, a); };
  std::make_heap(candidates_.begin(), candidates_.end(), worse);
  auto heap_end = candidates_.end();
  double kept = 0;
  do {
    std::pop_heap(candidates_.begin(), heap_end, worse);
    kept += (--heap_end)->weight;
  } while (kept < top_p * total && heap_end != candidates_.begin());
  candidates_.erase(candidates_.begin(), heap_end);
}

void Sampler::KeepMinP(double min_p) {
  if (!(min_p > 0 && min_p <= 1)) return;
  double best = 0;
  for (const Candidate& candidate : candidates_) best = std::max(best, candidate.weight);
  std::erase_if(candidates_,
                [&](const Candidate& candidate) { return candidate.weight < min_p * best; });
}

// The choice depends on what was kept and not on the order in which it was found.
void Sampler::SortById() {
  const auto by_id = [](const Candidate& a, const Candidate& b) { return a.id < b.id; };
  if (!std::is_sorted(candidates_.begin(), candidates_.end(), by_id))
    std::sort(candidates_.begin(), candidates_.end(), by_id);
}

std::int32_t Sampler::Draw(double uniform) const {
  double total = 0;
  for (const Candidate& candidate : candidates_) total += candidate.weight;
  double left = uniform * total;
  for (const Candidate& candidate : candidates_) {
    left -= candidate.weight;
    if (left < 0) return candidate.id;
  }
  return candidates_.back().id;
}

}  // namespace paluku
