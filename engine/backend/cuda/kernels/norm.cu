#include "engine/backend/cuda/kernels/norm.h"
#include "engine/backend/cuda/kernels/quantise.cuh"

namespace paluku::cuda {
namespace {

constexpr int kNormThreads = 512;
constexpr int kQuantiseWarps = 4;

// One block per row.
__global__ void __launch_bounds__(kNormThreads) NormKernel(NormArgs args) {
  __shared__ float partial[kWarp];
  const std::int64_t start = static_cast<std::int64_t>(blockIdx.x) * args.n;
  float* x = args.x + start;
  float squares = 0;
  for (int i = threadIdx.x; i < args.n; i += kNormThreads) {
    float value = x[i];
    if (args.delta != nullptr) x[i] = value += args.delta[start + i];
    squares += value * value;
  }
  const float mean = BlockSum(squares, partial) / static_cast<float>(args.n);
  const float factor = 1.0f / sqrtf(mean + args.epsilon);
  for (int i = threadIdx.x; i < args.n; i += kNormThreads) {
    const float value = x[i] * factor * args.weight[i];
    args.out[start + i] = value;
    // n is a multiple of 32 here, so all lanes of the warp are in this turn.
    if (args.quantised.values != nullptr) {
      const std::int64_t group = (start + i) / kGroup;
      QuantiseGroup(value, args.quantised.values + group * kGroup, args.quantised.groups + group);
    }
  }
}

// One warp per group.
__global__ void __launch_bounds__(kQuantiseWarps* kWarp)
    QuantiseKernel(const float* x, std::int64_t groups, QuantisedRows out) {
  const std::int64_t group =
      static_cast<std::int64_t>(blockIdx.x) * kQuantiseWarps + threadIdx.x / kWarp;
  if (group >= groups) return;
  const float value = x[group * kGroup + threadIdx.x % kWarp];
  QuantiseGroup(value, out.values + group * kGroup, out.groups + group);
}

}  // namespace

void LaunchNorm(const NormArgs& args, cudaStream_t stream) {
  NormKernel<<<args.rows, kNormThreads, 0, stream>>>(args);
}

void LaunchQuantise(const float* x, int rows, int n, QuantisedRows out, cudaStream_t stream) {
  const std::int64_t groups = static_cast<std::int64_t>(rows) * (n / kGroup);
  const auto blocks = static_cast<unsigned>((groups + kQuantiseWarps - 1) / kQuantiseWarps);
  QuantiseKernel<<<blocks, kQuantiseWarps * kWarp, 0, stream>>>(x, groups, out);
}

}  // namespace paluku::cuda
