#include <cfloat>

#include "engine/backend/cuda/kernels/attention.h"
#include "engine/backend/cuda/kernels/attention_scale.cuh"
#include "engine/backend/cuda/kernels/latent_row.cuh"
#include "engine/backend/cuda/kernels/quantise.cuh"
#include "engine/backend/cuda/kernels/weight_piece.cuh"

namespace paluku::cuda {
namespace {

constexpr int kWarps = kHeadsPerBlock;
constexpr int kThreads = kWarps * kWarp;
constexpr int kCombineThreads = 256;
constexpr int kCombineWarps = kCombineThreads / kWarp;
constexpr int kCombineValues = kGroup;  // of a block
constexpr int kLaneLatent = kMaxLatent / kWarp;
constexpr int kLaneRope = kMaxRope / kWarp;

__device__ __forceinline__ std::int64_t HeadIndex(const AttentionArgs& args, int row, int head) {
  return static_cast<std::int64_t>(row) * args.heads + head;
}

// Block (heads of four, split, row), a warp per head. The lanes of a warp hold the query and the
// weighted sum, every 32nd value each.
__global__ void __launch_bounds__(kThreads, 4) AttendKernel(AttentionArgs args) {
  const int head = blockIdx.x * kWarps + threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  const int split = blockIdx.y, row = blockIdx.z;
  if (head >= args.heads) return;
  const StepRows& rows = args.cache.rows;
  const LatentPages& pages = args.cache.pages;
  const int position = rows.rows[row].position;
  const std::int32_t* selected = SelectedOf(args, row);
  const int visible = VisibleOf(args, position);
  const float scale = ScaleAt(args, position);
  const int length = SplitLength(visible, args.splits);
  const int end = min(visible, (split + 1) * length);
  const std::int32_t* table = rows.page_table + rows.rows[row].table_start;
  const std::int64_t index = HeadIndex(args, row, head);
  const float* query = args.query + index * (args.latent + args.rope);

  float sum[kLaneLatent] = {}, largest = -FLT_MAX, weights = 0;
  for (int t = split * length; t < end; ++t) {
    const unsigned char* cached =
        CacheRow(args.cache, table, selected == nullptr ? t : selected[t]);
    float latent[kLaneLatent], score = 0;
#pragma unroll
    for (int i = 0; i < kLaneLatent; ++i) {
      const int c = i * kWarp + lane;
      latent[i] = c < args.latent ? LatentValue(pages, cached, c) : 0.0f;
      if (c < args.latent) score += query[c] * latent[i];
    }
#pragma unroll
    for (int i = 0; i < kLaneRope; ++i) {
      const int c = i * kWarp + lane;
      if (c < args.rope) {
        score += query[args.latent + c] * LatentValue(pages, cached, args.latent + c);
      }
    }
    score = WarpSum(score) * scale;
    const float raised = fmaxf(largest, score);
    const float shrink = expf(largest - raised), weight = expf(score - raised);
    largest = raised;
    weights = weights * shrink + weight;
#pragma unroll
    for (int i = 0; i < kLaneLatent; ++i) sum[i] = sum[i] * shrink + weight * latent[i];
  }

  const std::int64_t part = index * args.splits + split;
  float* mean = static_cast<float*>(args.means) + part * args.latent;
  const float inverse = weights > 0 ? 1.0f / weights : 0.0f;
#pragma unroll
  for (int i = 0; i < kLaneLatent; ++i) {
    const int c = i * kWarp + lane;
    if (c < args.latent) mean[c] = sum[i] * inverse;
  }
  if (lane == 0) args.weights[part] = {largest, weights};
}

// Where value `c` of the context lies in shared memory: pieces 48 bytes apart, so that eight lanes
// with a piece each meet all banks.
__device__ __forceinline__ int ContextPlace(int c) { return c + c / kPiece * 4; }

__device__ __forceinline__ float2 PairAt(const float* from) {
  return *reinterpret_cast<const float2*>(from);
}
__device__ __forceinline__ float2 PairAt(const __half* from) {
  return __half22float2(*reinterpret_cast<const __half2*>(from));
}

// Block (head, row, values): the splits weighed against each other, then a warp per value.
template <class Mean>
__global__ void __launch_bounds__(kCombineThreads) CombineKernel(AttentionArgs args) {
  __shared__ alignas(16) float context[kMaxLatent / kPiece * (kPiece + 4)];
  __shared__ float factors[kMaxSplits], values[kCombineValues];
  const int head = blockIdx.x, row = blockIdx.y, lane = threadIdx.x % kWarp;
  const std::int64_t index = HeadIndex(args, row, head);
  const float2* splits = args.weights + index * args.splits;
  float largest = -FLT_MAX, weights = 0;
  for (int s = 0; s < args.splits; ++s) largest = fmaxf(largest, splits[s].x);
  for (int s = 0; s < args.splits; ++s) {
    const float factor = expf(splits[s].x - largest) * splits[s].y;
    weights += factor;
    if (threadIdx.x == 0) factors[s] = factor;
  }
  __syncthreads();
  const Mean* means = static_cast<const Mean*>(args.means) + index * args.splits * args.latent;
  for (int c = 2 * threadIdx.x; c < (args.latent + kPiece - 1) / kPiece * kPiece;
       c += 2 * kCombineThreads) {
    float2 sum = {0, 0};
    for (int s = 0; c < args.latent && s < args.splits; ++s) {
      const float2 mean = PairAt(means + s * args.latent + c);
      sum.x += factors[s] * mean.x;
      sum.y += factors[s] * mean.y;
    }
    context[ContextPlace(c)] = sum.x / weights;
    context[ContextPlace(c + 1)] = sum.y / weights;
  }
  __syncthreads();
  const int end = min(args.value, static_cast<int>(blockIdx.z + 1) * kCombineValues);
  WithForm(args.w_uv.form, [&](auto form) {
    for (int v = blockIdx.z * kCombineValues + threadIdx.x / kWarp; v < end; v += kCombineWarps) {
      float sum = 0;
      for (int c = lane * kPiece; c < args.latent; c += kWarp * kPiece) {
        float weight[kPiece];
        LoadPiece<decltype(form)::kValue>(
            args.w_uv, static_cast<std::int64_t>(head) * args.value + v, c, weight);
        const float* x = context + ContextPlace(c);
#pragma unroll
        for (int j = 0; j < kPiece; ++j) sum += x[j] * weight[j];
      }
      sum = WarpSum(sum);
      if (lane == 0) {
        args.out[index * args.value + v] = sum;
        values[v % kCombineValues] = sum;
      }
    }
  });
  if (args.rounded.values == nullptr) return;
  __syncthreads();
  if (threadIdx.x >= kWarp) return;
  const std::int64_t group = index * (args.value / kGroup) + blockIdx.z;
  QuantiseGroup(values[lane], args.rounded.values + group * kGroup, args.rounded.groups + group);
}

}  // namespace

void LaunchAbsorbedAttention(const AttentionArgs& args, cudaStream_t stream) {
  const auto heads = static_cast<unsigned>(args.heads), rows = static_cast<unsigned>(args.rows);
  const auto parts = [](int count, int of) { return static_cast<unsigned>((count + of - 1) / of); };
  LaunchAbsorb(args, stream);
  const dim3 combine(heads, rows, parts(args.value, kCombineValues));
  if (HasTensorAttention(args.cache.pages)) {
    LaunchTensorAttend(args, stream);
    CombineKernel<__half><<<combine, kCombineThreads, 0, stream>>>(args);
  } else {
    const dim3 grid(parts(args.heads, kHeadsPerBlock), static_cast<unsigned>(args.splits), rows);
    AttendKernel<<<grid, kThreads, 0, stream>>>(args);
    CombineKernel<float><<<combine, kCombineThreads, 0, stream>>>(args);
  }
}

}  // namespace paluku::cuda
