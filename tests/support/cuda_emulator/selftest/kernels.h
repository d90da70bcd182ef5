// What the selftests run: small kernels, each correct or with one planted defect, behind plain
// functions.
//
// The kernels are compiled by nvcc for each emulated architecture; the tests by the C++ compiler.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace paluku::selftest {

// A planted defect of a kernel; kNone is the correct kernel.
enum class Defect {
  kNone,
  kSharedOutOfBounds,
  kNoBarrier,
  kBarrierInBranch,
  kUninitialisedShared,
  kShuffleInBranch,
  kGlobalOutOfBounds,
  kReuseWithoutBarrier,
  kTooLittleDynamicShared,
  kNoCopyWait,
  kCopyOverwritten,
  kNoWarpSync,
  kWrongMatrixLane,
  kSwappedMatrixRegisters,
  kRaceOfBlocks,
  kMisaligned,
  kLocalOutOfBounds,
  kTwoBarriers,
  kNamedBarrierAlone,
  kBarrierCounts,
  kLaneOutsideMask,
  kTrap,
  kDivisionByZero,
  kEarlyExit,
  kNoPartialSync,
  kNoNamedBarrier
};

// Each runs its kernel and returns the greatest difference from a result computed on the host,
// relative to its size (NaN when the kernel did not run to its end). The device is as good as new
// afterwards.
double RunNorm(Defect defect, int rows, int columns);
double RunMatVec(Defect defect, int rows, int blocks);
double RunAttention(Defect defect, int heads, int length);
double RunMatrixProduct(Defect defect, int m, int n, int k);
double RunSmall(Defect defect);     // kernels that only hold a defect
double RunPipeline(Defect defect);  // named barriers between producer and consumer warps

// Launches the norm kernel on these pointers; the host does not look at the result.
void LaunchNorm(const void* x, const float* weight, void* y, int rows, int columns,
                int threads = 128);
// Launches an empty kernel with bounds of 128 threads.
int LaunchEmpty(unsigned grid_x, unsigned grid_y, unsigned block, std::size_t dynamic_shared);
int AllowShared(std::size_t bytes);  // cudaFuncSetAttribute of that kernel

// y[i] = x[i * stride], one block of 32 threads; then each thread reads shared[i * shared_stride].
void LaunchStrided(const float* x, float* y, int stride, int shared_stride);
// y[i] = x[i] + 1 for n floats.
void LaunchAddOne(const float* x, float* y, int n, void* stream);
// Adds `by` to a device variable, then y[0] = variable * constant[i].
void LaunchSymbols(float* y, int by);
int CopyToConstant(const float* values, int count);
int ReadCounter(int* value);

// One mma over whole fragments: A, B, C, D are the registers of all lanes, [register][lane].
enum class MatrixForm {
  kHalf8,
  kHalf16,
  kBf16x8,
  kBf16x16,
  kByte16,
  kByte32,
  kUnsignedByte32,
  kByteSmall
};
bool HasMatrixForm(MatrixForm form, int arch);
void LaunchMatrixForm(MatrixForm form, const std::uint32_t* a, const std::uint32_t* b,
                      const std::uint32_t* c, std::uint32_t* d);
// ldmatrix of four 8x8 matrices: 32 rows of 8 values; registers out [4][lane].
void LaunchLoadMatrix(const std::uint16_t* rows, std::uint32_t* out, bool transposed);

// Conformance: functions compiled for host and device alike.
int FunctionCount();
// Functions whose device version is not the same as the host's in the last place (error in
// tolerance).
double FunctionTolerance(int function);
float HostFunction(int function, float a, float b, int i, int j);
void LaunchFunctions(const float* a, const float* b, const int* i, const int* j, float* out,
                     int count);
// Warp intrinsics: out[lane] on the device against the same computed on the host.
void LaunchIntrinsics(std::uint32_t* out, float* sum);
std::uint32_t HostIntrinsics(std::uint32_t lane);
// Chains of carries and small numbers in one word: kChains results of each of `count` quadruples.
inline constexpr int kChains = 12;
void LaunchChains(const std::uint64_t* numbers, std::uint64_t* out, int count);
void HostChains(const std::uint64_t* numbers, std::uint64_t* out);  // of one quadruple

}  // namespace paluku::selftest
