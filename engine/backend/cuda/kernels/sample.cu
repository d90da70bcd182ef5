#include <climits>
#include <cmath>

#include "engine/backend/cuda/kernels/sample.h"
#include "engine/backend/cuda/kernels/warp.cuh"

namespace paluku::cuda {
namespace {

constexpr int kWarps = 16;
constexpr int kThreads = kWarps * kWarp;
constexpr int kBins = 256;
constexpr float kNegligible = -40.0f;      // exponents below this count as weight 0
constexpr double kOne = 70368744177664.0;  // 2^46, the weight of the best

using Sum = unsigned long long;

struct Shared {
  Sum bins[kBins];
  Sum warp_sums[kWarps];
  float best_values[kWarps];
  int best_ids[kWarps];
  unsigned prefix;  // the key being found, from its highest byte on
  Sum above;        // what lies above it
};

// Larger numbers have larger keys.
__device__ __forceinline__ unsigned KeyOf(float value) {
  const unsigned bits = __float_as_uint(value);
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}

// Logits after penalties; what is not a number becomes minus infinity.
__device__ void Adjust(const SampleArgs& args) {
  for (int i = threadIdx.x; i < args.vocabulary; i += kThreads) {
    const float logit = args.logits[i];
    args.adjusted[i] = logit == logit ? logit : -INFINITY;
  }
  __syncthreads();
  const SampleValues& v = *args.values;
  for (int i = threadIdx.x; i < v.penalised; i += kThreads) {
    const PenalisedToken token = v.tokens[i];
    double logit = args.adjusted[token.id];
    if (v.repetition_penalty > 0) {
      logit = logit > 0 ? logit / v.repetition_penalty : logit * v.repetition_penalty;
    }
    logit -= v.presence_penalty + v.frequency_penalty * token.count;
    args.adjusted[token.id] = static_cast<float>(logit);
  }
  __syncthreads();
}

// The largest logit and, of equal ones, the lowest id.
__device__ void FindBest(const SampleArgs& args, Shared& shared, float& best, int& id) {
  best = -INFINITY;
  id = INT_MAX;
  for (int i = threadIdx.x; i < args.vocabulary; i += kThreads) {
    if (args.adjusted[i] > best) {
      best = args.adjusted[i];
      id = i;
    }
  }
  const int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  for (int round = 0; round < 2; ++round) {
#pragma unroll
    for (int step = kWarp / 2; step > 0; step /= 2) {
      const float other = __shfl_xor_sync(kAllLanes, best, step);
      const int other_id = __shfl_xor_sync(kAllLanes, id, step);
      if (other > best || (other == best && other_id < id)) {
        best = other;
        id = other_id;
      }
    }
    if (round == 1) return;
    if (lane == 0) {
      shared.best_values[warp] = best;
      shared.best_ids[warp] = id;
    }
    __syncthreads();
    best = shared.best_values[lane % kWarps];
    id = shared.best_ids[lane % kWarps];
  }
}

__device__ Sum BlockTotal(Sum value, Shared& shared) {
  __syncthreads();
#pragma unroll
  for (int step = kWarp / 2; step > 0; step /= 2) value += __shfl_xor_sync(kAllLanes, value, step);
  if (threadIdx.x % kWarp == 0) shared.warp_sums[threadIdx.x / kWarp] = value;
  __syncthreads();
  const int lane = threadIdx.x % kWarp;
  value = lane < kWarps ? shared.warp_sums[lane] : 0;
#pragma unroll
  for (int step = kWarp / 2; step > 0; step /= 2) value += __shfl_xor_sync(kAllLanes, value, step);
  return value;
}

// Sum of the values of all threads before this one.
__device__ Sum BlockSumBefore(Sum value, Shared& shared) {
  const int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  Sum upto = value;
#pragma unroll
  for (int step = 1; step < kWarp; step *= 2) {
    const Sum other = __shfl_up_sync(kAllLanes, upto, step);
    if (lane >= step) upto += other;
  }
  __syncthreads();
  if (lane == kWarp - 1) shared.warp_sums[warp] = upto;
  __syncthreads();
  Sum before = 0;
  for (int w = 0; w < warp; ++w) before += shared.warp_sums[w];
  return before + upto - value;
}

__device__ __forceinline__ Sum Measure(const SampleArgs& args, int i, bool by_weight) {
  return by_weight ? args.weights[i] : args.weights[i] > 0 ? 1 : 0;
}

// Finds the key at which the best candidates together first reach `target`: shared.prefix, with
// shared.above of what is better. By weight, or by number.
__device__ void FindThreshold(const SampleArgs& args, Shared& shared, Sum target, bool by_weight) {
  if (threadIdx.x == 0) {
    shared.prefix = 0;
    shared.above = 0;
  }
  for (int shift = 24; shift >= 0; shift -= 8) {
    if (threadIdx.x < kBins) shared.bins[threadIdx.x] = 0;
    __syncthreads();
    const unsigned prefix = shared.prefix, known = shift == 24 ? 0 : ~0u << (shift + 8);
    for (int i = threadIdx.x; i < args.vocabulary; i += kThreads) {
      const unsigned key = KeyOf(args.adjusted[i]);
      const Sum measure = Measure(args, i, by_weight);
      if (measure > 0 && (key & known) == prefix) {
        atomicAdd(&shared.bins[key >> shift & (kBins - 1)], measure);
      }
    }
    __syncthreads();
    if (threadIdx.x == 0) {
      int bin = kBins - 1;
      for (; bin > 0 && shared.above + shared.bins[bin] < target; --bin) {
        shared.above += shared.bins[bin];
      }
      shared.prefix = prefix | static_cast<unsigned>(bin) << shift;
    }
    __syncthreads();
  }
}

struct Range {
  int begin, end;
};
// The ids of this thread where their order counts.
__device__ __forceinline__ Range OwnIds(int vocabulary) {
  const int share = (vocabulary + kThreads - 1) / kThreads;
  return {min(vocabulary, static_cast<int>(threadIdx.x) * share),
          min(vocabulary, (static_cast<int>(threadIdx.x) + 1) * share)};
}

// Drops what is worse than the best that together reach `target`; of equal logits the lower ids
// stay.
__device__ void KeepBest(const SampleArgs& args, Shared& shared, Sum target, bool by_weight) {
  FindThreshold(args, shared, target, by_weight);
  const unsigned threshold = shared.prefix;
  const Range own = OwnIds(args.vocabulary);
  Sum ties = 0;
  for (int i = own.begin; i < own.end; ++i) {
    if (KeyOf(args.adjusted[i]) == threshold) ties += Measure(args, i, by_weight);
  }
  Sum reached = shared.above + BlockSumBefore(ties, shared);
  for (int i = own.begin; i < own.end; ++i) {
    const unsigned key = KeyOf(args.adjusted[i]);
    if (key > threshold) continue;
    const Sum measure = Measure(args, i, by_weight);
    const bool keep = key == threshold && reached < target;
    if (key == threshold) reached += measure;
    if (!keep) args.weights[i] = 0;
  }
  __syncthreads();
}

__device__ Sum TotalWeight(const SampleArgs& args, Shared& shared) {
  Sum sum = 0;
  for (int i = threadIdx.x; i < args.vocabulary; i += kThreads) sum += args.weights[i];
  return BlockTotal(sum, shared);
}

// The first id whose running sum of weights exceeds the drawn share.
__device__ void Draw(const SampleArgs& args, Shared& shared, double uniform) {
  const Range own = OwnIds(args.vocabulary);
  Sum sum = 0;
  for (int i = own.begin; i < own.end; ++i) sum += args.weights[i];
  const Sum total = BlockTotal(sum, shared);
  const auto place = static_cast<Sum>(uniform * static_cast<double>(total));
  Sum running = BlockSumBefore(sum, shared);
  for (int i = own.begin; i < own.end; ++i) {
    if (running <= place && place < running + args.weights[i]) *args.token = i;
    running += args.weights[i];
  }
}

__global__ void __launch_bounds__(kThreads) SampleKernel(SampleArgs args) {
  __shared__ Shared shared;
  const SampleValues& v = *args.values;
  Adjust(args);
  float best;
  int best_id;
  FindBest(args, shared, best, best_id);
  if (best == -INFINITY || !(v.temperature > 0) || v.top_k == 1 || isinf(best)) {
    if (threadIdx.x == 0) *args.token = best == -INFINITY ? -1 : best_id;
    return;
  }
  for (int i = threadIdx.x; i < args.vocabulary; i += kThreads) {
    const float exponent = (args.adjusted[i] - best) / v.temperature;
    args.weights[i] = exponent >= kNegligible
                          ? static_cast<Sum>(static_cast<double>(expf(exponent)) * kOne + 0.5)
                          : 0;
  }
  __syncthreads();
  if (v.top_k > 0 && v.top_k < args.vocabulary) {
    KeepBest(args, shared, static_cast<Sum>(v.top_k), false);
  }
  if (v.top_p < 1) {
    const double share = fmax(static_cast<double>(v.top_p), 0.0);
    const Sum total = TotalWeight(args, shared);
    const auto target = static_cast<Sum>(ceil(share * static_cast<double>(total)));
    KeepBest(args, shared, target > 0 ? target : 1, true);
  }
  if (v.min_p > 0 && v.min_p <= 1) {
    const auto least = static_cast<Sum>(static_cast<double>(v.min_p) * kOne);
    for (int i = threadIdx.x; i < args.vocabulary; i += kThreads) {
      if (args.weights[i] < least) args.weights[i] = 0;
    }
    __syncthreads();
  }
  Draw(args, shared, v.uniform);
}

}  // namespace

void LaunchSample(const SampleArgs& args, cudaStream_t stream) {
  SampleKernel<<<1, kThreads, 0, stream>>>(args);
}

}  // namespace paluku::cuda
