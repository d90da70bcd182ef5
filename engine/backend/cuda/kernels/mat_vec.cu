#include "engine/backend/cuda/kernels/mat_vec.cuh"

namespace paluku::cuda {
namespace {

constexpr int kWarps = 4;
// Blocks that an SM holds at least: left alone, ptxas trades registers for occupancy until some
// spill.
constexpr int BlocksOf(int columns) { return columns < 4 ? 6 : columns == 4 ? 4 : 3; }

template <int kColumns>
__global__ void __launch_bounds__(kWarps* kWarp, BlocksOf(kColumns))
    MatVecKernel(WeightView w, Columns x, int count, float* out) {
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * kWarps + threadIdx.x / kWarp;
  if (row >= w.rows) return;
  float sums[kColumns];
  DotRow(w, row, x, 0, count, sums);
  const int lane = threadIdx.x % kWarp;
#pragma unroll
  for (int c = 0; c < kColumns; ++c) {
    if (lane == c && c < count) out[c * w.rows + row] = sums[c];
  }
}

}  // namespace

void LaunchMatVec(const WeightView& weight, const Columns& x, int columns, float* out,
                  cudaStream_t stream) {
  const auto blocks = static_cast<unsigned>((weight.rows + kWarps - 1) / kWarps);
  constexpr int kThreads = kWarps * kWarp;
  if (columns == 1) {
    MatVecKernel<1><<<blocks, kThreads, 0, stream>>>(weight, x, columns, out);
  } else if (columns == 2) {
    MatVecKernel<2><<<blocks, kThreads, 0, stream>>>(weight, x, columns, out);
  } else if (columns <= 4) {
    MatVecKernel<4><<<blocks, kThreads, 0, stream>>>(weight, x, columns, out);
  } else {
    MatVecKernel<8><<<blocks, kThreads, 0, stream>>>(weight, x, columns, out);
  }
}

}  // namespace paluku::cuda
