// Kernels that hold one defect and nothing else, kernels with named barriers, and kernels for the
// host's API tests.
#include "tests/support/cuda_emulator/selftest/kernels_common.cuh"

namespace paluku::selftest {
// A name, so that other compilers' PTX has the same kernels.
namespace small {

__constant__ float constants[32];
__device__ int counter = 0;

__device__ void NamedBarrier(int id, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
__device__ void NamedArrive(int id, int threads) {
  asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

template <Defect kDefect>
__global__ void Small(const int* in, int* out) {
  __shared__ int shared[64];
  const int thread = threadIdx.x;
  if constexpr (kDefect == Defect::kLocalOutOfBounds) {
    int local[8];
    for (int i = 0; i < 8; ++i) local[i] = in[i];
    out[thread] = local[in[0]];  // in[0] is large
  } else if constexpr (kDefect == Defect::kTwoBarriers) {
    // Two barriers in the program text, half of the threads in each.
    if (thread < 32) {
      shared[thread] = in[0];
      __syncthreads();
      out[thread] = 1;
    } else {
      __syncthreads();
      out[thread] = shared[thread - 32];
    }
  } else if constexpr (kDefect == Defect::kNamedBarrierAlone) {
    if (thread < 32) NamedBarrier(1, 64);
    out[thread] = 0;
  } else if constexpr (kDefect == Defect::kBarrierCounts) {
    NamedBarrier(1, thread < 32 ? 64 : 32);
    out[thread] = 0;
  } else if constexpr (kDefect == Defect::kLaneOutsideMask) {
    out[thread] = __shfl_sync(thread < 32 ? 0x0000FFFF : 0xFFFFFFFF, thread, 0);
  } else if constexpr (kDefect == Defect::kTrap) {
    if (thread == 5) __trap();
    out[thread] = 0;
  } else if constexpr (kDefect == Defect::kDivisionByZero) {
    out[thread] = 7 / (in[1] - in[0]);
  } else if constexpr (kDefect == Defect::kEarlyExit) {
    if (thread >= 32) return;
    __syncthreads();
    out[thread] = 0;
  } else if constexpr (kDefect == Defect::kNoPartialSync) {
    // The lower 16 lanes synchronise with each other, but not with the upper ones that wrote.
    shared[thread] = in[0];
    if (thread < 16) {
      __syncwarp(0x0000FFFF);
      out[thread] = shared[16 + thread];
    }
  } else {
    // Correct: the same with the lanes that take part.
    shared[thread] = in[0] + thread;
    if (thread < 16) {
      __syncwarp(0x0000FFFF);
      out[thread] = shared[15 - thread];
    }
  }
}

// Warps 0 and 1 produce, warps 2 and 3 consume; two named barriers for a buffer of two halves.
template <Defect kDefect>
__global__ void Pipeline(const int* in, int* out, int steps) {
  __shared__ int buffer[2][64];
  const int thread = threadIdx.x % 64;
  const bool producer = threadIdx.x < 64;
  // Barriers 1, 2: half full; 3, 4: half empty.
  int sum = 0;
  for (int step = 0; step < steps; ++step) {
    const int half = step % 2;
    if (producer) {
      if (step >= 2) NamedBarrier(3 + half, 128);
      buffer[half][thread] = in[step * 64 + thread];
      if (kDefect != Defect::kNoNamedBarrier) NamedArrive(1 + half, 128);
    } else {
      if (kDefect != Defect::kNoNamedBarrier) NamedBarrier(1 + half, 128);
      sum += buffer[half][63 - thread];
      if (step + 2 < steps) NamedArrive(3 + half, 128);
    }
  }
  if (!producer) out[thread] = sum;
}

__global__ void Strided(const float* x, float* y, int stride, int shared_stride) {
  __shared__ float shared[32 * 32];
  for (int i = threadIdx.x; i < 32 * 32; i += 32) shared[i] = 0;
  __syncwarp();
  y[threadIdx.x] = x[threadIdx.x * stride] + shared[threadIdx.x * shared_stride];
}

__global__ void AddOne(const float* x, float* y, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] + 1;
}

__global__ void Symbols(float* y, int by) {
  if (threadIdx.x == 0) counter += by;
  __syncthreads();
  y[threadIdx.x] = constants[threadIdx.x] * counter;
}

template <Defect kDefect>
double SmallError() {
  std::vector<int> in(64, 1000);
  const DeviceArray<int> din(in);
  const DeviceArray<int> out(64);
  Small<kDefect><<<1, kDefect == Defect::kNoPartialSync || kDefect == Defect::kNone ? 32 : 64>>>(
      din.get(), out.get());
  return Finish(0);
}

template <Defect kDefect>
double PipelineError() {
  constexpr int kSteps = 5;
  std::vector<int> in(64 * kSteps);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<int>(i * i % 1009);
  const DeviceArray<int> din(in);
  const DeviceArray<int> out(64);
  Pipeline<kDefect><<<1, 128>>>(din.get(), out.get(), kSteps);
  const std::vector<int> result = out.Read();
  double worst = 0;
  for (int i = 0; i < 64; ++i) {
    int sum = 0;
    for (int step = 0; step < kSteps; ++step) sum += in[step * 64 + 63 - i];
    Worst(worst, result[i] - sum);
  }
  return Finish(worst);
}

}  // namespace small
using namespace small;

double RunSmall(Defect defect) {
  switch (defect) {
    case Defect::kLocalOutOfBounds:
      return SmallError<Defect::kLocalOutOfBounds>();
    case Defect::kTwoBarriers:
      return SmallError<Defect::kTwoBarriers>();
    case Defect::kNamedBarrierAlone:
      return SmallError<Defect::kNamedBarrierAlone>();
    case Defect::kBarrierCounts:
      return SmallError<Defect::kBarrierCounts>();
    case Defect::kLaneOutsideMask:
      return SmallError<Defect::kLaneOutsideMask>();
    case Defect::kTrap:
      return SmallError<Defect::kTrap>();
    case Defect::kDivisionByZero:
      return SmallError<Defect::kDivisionByZero>();
    case Defect::kEarlyExit:
      return SmallError<Defect::kEarlyExit>();
    case Defect::kNoPartialSync:
      return SmallError<Defect::kNoPartialSync>();
    default:
      return SmallError<Defect::kNone>();
  }
}

double RunPipeline(Defect defect) {
  return defect == Defect::kNone ? PipelineError<Defect::kNone>()
                                 : PipelineError<Defect::kNoNamedBarrier>();
}

void LaunchStrided(const float* x, float* y, int stride, int shared_stride) {
  Strided<<<1, 32>>>(x, y, stride, shared_stride);
}

void LaunchAddOne(const float* x, float* y, int n, void* stream) {
  AddOne<<<(n + 127) / 128, 128, 0, static_cast<cudaStream_t>(stream)>>>(x, y, n);
}

void LaunchSymbols(float* y, int by) { Symbols<<<1, 32>>>(y, by); }

int CopyToConstant(const float* values, int count) {
  return cudaMemcpyToSymbol(constants, values, count * sizeof(float));
}

int ReadCounter(int* value) { return cudaMemcpyFromSymbol(value, counter, sizeof(int)); }

}  // namespace paluku::selftest
