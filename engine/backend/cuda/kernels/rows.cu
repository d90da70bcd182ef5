#include "engine/backend/cuda/kernels/latent_row.cuh"
#include "engine/backend/cuda/kernels/rope.cuh"
#include "engine/backend/cuda/kernels/rows.h"
#include "engine/backend/cuda/kernels/weight_group.cuh"

namespace paluku::cuda {
namespace {

constexpr int kThreads = 256;

unsigned BlocksFor(int items) { return static_cast<unsigned>((items + kThreads - 1) / kThreads); }

__global__ void __launch_bounds__(kThreads)
    EmbedKernel(WeightView table, float scale, const StepRow* step, float* out) {
  const int row = blockIdx.y, column = blockIdx.x * kThreads + threadIdx.x;
  if (column >= table.columns) return;
  out[static_cast<std::int64_t>(row) * table.columns + column] =
      scale * OneWeight(table, step[row].token, column);
}

__global__ void __launch_bounds__(kThreads)
    GatherKernel(const float* x, const StepRow* step, int n, float* out) {
  const int row = blockIdx.y, column = blockIdx.x * kThreads + threadIdx.x;
  if (column >= n) return;
  out[static_cast<std::int64_t>(row) * n + column] =
      x[static_cast<std::int64_t>(step[row].output_row) * n + column];
}

// Pair `item` of the heads of a row.
__device__ __forceinline__ void RotatePair(float* q, const StepRow* step, const HeadShape& shape,
                                           const RopeArgs& rope, int row, int item) {
  const int pairs = rope.rope / 2;
  if (item >= shape.heads * pairs) return;
  const int head = item / pairs, i = item % pairs;
  float* values =
      q + (static_cast<std::int64_t>(row) * shape.heads + head) * shape.width + shape.first;
  const int a = FirstOfPair(rope, i), b = SecondOfPair(rope, i);
  const Rotated turned =
      Rotate(values[a], values[b], step[row].position, rope.inverse_frequency[i]);
  values[a] = turned.first;
  values[b] = turned.second;
}

// A thread per pair.
__global__ void __launch_bounds__(kThreads)
    RopeQueryKernel(float* q, const StepRow* step, HeadShape shape, RopeArgs rope) {
  RotatePair(q, step, shape, rope, blockIdx.y, blockIdx.x * kThreads + threadIdx.x);
}

// The first block of a row: norm of the latent, rotation of the key, both into the cache. The
// others: a thread per pair of the queries.
__global__ void __launch_bounds__(kThreads, 4) LatentAppendKernel(AppendArgs args) {
  __shared__ float partial[kWarp];
  const LatentPages& pages = args.cache.pages;
  const StepRows& rows = args.cache.rows;
  if (blockIdx.x > 0) {
    RotatePair(args.q, rows.rows, args.queries, args.rope, blockIdx.y,
               (blockIdx.x - 1) * kThreads + threadIdx.x);
    return;
  }
  const StepRow& step = rows.rows[blockIdx.y];
  const float* kv = args.kv + static_cast<std::int64_t>(blockIdx.y) * (pages.latent + pages.rope);
  float squares = 0;
  for (int i = threadIdx.x; i < pages.latent; i += kThreads) squares += kv[i] * kv[i];
  const float mean = BlockSum(squares, partial) / static_cast<float>(pages.latent);
  const float factor = 1.0f / sqrtf(mean + args.epsilon);
  unsigned char* to = CacheRow(args.cache, rows.page_table + step.table_start, step.position);
  // Groups of 32 neighbours lie in one warp, as StoreLatent wants them.
  for (int i = threadIdx.x; i < pages.latent; i += kThreads) {
    StoreLatent(pages, to, i, kv[i] * factor * args.norm[i]);
  }
  for (int i = threadIdx.x; i < pages.rope / 2; i += kThreads) {
    const int a = FirstOfPair(args.rope, i), b = SecondOfPair(args.rope, i);
    const Rotated turned = Rotate(kv[pages.latent + a], kv[pages.latent + b], step.position,
                                  args.rope.inverse_frequency[i]);
    StoreRope(pages, to, a, turned.first);
    StoreRope(pages, to, b, turned.second);
  }
}

}  // namespace

void LaunchEmbed(const WeightView& table, float scale, const StepRow* step, int rows, float* out,
                 cudaStream_t stream) {
  const dim3 grid(BlocksFor(table.columns), static_cast<unsigned>(rows));
  EmbedKernel<<<grid, kThreads, 0, stream>>>(table, scale, step, out);
}

void LaunchGather(const float* x, const StepRow* step, int rows, int n, float* out,
                  cudaStream_t stream) {
  const dim3 grid(BlocksFor(n), static_cast<unsigned>(rows));
  GatherKernel<<<grid, kThreads, 0, stream>>>(x, step, n, out);
}

void LaunchRopeQuery(float* q, const StepRow* step, int rows, const HeadShape& shape,
                     const RopeArgs& rope, cudaStream_t stream) {
  const dim3 grid(BlocksFor(shape.heads * (rope.rope / 2)), static_cast<unsigned>(rows));
  RopeQueryKernel<<<grid, kThreads, 0, stream>>>(q, step, shape, rope);
}

void LaunchLatentAppend(const AppendArgs& args, cudaStream_t stream) {
  const unsigned blocks =
      1 + (args.q != nullptr ? BlocksFor(args.queries.heads * (args.rope.rope / 2)) : 0);
  LatentAppendKernel<<<dim3(blocks, static_cast<unsigned>(args.rows)), kThreads, 0, stream>>>(args);
}

}  // namespace paluku::cuda
