// The attend step on tensor cores: 16 heads are the rows of a product, so that a cached row is read
// once for all of them. The tile of keys serves twice: its first columns are the values.
//
// Queries are split into two f16 numbers each, which keeps them at 22 bits; weights are one f16.
// Sums are f32.
#include <cuda_fp16.h>

#include <cfloat>

#include "engine/backend/cuda/intrinsics/tensor_core.cuh"
#include "engine/backend/cuda/kernels/attention.h"
#include "engine/backend/cuda/kernels/attention_scale.cuh"
#include "engine/backend/cuda/kernels/half_pack.cuh"
#include "engine/backend/cuda/kernels/latent_row.cuh"

namespace paluku::cuda {
namespace {

constexpr int kHeads = 16;   // rows of the product
constexpr int kTokens = 16;  // cached rows of a tile
constexpr int kWarps = 4;
constexpr int kThreads = kWarps * kWarp;
constexpr int kChunk = 16;  // bytes of a copy
constexpr float kLog2E = 1.4426950408889634f;
constexpr float kLn2 = 0.6931471805599453f;

template <int kLatent, int kRope, bool kInt8>
struct Shape {
  static constexpr int kWidth = kLatent + kRope;
  static constexpr int kSteps = kWidth / 16;                         // of 16 columns
  static constexpr int kWarpSteps = (kSteps + kWarps - 1) / kWarps;  // a warp's share of a score
  static constexpr int kStride = kWidth + 8;  // halves; rows 16 bytes apart modulo all banks
  static constexpr int kWarpColumns = kLatent / kWarps;  // a warp's share of the values
  static constexpr int kScaleBytes = 2 * (kLatent / kLatentScaleGroup);
  static constexpr int kRowBytes = kInt8 ? kLatent + kScaleBytes + 2 * kRope : 2 * kWidth;
  static constexpr int kRawStride = kInt8 ? kRowBytes : 2 * kStride;
  static constexpr int kTiles = kInt8 ? 1 : 2;  // f16 tiles are what was copied
};

template <class S>
struct Memory {
  alignas(16) unsigned char raw[2][kTokens * S::kRawStride];  // as in the cache, two stages
  alignas(16) __half converted[S::kTiles == 1 ? kTokens * S::kStride : 8];
  float scores[kWarps][kHeads][kTokens + 2];
  alignas(16) __half weights[kHeads][kTokens + 8];
  float shrink[kHeads];
};

// What a block works on.
struct Work {
  int begin, end;  // tokens, or places in the list of selected ones
  const std::int32_t* table;
  const std::int32_t* selected;
};

template <class S>
__device__ __forceinline__ void CopyTile(const AttentionArgs& args, const Work& work, int first,
                                         unsigned char* raw) {
  constexpr int kChunks = S::kRowBytes / kChunk;
  for (int i = threadIdx.x; i < kTokens * kChunks; i += kThreads) {
    const int t = i / kChunks, at = i % kChunks * kChunk, place = first + t;
    unsigned char* to = raw + t * S::kRawStride + at;
    if (place < work.end) {
      const int token = work.selected == nullptr ? place : work.selected[place];
      CopyAsync16(to, CacheRow(args.cache, work.table, token) + at);
    } else {
      *reinterpret_cast<uint4*>(to) = make_uint4(0, 0, 0, 0);
    }
  }
  CommitCopies();
}

// int8 rows with scales to f16.
template <int kLatent, int kRope, class S>
__device__ __forceinline__ void Convert(const unsigned char* raw, __half* tile) {
  constexpr int kLatentChunks = kLatent / kChunk, kRopeChunks = kRope * 2 / kChunk;
  for (int i = threadIdx.x; i < kTokens * kLatentChunks; i += kThreads) {
    const int t = i / kLatentChunks, c = i % kLatentChunks * kChunk;
    const unsigned char* row = raw + t * S::kRawStride;
    const uint4 packed = *reinterpret_cast<const uint4*>(row + c);
    const float scale =
        __half2float(reinterpret_cast<const __half*>(row + kLatent)[c / kLatentScaleGroup]);
    const unsigned words[4] = {packed.x, packed.y, packed.z, packed.w};
    alignas(16) __half values[kChunk];
#pragma unroll
    for (int j = 0; j < kChunk; ++j) {
      const auto q = static_cast<signed char>(words[j / 4] >> (8 * (j % 4)) & 255);
      values[j] = __float2half_rn(scale * static_cast<float>(q));
    }
    auto* to = reinterpret_cast<uint4*>(tile + t * S::kStride + c);
    to[0] = reinterpret_cast<const uint4*>(values)[0];
    to[1] = reinterpret_cast<const uint4*>(values)[1];
  }
  for (int i = threadIdx.x; i < kTokens * kRopeChunks; i += kThreads) {
    const int t = i / kRopeChunks, at = i % kRopeChunks * kChunk;
    const unsigned char* from = raw + t * S::kRawStride + kLatent + S::kScaleBytes + at;
    *reinterpret_cast<uint4*>(tile + t * S::kStride + kLatent + at / 2) =
        *reinterpret_cast<const uint4*>(from);
  }
}

// The warp's columns of the queries as fragments, upper and lower halves.
template <class S>
__device__ __forceinline__ void LoadQueries(const AttentionArgs& args, int row, int first_head,
                                            float scale, unsigned (&upper)[S::kWarpSteps][4],
                                            unsigned (&lower)[S::kWarpSteps][4]) {
  const int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  const int g = lane / 4, t = lane % 4;
#pragma unroll
  for (int s = 0; s < S::kWarpSteps; ++s) {
    const int step = warp * S::kWarpSteps + s;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int head = first_head + g + i % 2 * 8;
      const int column = step * 16 + 2 * t + i / 2 * 8;
      float2 q = {0, 0};
      if (head < args.heads && step < S::kSteps) {
        const std::int64_t index = static_cast<std::int64_t>(row) * args.heads + head;
        q = *reinterpret_cast<const float2*>(args.query + index * S::kWidth + column);
      }
      const __half x = __float2half_rn(q.x * scale), y = __float2half_rn(q.y * scale);
      upper[s][i] = Pack(x, y);
      lower[s][i] = Pack(__float2half_rn(q.x * scale - __half2float(x)),
                         __float2half_rn(q.y * scale - __half2float(y)));
    }
  }
}

// The warp's part of the scores [heads, tokens]: its columns of queries and keys.
template <class S>
__device__ __forceinline__ void PartialScores(const __half* tile,
                                              const unsigned (&upper)[S::kWarpSteps][4],
                                              const unsigned (&lower)[S::kWarpSteps][4],
                                              float (&scores)[kHeads][kTokens + 2]) {
  const int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  float sums[2][4] = {};
#pragma unroll
  for (int s = 0; s < S::kWarpSteps; ++s) {
    const int step = warp * S::kWarpSteps + s;
    if (step >= S::kSteps) break;
    unsigned keys[4];
    LoadMatrices(keys,
                 tile + (lane / 16 * 8 + lane % 8) * S::kStride + step * 16 + lane / 8 % 2 * 8);
    const unsigned left[2] = {keys[0], keys[1]}, right[2] = {keys[2], keys[3]};
    MultiplyAdd(sums[0], lower[s], left);
    MultiplyAdd(sums[1], lower[s], right);
    MultiplyAdd(sums[0], upper[s], left);
    MultiplyAdd(sums[1], upper[s], right);
  }
  const int g = lane / 4, t = lane % 4;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    *reinterpret_cast<float2*>(&scores[g][half * 8 + 2 * t]) = {sums[half][0], sums[half][1]};
    *reinterpret_cast<float2*>(&scores[g + 8][half * 8 + 2 * t]) = {sums[half][2], sums[half][3]};
  }
}

// Online softmax: eight lanes per head, two tokens each. Scores are in powers of two.
template <class S>
__device__ __forceinline__ void Weigh(Memory<S>& memory, int tokens, float& largest, float& sum) {
  const int head = threadIdx.x / 8, token = threadIdx.x % 8 * 2;
  float2 score = {0, 0};
#pragma unroll
  for (int w = 0; w < kWarps; ++w) {
    const float2 part = *reinterpret_cast<const float2*>(&memory.scores[w][head][token]);
    score.x += part.x;
    score.y += part.y;
  }
  if (token >= tokens) score.x = -FLT_MAX;
  if (token + 1 >= tokens) score.y = -FLT_MAX;
  float best = fmaxf(score.x, score.y);
#pragma unroll
  for (int step = 4; step > 0; step /= 2) {
    best = fmaxf(best, __shfl_xor_sync(kAllLanes, best, step));
  }
  const float raised = fmaxf(largest, best), shrink = exp2f(largest - raised);
  const __half first = __float2half_rn(token < tokens ? exp2f(score.x - raised) : 0.0f);
  const __half second = __float2half_rn(token + 1 < tokens ? exp2f(score.y - raised) : 0.0f);
  float added = __half2float(first) + __half2float(second);
#pragma unroll
  for (int step = 4; step > 0; step /= 2) added += __shfl_xor_sync(kAllLanes, added, step);
  largest = raised;
  sum = sum * shrink + added;
  *reinterpret_cast<unsigned*>(&memory.weights[head][token]) = Pack(first, second);
  if (token == 0) memory.shrink[head] = shrink;
}

// sums = sums * shrink + weights * values, for the warp's columns.
template <class S>
__device__ __forceinline__ void AddValues(const Memory<S>& memory, const __half* tile,
                                          float (&sums)[S::kWarpColumns / 8][4]) {
  const int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  const float upper = memory.shrink[lane / 4], lower = memory.shrink[lane / 4 + 8];
  unsigned weights[4];
  LoadMatrices(weights, &memory.weights[lane % 8 + lane / 8 % 2 * 8][lane / 16 * 8]);
  const __half* row =
      tile + (lane % 8 + lane / 8 % 2 * 8) * S::kStride + warp * S::kWarpColumns + lane / 16 * 8;
#pragma unroll
  for (int n = 0; n < S::kWarpColumns / 8; n += 2) {
    unsigned values[4];
    LoadTransposed(values, row + n * 8);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float(&sum)[4] = sums[n + half];
      sum[0] *= upper;
      sum[1] *= upper;
      sum[2] *= lower;
      sum[3] *= lower;
      const unsigned b[2] = {values[2 * half], values[2 * half + 1]};
      MultiplyAdd(sum, weights, b);
    }
  }
}

// Means are within the range of the cached latents, which f16 holds.
template <class S>
__device__ __forceinline__ void StoreMeans(const AttentionArgs& args, Memory<S>& memory, int row,
                                           int first_head,
                                           const float (&sums)[S::kWarpColumns / 8][4],
                                           float largest, float sum) {
  const int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp, own = threadIdx.x / 8;
  const auto part = [&](int head) {
    const std::int64_t index = static_cast<std::int64_t>(row) * args.heads + first_head + head;
    return index * args.splits + blockIdx.y;
  };
  if (threadIdx.x % 8 == 0) {
    memory.shrink[own] = sum > 0 ? 1.0f / sum : 0.0f;
    if (first_head + own < args.heads) {
      args.weights[part(own)] = {largest == -FLT_MAX ? largest : largest * kLn2, sum};
    }
  }
  __syncthreads();
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int head = lane / 4 + half * 8;
    if (first_head + head >= args.heads) continue;
    const float inverse = memory.shrink[head];
    auto* mean = static_cast<__half*>(args.means) + part(head) * args.latent;
#pragma unroll
    for (int n = 0; n < S::kWarpColumns / 8; ++n) {
      const int column = warp * S::kWarpColumns + n * 8 + lane % 4 * 2;
      *reinterpret_cast<unsigned*>(mean + column) =
          PackHalves(sums[n][2 * half] * inverse, sums[n][2 * half + 1] * inverse);
    }
  }
}

// Block (16 heads, split, row).
template <int kLatent, int kRope, bool kInt8>
__global__ void __launch_bounds__(kThreads) TensorAttendKernel(AttentionArgs args) {
  using S = Shape<kLatent, kRope, kInt8>;
  __shared__ Memory<S> memory;
  const int first_head = blockIdx.x * kHeads, row = blockIdx.z;
  const StepRow& step = args.cache.rows.rows[row];
  Work work;
  work.table = args.cache.rows.page_table + step.table_start;
  work.selected = SelectedOf(args, row);
  const int visible = VisibleOf(args, step.position);
  const int length = SplitLength(visible, args.splits);
  work.begin = min(visible, static_cast<int>(blockIdx.y) * length);
  work.end = min(visible, work.begin + length);

  unsigned upper[S::kWarpSteps][4], lower[S::kWarpSteps][4];
  LoadQueries<S>(args, row, first_head, ScaleAt(args, step.position) * kLog2E, upper, lower);
  float sums[S::kWarpColumns / 8][4] = {};
  float largest = -FLT_MAX, sum = 0;
  if (work.begin < work.end) CopyTile<S>(args, work, work.begin, memory.raw[0]);
  for (int first = work.begin, stage = 0; first < work.end; first += kTokens, stage ^= 1) {
    WaitForCopies<0>();
    __syncthreads();
    if (first + kTokens < work.end) {
      CopyTile<S>(args, work, first + kTokens, memory.raw[stage ^ 1]);
    }
    const __half* tile = reinterpret_cast<const __half*>(memory.raw[stage]);
    if constexpr (kInt8) {
      Convert<kLatent, kRope, S>(memory.raw[stage], memory.converted);
      tile = memory.converted;
      __syncthreads();
    }
    PartialScores<S>(tile, upper, lower, memory.scores[threadIdx.x / kWarp]);
    __syncthreads();
    Weigh(memory, work.end - first, largest, sum);
    __syncthreads();
    AddValues(memory, tile, sums);
  }
  __syncthreads();
  StoreMeans(args, memory, row, first_head, sums, largest, sum);
}

template <int kLatent, int kRope>
void Launch(const AttentionArgs& args, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>((args.heads + kHeads - 1) / kHeads),
                  static_cast<unsigned>(args.splits), static_cast<unsigned>(args.rows));
  if (args.cache.pages.type == LatentType::kQ8) {
    TensorAttendKernel<kLatent, kRope, true><<<grid, kThreads, 0, stream>>>(args);
  } else {
    TensorAttendKernel<kLatent, kRope, false><<<grid, kThreads, 0, stream>>>(args);
  }
}

}  // namespace

bool HasTensorAttention(const LatentPages& pages) {
  const bool widths = (pages.latent == 512 && pages.rope == 64) ||
                      (pages.latent == 256 && (pages.rope == 64 || pages.rope == 32));
  return widths && pages.type != LatentType::kF32 && pages.row_bytes() % kChunk == 0;
}

void LaunchTensorAttend(const AttentionArgs& args, cudaStream_t stream) {
  if (args.latent == 512) {
    Launch<512, 64>(args, stream);
  } else if (args.rope == 64) {
    Launch<256, 64>(args, stream);
  } else {
    Launch<256, 32>(args, stream);
  }
}

}  // namespace paluku::cuda
