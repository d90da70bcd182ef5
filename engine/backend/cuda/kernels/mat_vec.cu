#include "engine/backend/cuda/kernels/mat_vec.cuh"

namespace paluku::cuda {
namespace {

constexpr int kWarps = 4;
// Blocks that an SM holds at least: left alone, ptxas trades registers for occupancy until some
// spill.
constexpr int BlocksOf(int columns) { return columns < 4 ? 6 : columns == 4 ? 4 : 3; }

unsigned BlocksFor(const MatVecPart& part) {
  return static_cast<unsigned>((part.weight.rows + kWarps - 1) / kWarps);
}

// A warp per row, the rows of the second part in blocks of their own.
template <int kColumns>
__global__ void __launch_bounds__(kWarps* kWarp, BlocksOf(kColumns))
    MatVecKernel(MatVecPart first, MatVecPart second, unsigned first_blocks, Columns x, int count) {
  const bool is_first = blockIdx.x < first_blocks;
  const MatVecPart& part = is_first ? first : second;
  const unsigned block = is_first ? blockIdx.x : blockIdx.x - first_blocks;
  const std::int64_t row = static_cast<std::int64_t>(block) * kWarps + threadIdx.x / kWarp;
  if (row >= part.weight.rows) return;
  float sums[kColumns];
  DotRow(part.weight, row, x, 0, count, sums);
  const int lane = threadIdx.x % kWarp;
#pragma unroll
  for (int c = 0; c < kColumns; ++c) {
    if (lane == c && c < count) part.out[c * part.weight.rows + row] = sums[c];
  }
}

template <int kColumns>
void Launch(const MatVecPart& first, const MatVecPart& second, const Columns& x, int columns,
            cudaStream_t stream) {
  const unsigned first_blocks = BlocksFor(first);
  MatVecKernel<kColumns><<<first_blocks + BlocksFor(second), kWarps * kWarp, 0, stream>>>(
      first, second, first_blocks, x, columns);
}

}  // namespace

void LaunchMatVec(const MatVecPart& first, const MatVecPart& second, const Columns& x, int columns,
                  cudaStream_t stream) {
  if (columns == 1) {
    Launch<1>(first, second, x, columns, stream);
  } else if (columns == 2) {
    Launch<2>(first, second, x, columns, stream);
  } else if (columns <= 4) {
    Launch<4>(first, second, x, columns, stream);
  } else {
    Launch<8>(first, second, x, columns, stream);
  }
}

}  // namespace paluku::cuda
