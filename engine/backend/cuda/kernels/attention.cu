#include <cfloat>

#include "engine/backend/cuda/kernels/attention.h"
#include "engine/backend/cuda/kernels/attention_scale.cuh"
#include "engine/backend/cuda/kernels/latent_row.cuh"
#include "engine/backend/cuda/kernels/quantise.cuh"
#include "engine/backend/cuda/kernels/weight_group.cuh"

namespace paluku::cuda {
namespace {

constexpr int kWarps = kHeadsPerBlock;
constexpr int kThreads = kWarps * kWarp;
constexpr int kCombineValues = kGroup;  // of a block
constexpr int kManyRows = 8;            // from which on rows share a block when W_UK is applied
constexpr int kLaneLatent = kMaxLatent / kWarp;
constexpr int kLaneRope = kMaxRope / kWarp;

__device__ __forceinline__ std::int64_t HeadIndex(const AttentionArgs& args, int row, int head) {
  return static_cast<std::int64_t>(row) * args.heads + head;
}

// Block (head, kRows rows, columns): query[c] = sum over n of q[n] * W_UK[head][n][c]; the rope
// part is copied. Rows of a block share what they read of W_UK.
template <int kRows>
__global__ void __launch_bounds__(kThreads) AbsorbKernel(AttentionArgs args) {
  const int head = blockIdx.x, first_row = blockIdx.y * kRows;
  const int c = blockIdx.z * kThreads + threadIdx.x;
  if (c >= args.latent + args.rope) return;
  float sums[kRows] = {};
  const float* q[kRows];
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    q[r] =
        args.q + HeadIndex(args, min(first_row + r, args.rows - 1), head) * (args.nope + args.rope);
    if (c >= args.latent) sums[r] = q[r][args.nope + c - args.latent];
  }
  const std::int64_t first = static_cast<std::int64_t>(head) * args.nope * args.latent + c;
  for (int n = 0; c < args.latent && n < args.nope; ++n) {
    const float weight = FloatWeight(args.w_uk, first + static_cast<std::int64_t>(n) * args.latent);
#pragma unroll
    for (int r = 0; r < kRows; ++r) sums[r] += q[r][n] * weight;
  }
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    if (first_row + r >= args.rows) break;
    args.query[HeadIndex(args, first_row + r, head) * (args.latent + args.rope) + c] = sums[r];
  }
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

  float* partial = args.partial + (index * args.splits + split) * (args.latent + 2);
#pragma unroll
  for (int i = 0; i < kLaneLatent; ++i) {
    const int c = i * kWarp + lane;
    if (c < args.latent) partial[c] = sum[i];
  }
  if (lane == 0) {
    partial[args.latent] = largest;
    partial[args.latent + 1] = weights;
  }
}

// Block (head, row, values): the splits weighed against each other, then a warp per value.
__global__ void __launch_bounds__(kThreads) CombineKernel(AttentionArgs args) {
  __shared__ float context[kMaxLatent], factors[kMaxSplits], values[kCombineValues];
  const int head = blockIdx.x, row = blockIdx.y, lane = threadIdx.x % kWarp;
  const std::int64_t index = HeadIndex(args, row, head);
  const int stride = args.latent + 2;
  const float* partial = args.partial + index * args.splits * stride;
  float largest = -FLT_MAX, weights = 0;
  for (int s = 0; s < args.splits; ++s) largest = fmaxf(largest, partial[s * stride + args.latent]);
  for (int s = 0; s < args.splits; ++s) {
    const float factor = expf(partial[s * stride + args.latent] - largest);
    weights += factor * partial[s * stride + args.latent + 1];
    if (threadIdx.x == 0) factors[s] = factor;
  }
  __syncthreads();
  for (int c = threadIdx.x; c < args.latent; c += kThreads) {
    float sum = 0;
    for (int s = 0; s < args.splits; ++s) sum += factors[s] * partial[s * stride + c];
    context[c] = sum / weights;
  }
  __syncthreads();
  const int end = min(args.value, static_cast<int>(blockIdx.z + 1) * kCombineValues);
  for (int v = blockIdx.z * kCombineValues + threadIdx.x / kWarp; v < end; v += kWarps) {
    const std::int64_t first = (static_cast<std::int64_t>(head) * args.value + v) * args.latent;
    float sum = 0;
    for (int c = lane; c < args.latent; c += kWarp) {
      sum += context[c] * FloatWeight(args.w_uv, first + c);
    }
    sum = WarpSum(sum);
    if (lane == 0) {
      args.out[index * args.value + v] = sum;
      values[v % kCombineValues] = sum;
    }
  }
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
  const unsigned columns = parts(args.latent + args.rope, kThreads);
  if (args.rows < kManyRows) {
    AbsorbKernel<1><<<dim3(heads, rows, columns), kThreads, 0, stream>>>(args);
  } else {
    AbsorbKernel<kManyRows>
        <<<dim3(heads, parts(args.rows, kManyRows), columns), kThreads, 0, stream>>>(args);
  }
  if (HasTensorAttention(args.cache.pages)) {
    LaunchTensorAttend(args, stream);
  } else {
    const dim3 grid(parts(args.heads, kHeadsPerBlock), static_cast<unsigned>(args.splits), rows);
    AttendKernel<<<grid, kThreads, 0, stream>>>(args);
  }
  CombineKernel<<<dim3(heads, rows, parts(args.value, kCombineValues)), kThreads, 0, stream>>>(
      args);
}

}  // namespace paluku::cuda
