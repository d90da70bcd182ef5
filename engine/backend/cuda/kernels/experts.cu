#include "engine/backend/cuda/kernels/experts.h"
#include "engine/backend/cuda/kernels/mat_vec.cuh"
#include "engine/backend/cuda/kernels/quantise.cuh"

namespace paluku::cuda {
namespace {

constexpr int kWarps = 8;
constexpr int kThreads = kWarps * kWarp;
// Blocks that an SM holds at least: left alone, ptxas trades registers for occupancy until some
// spill.
constexpr int BlocksOf(int columns) { return columns == 1 ? 3 : columns == 4 ? 2 : 1; }

__host__ __device__ constexpr int Tiles(int inner) { return (inner + kInnerTile - 1) / kInnerTile; }

__device__ __forceinline__ float SiluTimes(float gate, float up) {
  return gate / (1.0f + expf(-gate)) * up;
}

__device__ __forceinline__ float ReluSquared(float up) { return up < 0 ? 0.0f : up * up; }

// Inner values tile * 32 .. + 31 of `network`'s expert for columns first .. first + count - 1 of x;
// they become rows `out_row` .. of `out`.
template <int kColumns>
__device__ void ComputeInner(const Network& network, int expert, const Columns& x, int tile,
                             int first, int count, const InnerRows& out, std::int64_t out_row) {
  __shared__ float values[kColumns][kInnerTile];
  const int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  for (int i = warp; i < kInnerTile; i += kWarps) {
    const int inner = tile * kInnerTile + i;
    if (inner >= network.inner) break;
    const std::int64_t row = static_cast<std::int64_t>(expert) * network.inner + inner;
    float gate[kColumns], up[kColumns];
    const bool gated = network.gate.low != nullptr;
    if (gated) DotRow(network.gate, row, x, first, count, gate);
    DotRow(network.up, row, x, first, count, up);
#pragma unroll
    for (int c = 0; c < kColumns; ++c) {
      if (lane == c) values[c][i] = gated ? SiluTimes(gate[c], up[c]) : ReluSquared(up[c]);
    }
  }
  __syncthreads();
  if (warp >= count) return;
  const int inner = tile * kInnerTile + lane;
  const std::int64_t at = (out_row + warp) * network.inner + inner;
  if (out.values != nullptr) {
    if (inner < network.inner) out.values[at] = values[warp][lane];
    return;
  }
  // inner is a multiple of 32 where down holds integers.
  QuantiseGroup(values[warp][lane], out.quantised.values + at - lane,
                out.quantised.groups + at / kGroup);
}

// Blocks: the tiles of every (row, choice), then those of the shared network for all rows at once.
template <int kColumns>
__global__ void __launch_bounds__(kThreads, BlocksOf(kColumns))
    InnerKernel(ExpertArgs args, int first_block) {
  const int block = blockIdx.x + first_block;
  const int routed_blocks = args.rows * args.chosen * Tiles(args.routed.inner);
  const bool routed = block < routed_blocks;
  const int tiles = Tiles(args.routed.inner);
  const int slot = routed ? block / tiles : 0;
  const Network& network = routed ? args.routed : args.shared;
  ComputeInner<kColumns>(network, routed ? args.ids[slot] : 0, args.x,
                         routed ? block % tiles : block - routed_blocks,
                         routed ? slot / args.chosen : 0, routed ? 1 : args.rows,
                         routed ? args.routed_inner : args.shared_inner, slot);
}

// A warp per output value: the chosen experts in their order, then the shared one.
__global__ void __launch_bounds__(kThreads, 3) DownKernel(ExpertArgs args) {
  const int n = blockIdx.x * kWarps + threadIdx.x / kWarp, row = blockIdx.y;
  if (n >= args.hidden) return;
  float sum = 0, dot[1];
  for (int k = 0; k < args.chosen; ++k) {
    const int slot = row * args.chosen + k;
    const std::int64_t weight_row = static_cast<std::int64_t>(args.ids[slot]) * args.hidden + n;
    const Columns inner = {args.routed_inner.values, args.routed_inner.quantised};
    DotRow(args.routed.down, weight_row, inner, slot, 1, dot);
    sum += args.weights[slot] * dot[0];
  }
  if (args.shared.inner > 0) {
    const Columns inner = {args.shared_inner.values, args.shared_inner.quantised};
    DotRow(args.shared.down, n, inner, row, 1, dot);
    sum += dot[0];
  }
  if (threadIdx.x % kWarp == 0) args.out[static_cast<std::int64_t>(row) * args.hidden + n] = sum;
}

template <int kColumns>
void LaunchInner(const ExpertArgs& args, int first_block, int blocks, cudaStream_t stream) {
  if (blocks == 0) return;
  InnerKernel<kColumns><<<static_cast<unsigned>(blocks), kThreads, 0, stream>>>(args, first_block);
}

}  // namespace

void LaunchExperts(const ExpertArgs& args, cudaStream_t stream) {
  const int routed = args.rows * args.chosen * Tiles(args.routed.inner);
  const int shared = Tiles(args.shared.inner);
  if (args.rows == 1) {
    LaunchInner<1>(args, 0, routed + shared, stream);
  } else {
    LaunchInner<1>(args, 0, routed, stream);
    args.rows <= 4 ? LaunchInner<4>(args, routed, shared, stream)
                   : LaunchInner<8>(args, routed, shared, stream);
  }
  const dim3 grid(static_cast<unsigned>((args.hidden + kWarps - 1) / kWarps),
                  static_cast<unsigned>(args.rows));
  DownKernel<<<grid, kThreads, 0, stream>>>(args);
}

}  // namespace paluku::cuda
