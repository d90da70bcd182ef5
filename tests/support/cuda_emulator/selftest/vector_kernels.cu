// RMS norm and a quantised matrix-vector product, and their defects.
#include "tests/support/cuda_emulator/selftest/kernels_common.cuh"

namespace paluku::selftest {
// A name, so that other compilers' PTX has the same kernels.
namespace vectors {

// One row a block.
template <Defect kDefect>
__global__ void Norm(const __half* x, const float* weight, __half* y, int columns) {
  __shared__ float partial[32];
  const int thread = threadIdx.x;
  const int lane = thread % 32;
  const int warp = thread / 32;
  const int warps = blockDim.x / 32;
  x += static_cast<std::size_t>(blockIdx.x) * columns;
  y += static_cast<std::size_t>(blockIdx.x) * columns;
  float sum = 0;
  for (int i = thread; i < columns; i += blockDim.x) sum += __half2float(x[i]) * __half2float(x[i]);
  sum = WarpSum(sum);
  if (lane == 0) partial[kDefect == Defect::kSharedOutOfBounds ? warp + 31 : warp] = sum;
  if (kDefect == Defect::kBarrierInBranch) {
    if (thread < 64) __syncthreads();
  } else if (kDefect != Defect::kNoBarrier) {
    __syncthreads();
  }
  sum = kDefect == Defect::kUninitialisedShared || lane < warps ? partial[lane] : 0.0F;
  if (kDefect == Defect::kShuffleInBranch) {
    if (warp == 0 && lane < 16) sum = WarpSum(sum);
  } else {
    sum = WarpSum(sum);
  }
  const float scale = rsqrtf(sum / columns + 1e-5F);
  const int end = kDefect == Defect::kGlobalOutOfBounds ? columns + 1 : columns;
  for (int i = thread; i < end; i += blockDim.x) {
    const int from = i < columns ? i : 0;
    y[i] = __float2half(__half2float(x[from]) * scale * weight[from]);
  }
}

struct BlockQ4 {  // 32 weights (nibble - 8) * d, 18 bytes
  __half d;
  std::uint8_t nibbles[16];
};
struct BlockQ8 {
  __half d;
  std::uint16_t unused;
  std::int8_t values[32];
};

// One row a warp.
template <Defect kDefect>
__global__ void MatVec(const BlockQ4* weights, const BlockQ8* x, float* y, int rows, int blocks) {
  const int row = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32;
  const int lane = threadIdx.x % 32;
  if (row >= rows) return;
  float sum = 0;
  for (int b = lane; b < blocks; b += 32) {
    const BlockQ4& w = weights[static_cast<std::size_t>(row) * blocks + b];
    int dot = 0;
    for (int j = 0; j < 4; ++j) {
      int packed;
      if (kDefect == Defect::kMisaligned) {
        packed = *reinterpret_cast<const int*>(w.nibbles + 4 * j);
      } else {
        const auto* halves = reinterpret_cast<const std::uint16_t*>(w.nibbles + 4 * j);
        packed = halves[0] | halves[1] << 16;
      }
      const int low = *reinterpret_cast<const int*>(x[b].values + 4 * j);
      const int high = *reinterpret_cast<const int*>(x[b].values + 16 + 4 * j);
      dot = __dp4a(packed & 0x0F0F0F0F, low, dot);
      dot = __dp4a(packed >> 4 & 0x0F0F0F0F, high, dot);
      dot -= 8 * (__dp4a(0x01010101, low, 0) + __dp4a(0x01010101, high, 0));
    }
    sum += __half2float(w.d) * __half2float(x[b].d) * dot;
  }
  sum = WarpSum(sum);
  if (kDefect == Defect::kRaceOfBlocks) {
    y[0] += sum;
  } else if (lane == 0) {
    y[row] = sum;
  }
}

__global__ void __launch_bounds__(128) Empty() { extern __shared__ float unused[]; }

template <Defect kDefect>
double NormError(int rows, int columns) {
  Numbers numbers;
  const std::vector<__half> x = numbers.Halves(static_cast<std::size_t>(rows) * columns);
  std::vector<float> weight(columns);
  for (float& value : weight) value = numbers.Next();
  const DeviceArray<__half> dx(x);
  const DeviceArray<__half> dy(x.size());
  const DeviceArray<float> dw(weight);
  Norm<kDefect><<<rows, 128>>>(dx.get(), dw.get(), dy.get(), columns);
  const std::vector<__half> y = dy.Read();
  double worst = 0;
  for (int r = 0; r < rows; ++r) {
    double squares = 0;
    for (int i = 0; i < columns; ++i) squares += std::pow(__half2float(x[r * columns + i]), 2);
    const double scale = 1 / std::sqrt(squares / columns + 1e-5);
    for (int i = 0; i < columns; ++i) {
      const std::size_t at = static_cast<std::size_t>(r) * columns + i;
      Worst(worst, __half2float(y[at]) - __half2float(x[at]) * scale * weight[i]);
    }
  }
  return Finish(worst);
}

template <Defect kDefect>
double MatVecError(int rows, int blocks) {
  Numbers numbers;
  std::vector<BlockQ4> weights(static_cast<std::size_t>(rows) * blocks);
  std::vector<BlockQ8> x(blocks);
  for (BlockQ4& block : weights) {
    block.d = __float2half(numbers.Next());
    for (std::uint8_t& nibble : block.nibbles) nibble = static_cast<std::uint8_t>(numbers.Bits());
  }
  for (BlockQ8& block : x) {
    block.d = __float2half(numbers.Next());
    block.unused = 0;
    for (std::int8_t& value : block.values)
      value = static_cast<std::int8_t>(numbers.Bits() % 255 - 127);
  }
  const DeviceArray<BlockQ4> dw(weights);
  const DeviceArray<BlockQ8> dx(x);
  const DeviceArray<float> dy(rows);
  if (kDefect == Defect::kRaceOfBlocks) cudaMemset(dy.get(), 0, rows * sizeof(float));
  MatVec<kDefect><<<(rows + 3) / 4, 128>>>(dw.get(), dx.get(), dy.get(), rows, blocks);
  const std::vector<float> y = dy.Read();
  double worst = 0;
  for (int r = 0; r < rows; ++r) {
    double sum = 0;
    double size = 1e-9;
    for (int b = 0; b < blocks; ++b) {
      const BlockQ4& w = weights[static_cast<std::size_t>(r) * blocks + b];
      double dot = 0;
      for (int i = 0; i < 16; ++i) {
        dot += (w.nibbles[i] % 16 - 8) * x[b].values[i] +
               (w.nibbles[i] / 16 - 8) * x[b].values[16 + i];
      }
      const double term = dot * __half2float(w.d) * __half2float(x[b].d);
      sum += term;
      size += std::fabs(term);
    }
    Worst(worst, (y[r] - sum) / size);
  }
  return Finish(worst);
}

}  // namespace vectors
using namespace vectors;

double RunNorm(Defect defect, int rows, int columns) {
  switch (defect) {
    case Defect::kSharedOutOfBounds:
      return NormError<Defect::kSharedOutOfBounds>(rows, columns);
    case Defect::kNoBarrier:
      return NormError<Defect::kNoBarrier>(rows, columns);
    case Defect::kBarrierInBranch:
      return NormError<Defect::kBarrierInBranch>(rows, columns);
    case Defect::kUninitialisedShared:
      return NormError<Defect::kUninitialisedShared>(rows, columns);
    case Defect::kShuffleInBranch:
      return NormError<Defect::kShuffleInBranch>(rows, columns);
    case Defect::kGlobalOutOfBounds:
      return NormError<Defect::kGlobalOutOfBounds>(rows, columns);
    default:
      return NormError<Defect::kNone>(rows, columns);
  }
}

double RunMatVec(Defect defect, int rows, int blocks) {
  switch (defect) {
    case Defect::kMisaligned:
      return MatVecError<Defect::kMisaligned>(rows, blocks);
    case Defect::kRaceOfBlocks:
      return MatVecError<Defect::kRaceOfBlocks>(rows, blocks);
    default:
      return MatVecError<Defect::kNone>(rows, blocks);
  }
}

void LaunchNorm(const void* x, const float* weight, void* y, int rows, int columns, int threads) {
  Norm<Defect::kNone>
      <<<rows, threads>>>(static_cast<const __half*>(x), weight, static_cast<__half*>(y), columns);
}

int LaunchEmpty(unsigned grid_x, unsigned grid_y, unsigned block, std::size_t dynamic_shared) {
  Empty<<<dim3(grid_x, grid_y), block, dynamic_shared>>>();
  return cudaGetLastError();
}

int AllowShared(std::size_t bytes) {
  return cudaFuncSetAttribute(Empty, cudaFuncAttributeMaxDynamicSharedMemorySize,
                              static_cast<int>(bytes));
}

}  // namespace paluku::selftest
