// Flash attention over expanded keys and values. Four warps of a block have 16 rows each; a tile of
// keys and then of values is shared by all, and while one is multiplied the other is on its way.
#include <cuda_fp16.h>

#include <cfloat>

#include "engine/backend/cuda/intrinsics/tensor_core.cuh"
#include "engine/backend/cuda/kernels/attention_expanded.h"
#include "engine/backend/cuda/kernels/attention_scale.cuh"
#include "engine/backend/cuda/kernels/half_pack.cuh"
#include "engine/backend/cuda/kernels/latent_row.cuh"

namespace paluku::cuda {
namespace {

constexpr int kWarps = 4;
constexpr int kThreads = kWarps * kWarp;
constexpr int kRows = kWarps * 16;
constexpr int kChunk = 8;  // values of a copy
constexpr float kLog2E = 1.4426950408889634f;

// Where the eight values of a chunk of a row lie in shared memory. Chunks change places from row to
// row, so that eight rows meet all banks without padding.
template <int kWidth>
__device__ __forceinline__ int Place(int row, int chunk) {
  constexpr int kStride = (kWidth + 63) / 64 * 64;
  return row * kStride + (chunk ^ row % 8) * kChunk;
}

constexpr int Room(int rows, int width) { return rows * ((width + 63) / 64 * 64); }

template <int kQuery, int kValue, int kTokens>
struct Memory {
  alignas(16) __half queries[Room(kRows, kQuery)];
  alignas(16) __half keys[Room(kTokens, kQuery)];
  alignas(16) __half values[Room(kTokens, kValue)];
};

// What a block works on.
struct Work {
  int head, first_row, end;  // tokens of the run before `end` are visible to some of the rows
  int rope_at;               // bytes of a cached row before its rope part
  const std::int32_t* table;
};

template <int kQuery>
__device__ __forceinline__ void LoadQueries(const ExpandedArgs& args, const Work& work,
                                            __half* queries) {
  constexpr int kChunks = kQuery / kChunk;
  for (int i = threadIdx.x; i < kRows * kChunks; i += kThreads) {
    const int r = i / kChunks, chunk = i % kChunks, row = work.first_row + r;
    uint4 packed = {0, 0, 0, 0};
    if (row < args.rows) {
      const float scale = ScaleAt(args, args.cache.rows.rows[row].position) * kLog2E;
      const auto* from = reinterpret_cast<const float4*>(
          args.q + (static_cast<std::int64_t>(row) * args.heads + work.head) * kQuery +
          chunk * kChunk);
      const float4 a = from[0], b = from[1];
      packed = {PackHalves(a.x * scale, a.y * scale), PackHalves(a.z * scale, a.w * scale),
                PackHalves(b.x * scale, b.y * scale), PackHalves(b.z * scale, b.w * scale)};
    }
    *reinterpret_cast<uint4*>(queries + Place<kQuery>(r, chunk)) = packed;
  }
}

// Tokens first .. first + kTokens - 1 of the sequence: the keys of the head and, out of the cache,
// the part that all heads share.
template <int kQuery, int kTokens>
__device__ __forceinline__ void CopyKeys(const ExpandedArgs& args, const Work& work, int first,
                                         __half* keys) {
  constexpr int kChunks = kQuery / kChunk;
  for (int i = threadIdx.x; i < kTokens * kChunks; i += kThreads) {
    const int t = i / kChunks, chunk = i % kChunks, token = first + t, column = chunk * kChunk;
    __half* to = keys + Place<kQuery>(t, chunk);
    if (token >= work.end) {
      *reinterpret_cast<uint4*>(to) = make_uint4(0, 0, 0, 0);
    } else if (column < args.nope) {
      const std::int64_t at =
          static_cast<std::int64_t>(token - args.first) * args.heads + work.head;
      CopyAsync16(to, args.keys + at * args.nope + column);
    } else {
      CopyAsync16(
          to, CacheRow(args.cache, work.table, token) + work.rope_at + 2 * (column - args.nope));
    }
  }
  CommitCopies();
}

template <int kValue, int kTokens>
__device__ __forceinline__ void CopyValues(const ExpandedArgs& args, const Work& work, int first,
                                           __half* values) {
  constexpr int kChunks = kValue / kChunk;
  for (int i = threadIdx.x; i < kTokens * kChunks; i += kThreads) {
    const int t = i / kChunks, chunk = i % kChunks, token = first + t;
    __half* to = values + Place<kValue>(t, chunk);
    if (token >= work.end) {
      *reinterpret_cast<uint4*>(to) = make_uint4(0, 0, 0, 0);
    } else {
      const std::int64_t at =
          static_cast<std::int64_t>(token - args.first) * args.heads + work.head;
      CopyAsync16(to, args.values + at * kValue + chunk * kChunk);
    }
  }
  CommitCopies();
}

// scores = queries * keys for the warp's rows. Accumulator: row lane / 4 and that + 8, tokens
// 8 n + lane % 4 * 2 and the next.
template <int kQuery, int kTokens>
__device__ __forceinline__ void Scores(const __half* queries, const __half* keys,
                                       float (&scores)[kTokens / 8][4]) {
  const int lane = threadIdx.x % kWarp, row = threadIdx.x / kWarp * 16 + lane % 16;
#pragma unroll
  for (int n = 0; n < kTokens / 8; ++n) {
#pragma unroll
    for (int i = 0; i < 4; ++i) scores[n][i] = 0;
  }
#pragma unroll
  for (int step = 0; step < kQuery / 16; ++step) {
    unsigned q[4];
    LoadMatrices(q, queries + Place<kQuery>(row, 2 * step + lane / 16));
#pragma unroll
    for (int n = 0; n < kTokens / 8; n += 2) {
      unsigned k[4];
      LoadMatrices(k,
                   keys + Place<kQuery>(n * 8 + lane / 16 * 8 + lane % 8, 2 * step + lane / 8 % 2));
      const unsigned left[2] = {k[0], k[1]}, right[2] = {k[2], k[3]};
      MultiplyAdd(scores[n], q, left);
      MultiplyAdd(scores[n + 1], q, right);
    }
  }
}

// A row's running softmax, in powers of two. The four lanes of a row share `largest`; each has the
// weights of its own tokens in `sum`.
struct Softmax {
  float largest = -FLT_MAX;
  float sum = 0;
};

// Scores to weights of the softmax, two tokens a word; later tokens than visible - 1 weigh nothing.
// Returns what earlier sums shrink by.
template <int kTokens>
__device__ __forceinline__ float Weigh(float (&scores)[kTokens / 8][4], int half, int visible,
                                       Softmax& softmax, unsigned (&weights)[kTokens / 8][2]) {
  const int token = threadIdx.x % 4 * 2;
  float best = -FLT_MAX;
#pragma unroll
  for (int n = 0; n < kTokens / 8; ++n) {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      float& score = scores[n][2 * half + i];
      if (n * 8 + token + i >= visible) score = -FLT_MAX;
      best = fmaxf(best, score);
    }
  }
  best = fmaxf(best, __shfl_xor_sync(kAllLanes, best, 1));
  best = fmaxf(best, __shfl_xor_sync(kAllLanes, best, 2));
  const float raised = fmaxf(softmax.largest, best), shrink = exp2f(softmax.largest - raised);
  float sum = 0;
#pragma unroll
  for (int n = 0; n < kTokens / 8; ++n) {
    const __half first = __float2half_rn(exp2f(scores[n][2 * half] - raised));
    const __half second = __float2half_rn(exp2f(scores[n][2 * half + 1] - raised));
    sum += __half2float(first) + __half2float(second);
    weights[n][half] = Pack(first, second);
  }
  softmax.largest = raised;
  softmax.sum = softmax.sum * shrink + sum;
  return shrink;
}

// sums = sums * shrink + weights * values.
template <int kValue, int kTokens>
__device__ __forceinline__ void AddValues(const __half* values,
                                          const unsigned (&weights)[kTokens / 8][2],
                                          const float (&shrink)[2], float (&sums)[kValue / 8][4]) {
  const int lane = threadIdx.x % kWarp;
#pragma unroll
  for (int n = 0; n < kValue / 8; ++n) {
#pragma unroll
    for (int i = 0; i < 4; ++i) sums[n][i] *= shrink[i / 2];
  }
#pragma unroll
  for (int t = 0; t < kTokens / 8; t += 2) {
    const unsigned a[4] = {weights[t][0], weights[t][1], weights[t + 1][0], weights[t + 1][1]};
#pragma unroll
    for (int n = 0; n < kValue / 8; n += 2) {
      unsigned v[4];
      LoadTransposed(v, values + Place<kValue>(t * 8 + lane % 16, n + lane / 16));
      const unsigned left[2] = {v[0], v[1]}, right[2] = {v[2], v[3]};
      MultiplyAdd(sums[n], a, left);
      MultiplyAdd(sums[n + 1], a, right);
    }
  }
}

// What the runs before this one have left of a row.
template <int kValue>
__device__ __forceinline__ void LoadSums(const ExpandedArgs& args, int row, int head, int half,
                                         Softmax& softmax, float (&sums)[kValue / 8][4]) {
  const int t = threadIdx.x % 4;
  const std::int64_t index = static_cast<std::int64_t>(row) * args.heads + head;
  const float2 state = args.state[index];
  softmax = {state.x, t == 0 ? state.y : 0.0f};
#pragma unroll
  for (int n = 0; n < kValue / 8; ++n) {
    const float2 pair = *reinterpret_cast<const float2*>(args.out + index * kValue + n * 8 + 2 * t);
    sums[n][2 * half] = pair.x;
    sums[n][2 * half + 1] = pair.y;
  }
}

template <int kValue>
__device__ __forceinline__ void StoreSums(const ExpandedArgs& args, int row, int head, int half,
                                          const Softmax& softmax,
                                          const float (&sums)[kValue / 8][4]) {
  const int t = threadIdx.x % 4;
  float sum = softmax.sum;
  sum += __shfl_xor_sync(kAllLanes, sum, 1);
  sum += __shfl_xor_sync(kAllLanes, sum, 2);
  if (row >= args.rows) return;
  const std::int64_t index = static_cast<std::int64_t>(row) * args.heads + head;
  const float factor = args.last ? 1.0f / sum : 1.0f;
  if (t == 0) args.state[index] = {softmax.largest, sum};
#pragma unroll
  for (int n = 0; n < kValue / 8; ++n) {
    *reinterpret_cast<float2*>(args.out + index * kValue + n * 8 + 2 * t) = {
        sums[n][2 * half] * factor, sums[n][2 * half + 1] * factor};
  }
}

// Block (64 rows, head). The rows that see most come first, so that the last blocks are short.
template <int kQuery, int kValue, int kTokens>
__global__ void __launch_bounds__(kThreads) FlashKernel(ExpandedArgs args) {
  __shared__ Memory<kQuery, kValue, kTokens> memory;
  const StepRow* rows = args.cache.rows.rows;
  Work work;
  work.head = blockIdx.y;
  work.first_row = (gridDim.x - 1 - blockIdx.x) * kRows;
  const int last_row = min(work.first_row + kRows, args.rows) - 1;
  work.end = min(args.first + args.tokens, rows[last_row].position + 1);
  work.rope_at = LatentRowBytes(args.cache.pages) - 2 * args.rope;
  work.table = args.cache.rows.page_table + rows[0].table_start;
  const int row = work.first_row + threadIdx.x / kWarp * 16 + threadIdx.x % kWarp / 4;
  int visible[2];
  float sums[kValue / 8][4] = {};
  Softmax softmax[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int known = min(row + 8 * half, args.rows - 1);
    visible[half] = min(work.end, rows[known].position + 1);
    if (args.first > 0 && row + 8 * half < args.rows) {
      LoadSums<kValue>(args, known, work.head, half, softmax[half], sums);
    }
  }

  if (args.first < work.end) CopyKeys<kQuery, kTokens>(args, work, args.first, memory.keys);
  LoadQueries<kQuery>(args, work, memory.queries);
  for (int first = args.first; first < work.end; first += kTokens) {
    WaitForCopies<0>();
    __syncthreads();  // the keys are there, the values before have been read
    CopyValues<kValue, kTokens>(args, work, first, memory.values);
    float scores[kTokens / 8][4], shrink[2];
    unsigned weights[kTokens / 8][2];
    Scores<kQuery, kTokens>(memory.queries, memory.keys, scores);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      shrink[half] = Weigh<kTokens>(scores, half, visible[half] - first, softmax[half], weights);
    }
    WaitForCopies<0>();
    __syncthreads();  // the values are there, the keys have been read
    if (first + kTokens < work.end) {
      CopyKeys<kQuery, kTokens>(args, work, first + kTokens, memory.keys);
    }
    AddValues<kValue, kTokens>(memory.values, weights, shrink, sums);
  }
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    StoreSums<kValue>(args, row + 8 * half, work.head, half, softmax[half], sums);
  }
}

template <int kQuery, int kValue, int kTokens>
void LaunchFlash(const ExpandedArgs& args, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>((args.rows + kRows - 1) / kRows),
                  static_cast<unsigned>(args.heads));
  FlashKernel<kQuery, kValue, kTokens><<<grid, kThreads, 0, stream>>>(args);
}

}  // namespace

bool HasExpandedAttention(const LatentPages& pages, int nope, int value) {
  const int query = nope + pages.rope;
  const bool heads = (query == 192 && (value == 128 || value == 192)) ||
                     (query == 256 && value == 256) || (query == 96 && value == 64);
  return heads && pages.type != LatentType::kF32 && nope % kChunk == 0 && pages.latent % 256 == 0 &&
         pages.row_bytes() % (2 * kChunk) == 0;
}

void LaunchExpandedAttention(const ExpandedArgs& args, cudaStream_t stream) {
  LaunchExpand(args, stream);
  if (args.value == 256) {
    LaunchFlash<256, 256, 16>(args, stream);
  } else if (args.value == 192) {
    LaunchFlash<192, 192, 32>(args, stream);
  } else if (args.value == 128) {
    LaunchFlash<192, 128, 32>(args, stream);
  } else {
    LaunchFlash<96, 64, 32>(args, stream);
  }
}

}  // namespace paluku::cuda
