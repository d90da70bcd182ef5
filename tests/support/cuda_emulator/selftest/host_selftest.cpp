// The host's side: streams, events, graphs, memory, limits, injected faults, cuBLAS.
#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "tests/support/cuda_emulator/selftest/kernels.h"
#include "tests/support/cuda_emulator/selftest/reports.h"

namespace paluku::selftest {
namespace {

constexpr int kCount = 64;
constexpr std::size_t kBytes = kCount * sizeof(float);

class Host : public testing::Test {
 protected:
  void SetUp() override {
    TakeReports();
    cudaMalloc(reinterpret_cast<void**>(&a_), kBytes);
    cudaMalloc(reinterpret_cast<void**>(&b_), kBytes);
    cudaMallocHost(reinterpret_cast<void**>(&pinned_), kBytes);
    std::iota(pinned_, pinned_ + kCount, 1.0F);
    cudaStreamCreateWithFlags(&first_, cudaStreamNonBlocking);
    cudaStreamCreateWithFlags(&second_, cudaStreamNonBlocking);
    cudaEventCreateWithFlags(&event_, cudaEventDisableTiming);
  }
  void TearDown() override {
    cudaStreamDestroy(first_);
    cudaStreamDestroy(second_);
    cudaEventDestroy(event_);
    cudaFree(a_);
    cudaFree(b_);
    cudaFreeHost(pinned_);
    cudaDeviceReset();
    ExpectNoReports();
  }
  // Waited for: streams that do not block know nothing of the default stream.
  static void Zero(float* device) {
    cudaMemset(device, 0, kBytes);
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  }
  std::vector<float> Read(const float* device, cudaStream_t stream) const {
    std::vector<float> values(kCount);
    EXPECT_EQ(cudaMemcpyAsync(values.data(), device, kBytes, cudaMemcpyDeviceToHost, stream),
              cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    return values;
  }

  const Quiet quiet_;
  float* a_ = nullptr;
  float* b_ = nullptr;
  float* pinned_ = nullptr;
  cudaStream_t first_ = nullptr;
  cudaStream_t second_ = nullptr;
  cudaEvent_t event_ = nullptr;
};

TEST_F(Host, PinnedBufferReusedTooEarlyShowsInValue) {
  cudaMemcpyAsync(a_, pinned_, kBytes, cudaMemcpyHostToDevice, first_);
  pinned_[3] = -1;  // the copy has not been waited for
  EXPECT_EQ(Read(a_, first_)[3], -1.0F);
  cudaMemcpyAsync(a_, pinned_, kBytes, cudaMemcpyHostToDevice, first_);
  cudaStreamSynchronize(first_);
  pinned_[3] = 4;
  EXPECT_EQ(Read(a_, first_)[3], -1.0F);
}

TEST_F(Host, MissingWaitForEventShowsInValue) {
  Zero(a_);
  Zero(b_);
  LaunchAddOne(a_, b_, kCount, first_);
  EXPECT_EQ(Read(b_, second_)[0], 0.0F) << "nothing told the second stream to wait";
  cudaEventRecord(event_, first_);
  cudaStreamWaitEvent(second_, event_, 0);
  EXPECT_EQ(Read(b_, second_)[0], 1.0F);
}

TEST_F(Host, DefaultStreamWaitsForBlockingStreamsOnly) {
  cudaStream_t blocking = nullptr;
  cudaStreamCreate(&blocking);
  Zero(a_);
  Zero(b_);
  LaunchAddOne(a_, b_, kCount, blocking);
  EXPECT_EQ(Read(b_, nullptr)[0], 1.0F);
  LaunchAddOne(b_, a_, kCount, first_);
  EXPECT_EQ(Read(a_, nullptr)[0], 0.0F);
  cudaStreamDestroy(blocking);
}

TEST_F(Host, EventsTellWhenTheyAreDone) {
  Zero(a_);
  EXPECT_EQ(cudaEventQuery(event_), cudaSuccess) << "never recorded";
  LaunchAddOne(a_, b_, kCount, first_);
  cudaEventRecord(event_, first_);
  EXPECT_EQ(cudaEventQuery(event_), cudaErrorNotReady);
  EXPECT_EQ(cudaEventSynchronize(event_), cudaSuccess);
  EXPECT_EQ(cudaEventQuery(event_), cudaSuccess);
}

TEST_F(Host, GraphsReplayWithTheArgumentsOfTheirCapture) {
  Zero(a_);
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  ASSERT_EQ(cudaStreamBeginCapture(first_, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  LaunchAddOne(a_, b_, kCount, first_);
  LaunchAddOne(b_, a_, kCount, first_);
  EXPECT_EQ(cudaStreamSynchronize(second_), cudaSuccess);
  ASSERT_EQ(cudaStreamEndCapture(first_, &graph), cudaSuccess);
  std::size_t nodes = 0;
  EXPECT_EQ(cudaGraphGetNodes(graph, nullptr, &nodes), cudaSuccess);
  EXPECT_EQ(nodes, 2U);
  EXPECT_EQ(Read(a_, first_)[5], 0.0F) << "a capture runs nothing";
  ASSERT_EQ(cudaGraphInstantiate(&executable, graph, 0), cudaSuccess);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(cudaGraphLaunch(executable, first_), cudaSuccess);
  EXPECT_EQ(Read(a_, first_)[5], 6.0F);
  cudaGraphDestroy(graph);
  // An update with the same shape replaces the arguments; another shape is refused.
  ASSERT_EQ(cudaStreamBeginCapture(first_, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  LaunchAddOne(a_, b_, kCount, first_);
  LaunchAddOne(a_, b_, kCount, first_);
  ASSERT_EQ(cudaStreamEndCapture(first_, &graph), cudaSuccess);
  cudaGraphExecUpdateResultInfo info;
  EXPECT_EQ(cudaGraphExecUpdate(executable, graph, &info), cudaSuccess);
  cudaGraphLaunch(executable, first_);
  EXPECT_EQ(Read(b_, first_)[5], 7.0F);
  cudaGraphDestroy(graph);
  ASSERT_EQ(cudaStreamBeginCapture(first_, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  LaunchAddOne(a_, b_, kCount, first_);
  ASSERT_EQ(cudaStreamEndCapture(first_, &graph), cudaSuccess);
  EXPECT_EQ(cudaGraphExecUpdate(executable, graph, &info), cudaErrorGraphExecUpdateFailure);
  EXPECT_EQ(info.result, cudaGraphExecUpdateErrorTopologyChanged);
  cudaGraphDestroy(graph);
  cudaGraphExecDestroy(executable);
}

TEST_F(Host, WaitingForACaptureBreaksIt) {
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cudaStreamBeginCapture(first_, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(first_), cudaErrorStreamCaptureUnsupported);
  EXPECT_EQ(cudaStreamEndCapture(first_, &graph), cudaErrorStreamCaptureInvalidated);
  cudaGetLastError();
}

TEST_F(Host, MappedPinnedMemoryIsReadByKernels) {
  void* device = nullptr;
  ASSERT_EQ(cudaHostGetDevicePointer(&device, pinned_, 0), cudaSuccess);
  LaunchAddOne(static_cast<float*>(device), a_, kCount, first_);
  EXPECT_EQ(Read(a_, first_)[2], 4.0F);
  std::vector<float> ordinary(kCount, 5.0F);
  ASSERT_EQ(cudaHostRegister(ordinary.data(), kBytes, cudaHostRegisterMapped), cudaSuccess);
  ASSERT_EQ(cudaHostGetDevicePointer(&device, ordinary.data(), 0), cudaSuccess);
  LaunchAddOne(static_cast<float*>(device), a_, kCount, first_);
  EXPECT_EQ(Read(a_, first_)[2], 6.0F);
  EXPECT_EQ(cudaHostUnregister(ordinary.data()), cudaSuccess);
}

TEST_F(Host, SymbolsAreReadAndWritten) {
  std::vector<float> constants(32, 2.0F);
  EXPECT_EQ(CopyToConstant(constants.data(), 32), cudaSuccess);
  int before = 0;
  EXPECT_EQ(ReadCounter(&before), cudaSuccess);
  LaunchSymbols(a_, 3);
  cudaMemset(a_ + 32, 0, kBytes / 2);
  EXPECT_EQ(Read(a_, nullptr)[7], 2.0F * static_cast<float>(before + 3));
  int after = 0;
  EXPECT_EQ(ReadCounter(&after), cudaSuccess);
  EXPECT_EQ(after, before + 3);
}

TEST_F(Host, CopiesAreCheckedAgainstAllocations) {
  std::vector<float> host(2 * kCount);
  EXPECT_NE(cudaMemcpy(a_, host.data(), kBytes + 4, cudaMemcpyHostToDevice), cudaSuccess);
  ExpectReport("OUT-OF-BOUNDS");
  cudaDeviceReset();
  cudaMemcpy(host.data(), b_, kBytes, cudaMemcpyDeviceToHost);
  ExpectReport("UNINITIALISED READ");
  cudaMemset(a_, 0, kBytes + 1);
  cudaDeviceSynchronize();
  ExpectReport("OUT-OF-BOUNDS");
  cudaDeviceReset();
}

TEST_F(Host, FreeingTwiceIsReported) {
  void* pointer = nullptr;
  cudaMalloc(&pointer, 16);
  EXPECT_EQ(cudaFree(pointer), cudaSuccess);
  EXPECT_EQ(cudaFree(pointer), cudaErrorInvalidValue);
  ExpectReport("BAD FREE");
}

TEST_F(Host, HostAccessToDeviceMemoryEndsTheProgram) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        float* device = nullptr;
        cudaMalloc(reinterpret_cast<void**>(&device), kBytes);
        volatile float value = device[0];
        (void)value;
      },
      testing::ExitedWithCode(98), "HOST ACCESS");
}

TEST_F(Host, LaunchLimits) {
  EXPECT_EQ(LaunchEmpty(1, 1, 1025, 0), cudaErrorInvalidConfiguration);
  EXPECT_EQ(LaunchEmpty(1, 1, 129, 0), cudaErrorInvalidConfiguration)
      << "its launch bounds are 128";
  EXPECT_EQ(LaunchEmpty(1, 65536, 32, 0), cudaErrorInvalidConfiguration);
  EXPECT_EQ(LaunchEmpty(0, 1, 32, 0), cudaErrorInvalidConfiguration);
  EXPECT_EQ(LaunchEmpty(1, 1, 32, 48 * 1024 + 16), cudaErrorInvalidValue);
  ExpectReport("LAUNCH");
  EXPECT_EQ(AllowShared(60 * 1024), cudaSuccess);
  EXPECT_EQ(LaunchEmpty(1, 1, 32, 60 * 1024), cudaSuccess);
  const int most[][2] = {{75, 64}, {80, 163}, {90, 227}, {120, 99}};
  for (const auto& [arch, kilobytes] : most) {
    if (arch != Arch()) continue;
    EXPECT_EQ(AllowShared(static_cast<std::size_t>(kilobytes) * 1024), cudaSuccess);
    EXPECT_EQ(AllowShared(static_cast<std::size_t>(kilobytes) * 1024 + 1), cudaErrorInvalidValue);
  }
  cudaGetLastError();
}

TEST_F(Host, DeviceIsTheOneThatTheCodeWasCompiledFor) {
  cudaDeviceProp properties;
  ASSERT_EQ(cudaGetDeviceProperties(&properties, 0), cudaSuccess);
  EXPECT_EQ(properties.major * 10 + properties.minor, Arch());
}

TEST_F(Host, Faults) {
  int count = -1;
  {
    const ScopedSetting fault("fault", "no-driver", "");
    EXPECT_EQ(cudaGetDeviceCount(&count), cudaErrorInsufficientDriver);
    EXPECT_EQ(count, -1) << "the real library leaves it alone";
  }
  {
    const ScopedSetting fault("fault", "no-device", "");
    EXPECT_EQ(cudaGetDeviceCount(&count), cudaErrorNoDevice);
  }
  {
    const ScopedSetting fault("fault", "memory:100000", "");
    void* pointer = nullptr;
    EXPECT_EQ(cudaMalloc(&pointer, 200000), cudaErrorMemoryAllocation);
    std::size_t available = 0;
    std::size_t total = 0;
    EXPECT_EQ(cudaMemGetInfo(&available, &total), cudaSuccess);
    EXPECT_EQ(total, 100000U);
    EXPECT_EQ(cudaMalloc(&pointer, available), cudaSuccess);
    EXPECT_EQ(cudaFree(pointer), cudaSuccess);
  }
  {
    const ScopedSetting fault("fault", "cublas", "");
    cublasHandle_t handle = nullptr;
    EXPECT_EQ(cublasCreate_v2(&handle), CUBLAS_STATUS_NOT_INITIALIZED);
  }
  cudaDeviceReset();
  Zero(a_);
  {
    const ScopedSetting fault("fault", "lost:1", "");
    LaunchAddOne(a_, b_, kCount, first_);
    EXPECT_EQ(cudaStreamSynchronize(first_), cudaErrorUnknown);
    EXPECT_EQ(cudaMalloc(reinterpret_cast<void**>(&count), 4), cudaErrorUnknown);
    cudaDeviceReset();
    EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorUnknown) << "a lost device stays lost";
  }
  cudaDeviceReset();
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
}

TEST_F(Host, AsynchronousAllocationsLiveUntilTheStreamFreesThem) {
  float* memory = nullptr;
  const std::size_t before = paluku_emu_memory_used();
  ASSERT_EQ(cudaMallocAsync(reinterpret_cast<void**>(&memory), kBytes, first_), cudaSuccess);
  cudaMemsetAsync(memory, 0, kBytes, first_);
  LaunchAddOne(memory, a_, kCount, first_);
  EXPECT_EQ(cudaFreeAsync(memory, first_), cudaSuccess);
  EXPECT_EQ(paluku_emu_memory_used(), before + kBytes);
  EXPECT_EQ(Read(a_, first_)[9], 1.0F);
  EXPECT_EQ(paluku_emu_memory_used(), before);
}

TEST_F(Host, CublasMultipliesAndChecksItsOperands) {
  cublasHandle_t handle = nullptr;
  ASSERT_EQ(cublasCreate_v2(&handle), CUBLAS_STATUS_SUCCESS);
  cublasSetStream_v2(handle, first_);
  cudaMemcpyAsync(a_, pinned_, kBytes, cudaMemcpyHostToDevice, first_);
  const float one = 1;
  const float zero = 0;
  const auto multiply = [&](int ldc) {
    return cublasGemmEx(handle, CUBLAS_OP_T, CUBLAS_OP_N, 8, 8, 8, &one, a_, CUDA_R_32F, 8, a_,
                        CUDA_R_32F, 8, &zero, b_, CUDA_R_32F, ldc, CUBLAS_COMPUTE_32F,
                        CUBLAS_GEMM_DEFAULT);
  };
  EXPECT_EQ(multiply(7), CUBLAS_STATUS_INVALID_VALUE);
  ASSERT_EQ(multiply(8), CUBLAS_STATUS_SUCCESS);
  const std::vector<float> c = Read(b_, first_);
  for (int i = 0; i < 8; ++i) {
    for (int j = 0; j < 8; ++j) {
      float sum = 0;
      for (int k = 0; k < 8; ++k) sum += pinned_[8 * i + k] * pinned_[8 * j + k];
      EXPECT_EQ(c[static_cast<std::size_t>(8 * j + i)], sum);
    }
  }
  ASSERT_EQ(multiply(9), CUBLAS_STATUS_SUCCESS);
  cudaStreamSynchronize(first_);
  ExpectReport("OUT-OF-BOUNDS");
  cudaDeviceReset();
  cublasDestroy_v2(handle);
}

TEST_F(Host, EagerAndRandomStreamsGiveTheSameOfAProperProgram) {
  for (const char* order : {"late", "eager", "random"}) {
    const ScopedSetting streams("streams", order, "late");
    cudaMemcpyAsync(a_, pinned_, kBytes, cudaMemcpyHostToDevice, first_);
    cudaEventRecord(event_, first_);
    cudaStreamWaitEvent(second_, event_, 0);
    LaunchAddOne(a_, b_, kCount, second_);
    EXPECT_EQ(Read(b_, second_)[10], 12.0F) << order;
  }
}

}  // namespace
}  // namespace paluku::selftest
