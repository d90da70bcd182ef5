// Keys and values of every head out of cached latents: a product of f16 numbers on tensor cores.
#include <cuda_fp16.h>

#include "engine/backend/cuda/intrinsics/tensor_core.cuh"
#include "engine/backend/cuda/kernels/attention_expanded.h"
#include "engine/backend/cuda/kernels/half_pack.cuh"
#include "engine/backend/cuda/kernels/latent_row.cuh"
#include "engine/backend/cuda/kernels/weight_piece.cuh"

namespace paluku::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kTokens = 64;          // of a block
constexpr int kOutputs = 128;        // of a block
constexpr int kDepth = 32;           // latent values of a step
constexpr int kStride = kDepth + 8;  // halves; eight rows meet all banks
constexpr int kTurnedStride = kOutputs + 8;
constexpr int kWarpTokens = 32, kWarpOutputs = 64;
constexpr int kChunk = kPiece;  // values of a copy
constexpr int kRowChunks = kDepth / kChunk;
constexpr int kTurnedChunks = kOutputs / kChunk;
constexpr int kLatentCopies = kTokens * kRowChunks / kThreads;
constexpr int kWeightCopies = kOutputs * kRowChunks / kThreads;

// Latent values c .. c + 7 of a cached row as f16.
template <bool kInt8>
__device__ __forceinline__ uint4 LoadLatents(const unsigned char* row, int latent, int c) {
  if constexpr (!kInt8) return *reinterpret_cast<const uint4*>(row + 2 * c);
  const uint2 packed = *reinterpret_cast<const uint2*>(row + c);
  const float scale =
      __half2float(reinterpret_cast<const __half*>(row + latent)[c / kLatentScaleGroup]);
  const auto value = [&](unsigned word, int i) {
    return scale * static_cast<float>(static_cast<signed char>(word >> (8 * i) & 255));
  };
  return {PackHalves(value(packed.x, 0), value(packed.x, 1)),
          PackHalves(value(packed.x, 2), value(packed.x, 3)),
          PackHalves(value(packed.y, 0), value(packed.y, 1)),
          PackHalves(value(packed.y, 2), value(packed.y, 3))};
}

struct Tile {
  alignas(16) __half latents[kTokens * kStride];
  // [outputs][depth], or [depth][outputs] of weights that lie that way.
  alignas(16) __half weights[kOutputs * kStride];
};
static_assert(kDepth * kTurnedStride <= kOutputs * kStride);

// The weights of one product: outputs of all heads.
struct Factor {
  const WeightView& w;
  bool turned;
  int outputs;
  int head_outputs;  // of one head
  int latent;

  __device__ __forceinline__ Factor(const ExpandedArgs& args, bool keys)
      : w(keys ? args.w_uk : args.w_uv),
        turned(keys && args.w_uk_turned),
        outputs(args.heads * (keys ? args.nope : args.value)),
        head_outputs(keys ? args.nope : args.value),
        latent(args.latent) {}
};

// What a thread carries from global to shared memory in a step.
template <bool kInt8>
class Carrier {
 public:
  __device__ __forceinline__ Carrier(const ExpandedArgs& args, const Factor& factor, int token,
                                     int output)
      : factor_(factor), output_(output) {
    const std::int32_t* table = args.cache.rows.page_table + args.cache.rows.rows[0].table_start;
#pragma unroll
    for (int j = 0; j < kLatentCopies; ++j) {
      const int t = min(token + Row(j), args.tokens - 1);  // beyond the last: its copies
      rows_[j] = CacheRow(args.cache, table, args.first + t);
    }
  }

  __device__ __forceinline__ void Load(int depth) {
#pragma unroll
    for (int j = 0; j < kLatentCopies; ++j) {
      latents_[j] = LoadLatents<kInt8>(rows_[j], factor_.latent, depth + Column());
    }
    WithForm(factor_.w.form, [&](auto form) {
#pragma unroll
      for (int j = 0; j < kWeightCopies; ++j) {
        std::int64_t row;
        int column;
        if (factor_.turned) {
          const int output = min(output_ + TurnedColumn(), factor_.outputs - kChunk);
          row = static_cast<std::int64_t>(output / factor_.head_outputs) * factor_.latent + depth +
                TurnedRow(j);
          column = output % factor_.head_outputs;
        } else {
          row = min(output_ + Row(j), factor_.outputs - 1);
          column = depth + Column();
        }
        float v[kPiece];
        LoadPiece<decltype(form)::kValue>(factor_.w, row, column, v);
        weights_[j] = {PackHalves(v[0], v[1]), PackHalves(v[2], v[3]), PackHalves(v[4], v[5]),
                       PackHalves(v[6], v[7])};
      }
    });
  }
  __device__ __forceinline__ void Store(Tile& tile) const {
#pragma unroll
    for (int j = 0; j < kLatentCopies; ++j) {
      *reinterpret_cast<uint4*>(&tile.latents[Row(j) * kStride + Column()]) = latents_[j];
    }
#pragma unroll
    for (int j = 0; j < kWeightCopies; ++j) {
      const int place = factor_.turned ? TurnedRow(j) * kTurnedStride + TurnedColumn()
                                       : Row(j) * kStride + Column();
      *reinterpret_cast<uint4*>(&tile.weights[place]) = weights_[j];
    }
  }

 private:
  __device__ static __forceinline__ int Row(int j) {
    return (static_cast<int>(threadIdx.x) + j * kThreads) / kRowChunks;
  }
  __device__ static __forceinline__ int Column() {
    return static_cast<int>(threadIdx.x) % kRowChunks * kChunk;
  }
  __device__ static __forceinline__ int TurnedRow(int j) {
    return (static_cast<int>(threadIdx.x) + j * kThreads) / kTurnedChunks;
  }
  __device__ static __forceinline__ int TurnedColumn() {
    return static_cast<int>(threadIdx.x) % kTurnedChunks * kChunk;
  }
  const Factor& factor_;
  int output_;
  const unsigned char* rows_[kLatentCopies];
  uint4 latents_[kLatentCopies], weights_[kWeightCopies];
};

// Weights of 16 outputs and 16 values of depth, for two products of 8 outputs.
__device__ __forceinline__ void LoadWeights(const Tile& tile, bool turned, int output, int depth,
                                            unsigned (&b)[4]) {
  const int lane = threadIdx.x % kWarp;
  const int low = lane % 8, middle = lane / 8 % 2 * 8, high = lane / 16 * 8;
  if (turned) {
    LoadTransposed(b, &tile.weights[(depth + middle + low) * kTurnedStride + output + high]);
  } else {
    LoadMatrices(b, &tile.weights[(output + high + low) * kStride + depth + middle]);
  }
}

// sums += latents * weights over the step, for the warp's 32 tokens and 64 outputs.
__device__ __forceinline__ void MultiplyTile(const Tile& tile, bool turned, int token, int output,
                                             float (&sums)[2][kWarpOutputs / 8][4]) {
  const int lane = threadIdx.x % kWarp;
#pragma unroll
  for (int depth = 0; depth < kDepth; depth += 16) {
    unsigned a[2][4];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      LoadMatrices(a[i],
                   &tile.latents[(token + i * 16 + lane % 16) * kStride + depth + lane / 16 * 8]);
    }
#pragma unroll
    for (int n = 0; n < kWarpOutputs / 8; n += 2) {
      unsigned b[4];
      LoadWeights(tile, turned, output + n * 8, depth, b);
      const unsigned left[2] = {b[0], b[1]}, right[2] = {b[2], b[3]};
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        MultiplyAdd(sums[i][n], a[i], left);
        MultiplyAdd(sums[i][n + 1], a[i], right);
      }
    }
  }
}

// Block (128 outputs of all heads, 64 tokens, keys or values). While a step is multiplied, the next
// one is on its way into registers.
template <bool kInt8>
__global__ void __launch_bounds__(kThreads) ExpandKernel(ExpandedArgs args) {
  __shared__ Tile tiles[2];
  const Factor factor(args, blockIdx.z == 0);
  const int first_output = blockIdx.x * kOutputs, first_token = blockIdx.y * kTokens;
  if (first_output >= factor.outputs) return;
  Carrier<kInt8> carrier(args, factor, first_token, first_output);
  const int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  const int token = warp % 2 * kWarpTokens, output = warp / 2 * kWarpOutputs;
  float sums[2][kWarpOutputs / 8][4] = {};
  carrier.Load(0);
  for (int depth = 0, stage = 0; depth < args.latent; depth += kDepth, stage ^= 1) {
    carrier.Store(tiles[stage]);
    __syncthreads();
    if (depth + kDepth < args.latent) carrier.Load(depth + kDepth);
    MultiplyTile(tiles[stage], factor.turned, token, output, sums);
  }
  auto* out = reinterpret_cast<unsigned*>(blockIdx.z == 0 ? args.keys : args.values);
#pragma unroll
  for (int i = 0; i < 2; ++i) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int t = first_token + token + i * 16 + half * 8 + lane / 4;
#pragma unroll
      for (int n = 0; n < kWarpOutputs / 8; ++n) {
        const int column = first_output + output + n * 8 + lane % 4 * 2;
        if (t >= args.tokens || column >= factor.outputs) continue;
        out[(static_cast<std::int64_t>(t) * factor.outputs + column) / 2] =
            PackHalves(sums[i][n][2 * half], sums[i][n][2 * half + 1]);
      }
    }
  }
}

}  // namespace

void LaunchExpand(const ExpandedArgs& args, cudaStream_t stream) {
  const int outputs = args.heads * (args.nope > args.value ? args.nope : args.value);
  const dim3 grid(static_cast<unsigned>((outputs + kOutputs - 1) / kOutputs),
                  static_cast<unsigned>((args.tokens + kTokens - 1) / kTokens), 2);
  if (args.cache.pages.type == LatentType::kQ8) {
    ExpandKernel<true><<<grid, kThreads, 0, stream>>>(args);
  } else {
    ExpandKernel<false><<<grid, kThreads, 0, stream>>>(args);
  }
}

}  // namespace paluku::cuda
