// The absorb step: queries times W_UK, in f32, from whatever form W_UK has.
#include "engine/backend/cuda/kernels/attention.h"
#include "engine/backend/cuda/kernels/warp.cuh"
#include "engine/backend/cuda/kernels/weight_piece.cuh"

namespace paluku::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / kWarp;
constexpr int kLanes = 8;                  // neighbours that read a row of weights together
constexpr int kSlots = kThreads / kLanes;  // rows of weights at a time
constexpr int kColumns = kLanes * kPiece;  // of a block, where rows lie along the latent
constexpr int kManyRows = 8;               // queries that share a block when there are as many

// Queries of `kRows` rows of one head; those beyond the last row repeat it.
template <int kRows>
struct Queries {
  const float* from[kRows];
  float* to[kRows];
  int count;

  __device__ __forceinline__ Queries(const AttentionArgs& args, int first, int head)
      : count(min(kRows, args.rows - first)) {
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      const std::int64_t index =
          static_cast<std::int64_t>(min(first + r, args.rows - 1)) * args.heads + head;
      from[r] = args.q + index * (args.nope + args.rope);
      to[r] = args.query + index * (args.latent + args.rope);
    }
  }

  __device__ __forceinline__ void CopyRope(const AttentionArgs& args) const {
    for (int i = threadIdx.x; i < args.rope; i += kThreads) {
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
        if (r < count) to[r][args.latent + i] = from[r][args.nope + i];
      }
    }
  }
};

// Block (head, kRows rows, 64 columns): query[c] = sum over n of q[n] * W_UK[head][n][c].
template <int kRows>
__global__ void __launch_bounds__(kThreads, 1) AbsorbKernel(AttentionArgs args) {
  __shared__ alignas(16) float parts[kWarps][kRows][kColumns];
  const int head = blockIdx.x, lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  const int first_column = blockIdx.z * kColumns;
  const int column = first_column + threadIdx.x % kLanes * kPiece;
  const Queries<kRows> queries(args, blockIdx.y * kRows, head);
  float sums[kRows][kPiece] = {};
  WithForm(args.w_uk.form, [&](auto form) {
    for (int n = threadIdx.x / kLanes; n < args.nope && column < args.latent; n += kSlots) {
      float weights[kPiece];
      LoadPiece<decltype(form)::kValue>(args.w_uk, static_cast<std::int64_t>(head) * args.nope + n,
                                        column, weights);
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
        const float q = queries.from[r][n];
#pragma unroll
        for (int j = 0; j < kPiece; ++j) sums[r][j] += q * weights[j];
      }
    }
  });
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
#pragma unroll
    for (int j = 0; j < kPiece; ++j) {
      sums[r][j] += __shfl_xor_sync(kAllLanes, sums[r][j], kLanes);
      sums[r][j] += __shfl_xor_sync(kAllLanes, sums[r][j], 2 * kLanes);
      if (lane < kLanes) parts[warp][r][lane * kPiece + j] = sums[r][j];
    }
  }
  __syncthreads();
  for (int i = threadIdx.x; i < queries.count * kColumns; i += kThreads) {
    const int r = i / kColumns, c = i % kColumns;
    float sum = 0;
#pragma unroll
    for (int w = 0; w < kWarps; ++w) sum += parts[w][r][c];
    const std::int64_t index =
        static_cast<std::int64_t>(blockIdx.y * kRows + r) * args.heads + head;
    if (first_column + c < args.latent) {
      args.query[index * (args.latent + args.rope) + first_column + c] = sum;
    }
  }
  if (blockIdx.z == 0) queries.CopyRope(args);
}

// Block (head, kRows rows, 32 columns), the same where rows of weights lie along q: eight lanes per
// column.
template <int kRows>
__global__ void __launch_bounds__(kThreads, 1) AbsorbTurnedKernel(AttentionArgs args) {
  const int head = blockIdx.x, column = blockIdx.z * kSlots + threadIdx.x / kLanes;
  const std::int64_t row =
      static_cast<std::int64_t>(head) * args.latent + min(column, args.latent - 1);
  const Queries<kRows> queries(args, blockIdx.y * kRows, head);
  float sums[kRows] = {};
  WithForm(args.w_uk.form, [&](auto form) {
    for (int n = threadIdx.x % kLanes * kPiece; n < args.nope; n += kLanes * kPiece) {
      float weights[kPiece];
      LoadPiece<decltype(form)::kValue>(args.w_uk, row, n, weights);
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
#pragma unroll
        for (int j = 0; j < kPiece; ++j) sums[r] += queries.from[r][n + j] * weights[j];
      }
    }
  });
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
#pragma unroll
    for (int step = kLanes / 2; step > 0; step /= 2) {
      sums[r] += __shfl_xor_sync(kAllLanes, sums[r], step);
    }
    if (threadIdx.x % kLanes == 0 && r < queries.count && column < args.latent) {
      queries.to[r][column] = sums[r];
    }
  }
  if (blockIdx.z == 0) queries.CopyRope(args);
}

template <int kRows>
void Launch(const AttentionArgs& args, cudaStream_t stream) {
  const auto parts = [](int count, int of) { return static_cast<unsigned>((count + of - 1) / of); };
  const auto heads = static_cast<unsigned>(args.heads);
  const unsigned rows = parts(args.rows, kRows);
  if (args.w_uk_turned) {
    AbsorbTurnedKernel<kRows>
        <<<dim3(heads, rows, parts(args.latent, kSlots)), kThreads, 0, stream>>>(args);
  } else {
    AbsorbKernel<kRows>
        <<<dim3(heads, rows, parts(args.latent, kColumns)), kThreads, 0, stream>>>(args);
  }
}

}  // namespace

void LaunchAbsorb(const AttentionArgs& args, cudaStream_t stream) {
  if (args.rows < kManyRows) {
    Launch<1>(args, stream);
  } else {
    Launch<kManyRows>(args, stream);
  }
}

}  // namespace paluku::cuda
