#include "engine/backend/cuda/kernels/group.h"
#include "engine/backend/cuda/kernels/warp.cuh"

namespace paluku::cuda {
namespace {

constexpr int kThreads = kMaxGroupedExperts;
constexpr int kAddThreads = 256;

// Sums over all threads up to and including this one.
__device__ int SumUpTo(int value, int* warps) {
  const int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
#pragma unroll
  for (int step = 1; step < kWarp; step *= 2) {
    const int other = __shfl_up_sync(kAllLanes, value, step);
    if (lane >= step) value += other;
  }
  if (lane == kWarp - 1) warps[warp] = value;
  __syncthreads();
  for (int w = 0; w < warp; ++w) value += warps[w];
  return value;
}

// One block, a thread per expert: each walks over all slots and takes its own.
__global__ void __launch_bounds__(kThreads)
    GroupKernel(const std::int32_t* ids, int slots, int experts, ExpertGroups groups) {
  __shared__ int place_sums[kThreads / kWarp], tile_sums[kThreads / kWarp];
  const int expert = threadIdx.x, tile = groups.tile;
  int count = 0;
  for (int slot = 0; slot < slots && expert < experts; ++slot) count += ids[slot] == expert;
  const int tiles = (count + tile - 1) / tile;
  int place = SumUpTo(count, place_sums) - count;
  int next = SumUpTo(tiles, tile_sums) - tiles;
  for (int first = 0; first < count; first += tile) {
    groups.tiles[next++] = {expert, place + first, min(tile, count - first)};
  }
  // The last thread has counted all tiles.
  for (int i = next; expert == kThreads - 1 && i < groups.most_tiles; ++i) groups.tiles[i] = {};
  for (int slot = 0; slot < slots && count > 0; ++slot) {
    if (ids[slot] == expert) groups.order[place++] = slot;
  }
}

__global__ void __launch_bounds__(kAddThreads) AddSlotsKernel(AddSlotsArgs args) {
  const int row = blockIdx.y, i = blockIdx.x * kAddThreads + threadIdx.x;
  if (i >= args.n) return;
  float sum = 0;
  for (int k = 0; k < args.chosen; ++k) {
    const std::int64_t slot = static_cast<std::int64_t>(row) * args.chosen + k;
    sum += args.weights[slot] * args.y[slot * args.n + i];
  }
  const std::int64_t at = static_cast<std::int64_t>(row) * args.n + i;
  args.out[at] = args.shared != nullptr ? sum + args.shared[at] : sum;
}

}  // namespace

void LaunchGroupExperts(const std::int32_t* ids, int slots, int experts, const ExpertGroups& groups,
                        cudaStream_t stream) {
  GroupKernel<<<1, kThreads, 0, stream>>>(ids, slots, experts, groups);
}

void LaunchAddSlots(const AddSlotsArgs& args, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>((args.n + kAddThreads - 1) / kAddThreads),
                  static_cast<unsigned>(args.rows));
  AddSlotsKernel<<<grid, kAddThreads, 0, stream>>>(args);
}

}  // namespace paluku::cuda
