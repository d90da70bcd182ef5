// Keys and values of every head out of cached latents: a product of f16 numbers on tensor cores.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "engine/backend/cuda/intrinsics/tensor_core.cuh"
#include "engine/backend/cuda/kernels/attention_expanded.h"
#include "engine/backend/cuda/kernels/half_pack.cuh"
#include "engine/backend/cuda/kernels/latent_row.cuh"

namespace paluku::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kTokens = 64;          // of a block
constexpr int kOutputs = 128;        // of a block
constexpr int kDepth = 32;           // latent values of a step
constexpr int kStride = kDepth + 8;  // halves; eight rows meet all banks
constexpr int kWarpTokens = 32, kWarpOutputs = 64;
constexpr int kChunk = 8;  // values of a copy
constexpr int kRowChunks = kDepth / kChunk;
constexpr int kLatentCopies = kTokens * kRowChunks / kThreads;
constexpr int kWeightCopies = kOutputs * kRowChunks / kThreads;

// Eight neighbouring weights as f16.
__device__ __forceinline__ uint4 LoadWeights(const WeightView& w, std::int64_t index) {
  if (w.form == WeightForm::kF16) return *reinterpret_cast<const uint4*>(w.low + 2 * index);
  float values[kChunk];
  if (w.form == WeightForm::kF32) {
    const auto* from = reinterpret_cast<const float4*>(w.low + 4 * index);
    const float4 a = from[0], b = from[1];
    return {PackHalves(a.x, a.y), PackHalves(a.z, a.w), PackHalves(b.x, b.y), PackHalves(b.z, b.w)};
  }
  const uint4 packed = *reinterpret_cast<const uint4*>(w.low + 2 * index);
  const unsigned words[4] = {packed.x, packed.y, packed.z, packed.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {  // bf16 is the upper half of an f32
    values[2 * i] = __uint_as_float(words[i] << 16);
    values[2 * i + 1] = __uint_as_float(words[i] & 0xffff0000u);
  }
  return {PackHalves(values[0], values[1]), PackHalves(values[2], values[3]),
          PackHalves(values[4], values[5]), PackHalves(values[6], values[7])};
}

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
  alignas(16) __half weights[kOutputs * kStride];
};

// What a thread carries from global to shared memory in a step.
template <bool kInt8>
class Carrier {
 public:
  __device__ __forceinline__ Carrier(const ExpandedArgs& args, const WeightView& w, int token,
                                     int output)
      : w_(w), latent_(args.latent) {
    const std::int32_t* table = args.cache.rows.page_table + args.cache.rows.rows[0].table_start;
#pragma unroll
    for (int j = 0; j < kLatentCopies; ++j) {
      const int t = min(token + Row(j), args.tokens - 1);  // beyond the last: its copies
      rows_[j] = CacheRow(args.cache, table, args.first + t);
    }
    output_ = output;
  }

  __device__ __forceinline__ void Load(int depth) {
    const int c = depth + Column();
#pragma unroll
    for (int j = 0; j < kLatentCopies; ++j) latents_[j] = LoadLatents<kInt8>(rows_[j], latent_, c);
#pragma unroll
    for (int j = 0; j < kWeightCopies; ++j) {
      const std::int64_t row = min(static_cast<std::int64_t>(output_ + Row(j)), w_.rows - 1);
      weights_[j] = LoadWeights(w_, row * latent_ + c);
    }
  }
  __device__ __forceinline__ void Store(Tile& tile) const {
#pragma unroll
    for (int j = 0; j < kLatentCopies; ++j) {
      *reinterpret_cast<uint4*>(&tile.latents[Row(j) * kStride + Column()]) = latents_[j];
    }
#pragma unroll
    for (int j = 0; j < kWeightCopies; ++j) {
      *reinterpret_cast<uint4*>(&tile.weights[Row(j) * kStride + Column()]) = weights_[j];
    }
  }

 private:
  __device__ static __forceinline__ int Row(int j) {
    return (static_cast<int>(threadIdx.x) + j * kThreads) / kRowChunks;
  }
  __device__ static __forceinline__ int Column() {
    return static_cast<int>(threadIdx.x) % kRowChunks * kChunk;
  }
  const WeightView& w_;
  int latent_, output_;
  const unsigned char* rows_[kLatentCopies];
  uint4 latents_[kLatentCopies], weights_[kWeightCopies];
};

// sums += latents * weights over the step, for the warp's 32 tokens and 64 outputs.
__device__ __forceinline__ void MultiplyTile(const Tile& tile, int token, int output,
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
      LoadMatrices(b, &tile.weights[(output + n * 8 + lane / 16 * 8 + lane % 8) * kStride + depth +
                                    lane / 8 % 2 * 8]);
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
  const WeightView& w = blockIdx.z == 0 ? args.w_uk : args.w_uv;
  const int first_output = blockIdx.x * kOutputs, first_token = blockIdx.y * kTokens;
  if (first_output >= w.rows) return;
  Carrier<kInt8> carrier(args, w, first_token, first_output);
  const int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  const int token = warp % 2 * kWarpTokens, output = warp / 2 * kWarpOutputs;
  float sums[2][kWarpOutputs / 8][4] = {};
  carrier.Load(0);
  for (int depth = 0, stage = 0; depth < args.latent; depth += kDepth, stage ^= 1) {
    carrier.Store(tiles[stage]);
    __syncthreads();
    if (depth + kDepth < args.latent) carrier.Load(depth + kDepth);
    MultiplyTile(tiles[stage], token, output, sums);
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
        if (t >= args.tokens || column >= w.rows) continue;
        out[(t * w.rows + column) / 2] = PackHalves(sums[i][n][2 * half], sums[i][n][2 * half + 1]);
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
