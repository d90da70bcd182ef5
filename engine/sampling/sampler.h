// Sampler: chooses one token from one row of logits.
//
// The choice is a function of (logits, params, history, position) alone; the object only keeps
// scratch memory, so that decoding does not allocate. One thread at a time.
//
// Order of the steps, as in Hugging Face transformers: repetition penalty (Keskar et al. 2019),
// presence and frequency penalties, temperature, top-k, top-p (Holtzman et al. 2020), min-p (Nguyen
// et al. 2024), draw. Each step sees what the one before left, renormalised. Of equal logits the
// lower index counts as the better one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/sampling/sampling_params.h"

namespace paluku {

class Sampler {
 public:
  // What Choose returns when no logit can be chosen: all are NaN or minus infinity.
  static constexpr std::int32_t kNoToken = -1;

  // logits: [vocabulary]. A NaN is never chosen; an infinite one wins over all finite ones.
  // `history` are the tokens so far, oldest first; ids outside the vocabulary are passed over.
  // `position` numbers the draw.
  std::int32_t Choose(std::span<const float> logits, const SamplingParams& params,
                      std::span<const std::int32_t> history, std::uint64_t position);

 private:
  struct Candidate {
    double logit = 0;
    std::int32_t id = 0;
    double weight = 0;  // exp((logit - best) / temperature)
  };

  static bool Better(const Candidate& a, const Candidate& b);
  void Penalise(std::span<const float> logits, const SamplingParams& params,
                std::span<const std::int32_t> history);
  template <class Visit>
  void ForEach(std::span<const float> logits, const Visit& visit) const;
  Candidate Best(std::span<const float> logits) const;
  void Gather(std::span<const float> logits, double best, double temperature);
  void KeepTopK(int top_k);
  void KeepTopP(double top_p);
  void KeepMinP(double min_p);
  void SortById();
  std::int32_t Draw(double uniform) const;

  std::vector<Candidate> candidates_;
  std::vector<Candidate> penalised_;  // by id; the tokens whose logit a penalty changed
  std::vector<std::int32_t> window_;
};

}  // namespace paluku
