#include "engine/backend/cuda/kernels/float_product.h"
#include "engine/backend/cuda/kernels/weight_group.cuh"

namespace paluku::cuda {
namespace {

constexpr int kTile = 64;            // rows and outputs of a block
constexpr int kDepth = 16;           // values of a step
constexpr int kSide = 16;            // threads of a block in both directions
constexpr int kOwn = kTile / kSide;  // rows and outputs of a thread
constexpr int kThreads = kSide * kSide;
constexpr int kStride = kTile + 4;  // keeps four neighbours 16-byte aligned
constexpr int kCopies = kTile * kDepth / kThreads;

// [depth][row or output], so that a thread reads its four neighbours at once.
using Tile = float[kDepth][kStride];

// Step `first` of rows `row` .. of either factor; `value(row, column)` reads one.
template <class Value>
__device__ __forceinline__ void LoadTile(Tile& tile, int first, int columns, const Value& value) {
#pragma unroll
  for (int j = 0; j < kCopies; ++j) {
    const int i = threadIdx.x + j * kThreads, row = i / kDepth, depth = i % kDepth;
    tile[depth][row] = first + depth < columns ? value(row, first + depth) : 0.0f;
  }
}

// Block (64 outputs, 64 rows). What lies beyond the last row or output repeats it.
__global__ void __launch_bounds__(kThreads, 3)
    FloatProductKernel(WeightView w, const float* x, int rows, float* out) {
  __shared__ alignas(16) Tile x_tile, w_tile;
  const int first_row = blockIdx.y * kTile, first_output = blockIdx.x * kTile;
  const int outputs = static_cast<int>(w.rows);
  const int row = threadIdx.x / kSide * kOwn, output = threadIdx.x % kSide * kOwn;
  float sums[kOwn][kOwn] = {};
  for (int first = 0; first < w.columns; first += kDepth) {
    LoadTile(x_tile, first, w.columns, [&](int r, int c) {
      return x[static_cast<std::int64_t>(min(first_row + r, rows - 1)) * w.columns + c];
    });
    LoadTile(w_tile, first, w.columns, [&](int r, int c) {
      return FloatWeight(
          w, static_cast<std::int64_t>(min(first_output + r, outputs - 1)) * w.columns + c);
    });
    __syncthreads();
#pragma unroll
    for (int depth = 0; depth < kDepth; ++depth) {
      const float4 a = *reinterpret_cast<const float4*>(&x_tile[depth][row]);
      const float4 b = *reinterpret_cast<const float4*>(&w_tile[depth][output]);
      const float left[kOwn] = {a.x, a.y, a.z, a.w}, right[kOwn] = {b.x, b.y, b.z, b.w};
#pragma unroll
      for (int i = 0; i < kOwn; ++i) {
#pragma unroll
        for (int j = 0; j < kOwn; ++j) sums[i][j] += left[i] * right[j];
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < kOwn; ++i) {
#pragma unroll
    for (int j = 0; j < kOwn; ++j) {
      const int r = first_row + row + i, n = first_output + output + j;
      if (r < rows && n < outputs) out[static_cast<std::int64_t>(r) * outputs + n] = sums[i][j];
    }
  }
}

}  // namespace

void LaunchFloatProduct(const WeightView& weight, const float* x, int rows, float* out,
                        cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>((weight.rows + kTile - 1) / kTile),
                  static_cast<unsigned>((rows + kTile - 1) / kTile));
  FloatProductKernel<<<grid, kThreads, 0, stream>>>(weight, x, rows, out);
}

}  // namespace paluku::cuda
