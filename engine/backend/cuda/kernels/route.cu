#include <cfloat>
#include <climits>

#include "engine/backend/cuda/kernels/route.h"
#include "engine/backend/cuda/kernels/warp.cuh"

namespace paluku::cuda {
namespace {

struct Best {
  float value;
  int index;
};

// Larger values first; of equal ones the lower index.
__device__ __forceinline__ Best Better(Best a, Best b) {
  const bool first = a.value > b.value || (a.value == b.value && a.index < b.index);
  return first ? a : b;
}

__device__ __forceinline__ Best WarpBest(Best best) {
#pragma unroll
  for (int step = kWarp / 2; step > 0; step /= 2) {
    best = Better(best, {__shfl_xor_sync(kAllLanes, best.value, step),
                         __shfl_xor_sync(kAllLanes, best.index, step)});
  }
  return best;
}

// A NaN counts as the smallest number, so that the choice is always a valid one.
__device__ __forceinline__ float Comparable(float value) {
  return value == value ? value : -FLT_MAX;
}

__device__ void ComputeScores(const RouteArgs& args, const float* logits, float* scores) {
  const int lane = threadIdx.x;
  if (args.sigmoid) {
    for (int e = lane; e < args.experts; e += kWarp) scores[e] = 1.0f / (1.0f + expf(-logits[e]));
    return;
  }
  float largest = -FLT_MAX;
  for (int e = lane; e < args.experts; e += kWarp) largest = fmaxf(largest, logits[e]);
  largest = WarpMaxOrNan(largest);
  float sum = 0;
  for (int e = lane; e < args.experts; e += kWarp) sum += scores[e] = expf(logits[e] - largest);
  sum = WarpSum(sum);
  for (int e = lane; e < args.experts; e += kWarp) scores[e] /= sum;
}

// Sets the choice of all but the best groups to minus infinity. A lane per group: at most 32.
__device__ void KeepBestGroups(const RouteArgs& args, float* choice) {
  const int lane = threadIdx.x, size = args.experts / args.groups;
  float best = -FLT_MAX, second = -FLT_MAX;
  for (int i = 0; lane < args.groups && i < size; ++i) {
    const float value = choice[lane * size + i];
    second = fmaxf(second, fminf(best, value));
    best = fmaxf(best, value);
  }
  float score = args.top_two ? best + second : best;
  bool kept = false;
  for (int k = 0; k < args.groups_chosen; ++k) {
    const bool open = lane < args.groups && !kept;
    const Best winner = WarpBest({open ? score : -INFINITY, open ? lane : INT_MAX});
    kept = kept || lane == winner.index;
  }
  for (int i = 0; lane < args.groups && !kept && i < size; ++i) {
    choice[lane * size + i] = -INFINITY;
  }
  __syncwarp();
}

// One warp per row.
__global__ void __launch_bounds__(kWarp) RouteKernel(RouteArgs args) {
  __shared__ float scores[kMaxExperts], choice[kMaxExperts];
  const int lane = threadIdx.x, row = blockIdx.x;
  ComputeScores(args, args.logits + static_cast<std::int64_t>(row) * args.experts, scores);
  for (int e = lane; e < args.experts; e += kWarp) {
    choice[e] = Comparable(scores[e] + (args.bias != nullptr ? args.bias[e] : 0.0f));
  }
  __syncwarp();
  if (args.groups > 1 && args.groups_chosen < args.groups) KeepBestGroups(args, choice);
  std::int32_t* ids = args.ids + static_cast<std::int64_t>(row) * args.chosen;
  float* weights = args.weights + static_cast<std::int64_t>(row) * args.chosen;
  float sum = 1e-20f;  // as HF transformers' DeepseekV3TopkRouter
  for (int k = 0; k < args.chosen; ++k) {
    Best best = {-INFINITY, INT_MAX};
    // A taken expert is marked NaN, which never compares as better.
    for (int e = lane; e < args.experts; e += kWarp) best = Better({choice[e], e}, best);
    best = WarpBest(best);
    sum += scores[best.index];
    __syncwarp();  // all have read the choice before it changes
    if (lane == 0) {
      ids[k] = best.index;
      weights[k] = scores[best.index];
      choice[best.index] = NAN;
    }
    __syncwarp();
  }
  const float factor = args.normalise ? args.scale / sum : args.scale;
  for (int k = lane; k < args.chosen; k += kWarp) weights[k] *= factor;
}

}  // namespace

void LaunchRoute(const RouteArgs& args, cudaStream_t stream) {
  RouteKernel<<<static_cast<unsigned>(args.rows), kWarp, 0, stream>>>(args);
}

}  // namespace paluku::cuda
