#include "engine/backend/cuda/kernels/indexer.h"
#include "engine/backend/cuda/kernels/latent_row.cuh"
#include "engine/backend/cuda/kernels/rope.cuh"

namespace paluku::cuda {
namespace {

constexpr int kAppendThreads = 128;
constexpr int kScoreWarps = 8;
constexpr int kSelectThreads = 512;
constexpr int kBins = 256;

// A block per row: LayerNorm, rotation of the first values, into the cache.
__global__ void __launch_bounds__(kAppendThreads) IndexAppendKernel(IndexAppendArgs args) {
  __shared__ float partial[2][kWarp];
  const LatentPages& pages = args.cache.pages;
  const StepRow& step = args.cache.rows.rows[blockIdx.x];
  const int n = pages.index;
  const float* key = args.key + static_cast<std::int64_t>(blockIdx.x) * n;
  float sum = 0, squares = 0;
  for (int i = threadIdx.x; i < n; i += kAppendThreads) sum += key[i];
  const float mean = BlockSum(sum, partial[0]) / static_cast<float>(n);
  for (int i = threadIdx.x; i < n; i += kAppendThreads)
    squares += (key[i] - mean) * (key[i] - mean);
  const float variance = BlockSum(squares, partial[1]) / static_cast<float>(n);
  const float factor = 1.0f / sqrtf(variance + args.epsilon);
  const auto normed = [&](int i) { return (key[i] - mean) * factor * args.norm[i] + args.bias[i]; };
  unsigned char* to =
      CacheRow(args.cache, args.cache.rows.page_table + step.table_start, step.position);
  for (int i = threadIdx.x; i < args.rope.rope / 2; i += kAppendThreads) {
    const int a = FirstOfPair(args.rope, i), b = SecondOfPair(args.rope, i);
    const Rotated turned =
        Rotate(normed(a), normed(b), step.position, args.rope.inverse_frequency[i]);
    StoreIndex(pages, to, a, turned.first);
    StoreIndex(pages, to, b, turned.second);
  }
  for (int i = args.rope.rope + threadIdx.x; i < n; i += kAppendThreads) {
    StoreIndex(pages, to, i, normed(i));
  }
}

// A warp per token: sum over heads of weight * scale * ReLU(q . key).
__global__ void __launch_bounds__(kScoreWarps* kWarp) ScoreKernel(SelectArgs args) {
  const LatentPages& pages = args.cache.pages;
  const int row = args.first_row + blockIdx.y, lane = threadIdx.x % kWarp;
  const int token = blockIdx.x * kScoreWarps + threadIdx.x / kWarp;
  const StepRow& step = args.cache.rows.rows[row];
  if (token > step.position) return;
  const unsigned char* cached =
      CacheRow(args.cache, args.cache.rows.page_table + step.table_start, token);
  const float* q = args.q + static_cast<std::int64_t>(row) * args.heads * pages.index;
  float score = 0;
  for (int h = 0; h < args.heads; ++h) {
    float product = 0;
    for (int i = lane; i < pages.index; i += kWarp) {
      product += q[h * pages.index + i] * IndexValue(pages, cached, i);
    }
    product = WarpSum(product);
    const float weight = args.weights[static_cast<std::int64_t>(row) * args.heads + h];
    score += weight * args.scale * fmaxf(product, 0.0f);
  }
  if (lane == 0) args.scores[static_cast<std::int64_t>(blockIdx.y) * args.tokens + token] = score;
}

// Larger scores have larger keys; a NaN counts as the lowest.
__device__ __forceinline__ unsigned KeyOf(float score) {
  if (score != score) return 0;
  const unsigned bits = __float_as_uint(score == 0 ? 0.0f : score);
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}

struct Threshold {
  unsigned key;
  int above;  // scores with larger keys
};

// The key of the `wanted`-th best of `count` scores.
__device__ Threshold FindThreshold(const float* scores, int count, int wanted) {
  __shared__ int bins[kBins];
  __shared__ Threshold found;
  if (threadIdx.x == 0) found = {0, 0};
  for (int shift = 24; shift >= 0; shift -= 8) {
    if (threadIdx.x < kBins) bins[threadIdx.x] = 0;
    __syncthreads();
    const unsigned prefix = found.key, known = shift == 24 ? 0 : ~0u << (shift + 8);
    for (int t = threadIdx.x; t < count; t += kSelectThreads) {
      const unsigned key = KeyOf(scores[t]);
      if ((key & known) == prefix) atomicAdd(&bins[key >> shift & (kBins - 1)], 1);
    }
    __syncthreads();
    if (threadIdx.x == 0) {
      int bin = kBins - 1;
      for (; bin > 0 && found.above + bins[bin] < wanted; --bin) found.above += bins[bin];
      found.key = prefix | static_cast<unsigned>(bin) << shift;
    }
    __syncthreads();
  }
  return found;
}

// Sum of the values of all threads before this one.
__device__ int SumBefore(int value) {
  __shared__ int warps[kSelectThreads / kWarp];
  const int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  int upto = value;
#pragma unroll
  for (int step = 1; step < kWarp; step *= 2) {
    const int other = __shfl_up_sync(kAllLanes, upto, step);
    if (lane >= step) upto += other;
  }
  __syncthreads();
  if (lane == kWarp - 1) warps[warp] = upto;
  __syncthreads();
  for (int w = 0; w < warp; ++w) upto += warps[w];
  return upto - value;
}

// A block per row. Each thread owns a run of neighbouring tokens, so that the list is ascending.
__global__ void __launch_bounds__(kSelectThreads) SelectKernel(SelectArgs args) {
  const int row = args.first_row + blockIdx.x;
  const int count = args.cache.rows.rows[row].position + 1;
  const float* scores = args.scores + static_cast<std::int64_t>(blockIdx.x) * args.tokens;
  std::int32_t* out = args.selected + static_cast<std::int64_t>(row) * args.columns;
  const int wanted = min(count, args.columns);
  const Threshold threshold = FindThreshold(scores, count, wanted);
  const int share = (count + kSelectThreads - 1) / kSelectThreads;
  const int begin = min(count, static_cast<int>(threadIdx.x) * share);
  const int end = min(count, begin + share);
  int ties = 0, better = 0;
  for (int t = begin; t < end; ++t) {
    const unsigned key = KeyOf(scores[t]);
    ties += key == threshold.key;
    better += key > threshold.key;
  }
  // Of the ties the first ones are taken.
  const int room = wanted - threshold.above, ties_before = SumBefore(ties);
  int left = max(0, room - ties_before);
  int place = SumBefore(better) + min(ties_before, room);
  for (int t = begin; t < end; ++t) {
    const unsigned key = KeyOf(scores[t]);
    const bool take = key > threshold.key || (key == threshold.key && left-- > 0);
    if (take) out[place++] = t;
  }
  for (int i = wanted + threadIdx.x; i < args.columns; i += kSelectThreads) out[i] = -1;
}

}  // namespace

void LaunchIndexAppend(const IndexAppendArgs& args, cudaStream_t stream) {
  IndexAppendKernel<<<static_cast<unsigned>(args.rows), kAppendThreads, 0, stream>>>(args);
}

void LaunchSelectTokens(const SelectArgs& args, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>((args.tokens + kScoreWarps - 1) / kScoreWarps),
                  static_cast<unsigned>(args.rows));
  ScoreKernel<<<grid, kScoreWarps * kWarp, 0, stream>>>(args);
  SelectKernel<<<static_cast<unsigned>(args.rows), kSelectThreads, 0, stream>>>(args);
}

}  // namespace paluku::cuda
