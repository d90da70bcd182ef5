// Device functions run by the interpreter against the same functions on the host.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "tests/support/cuda_emulator/selftest/kernels.h"
#include "tests/support/cuda_emulator/selftest/reports.h"

namespace paluku::selftest {
namespace {

template <class T>
T* ToDevice(const std::vector<T>& values) {
  T* device = nullptr;
  cudaMalloc(reinterpret_cast<void**>(&device), values.size() * sizeof(T));
  cudaMemcpy(device, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice);
  return device;
}

// Relative difference; equal infinities and NaNs are equal.
double Difference(float got, float want) {
  if (got == want || (std::isnan(got) && std::isnan(want))) return 0;
  return std::fabs(static_cast<double>(got) - static_cast<double>(want)) /
         (std::fabs(static_cast<double>(want)) + 1e-6);
}

TEST(Conformance, FunctionsAgreeWithTheHost) {
  constexpr int kCount = 512;
  std::mt19937 random(3);
  std::vector<float> a(kCount);
  std::vector<float> b(kCount);
  std::vector<int> i(kCount);
  std::vector<int> j(kCount);
  for (std::size_t t = 0; t < kCount; ++t) {
    a[t] = static_cast<float>(static_cast<int>(random() % 20001) - 10000) / 1000.0F;
    b[t] = static_cast<float>(static_cast<int>(random() % 20001) - 10000) / 777.0F + 0.001F;
    i[t] = static_cast<int>(random());
    j[t] = static_cast<int>(random() >> 8) - 8000000;
  }
  const float infinity = std::numeric_limits<float>::infinity();
  const float special[] = {0,        infinity, -infinity, std::nanf(""), 1e-40F,
                           65520.0F, -0.0F,    1e30F,     5.9604645e-8F, 6.1e-5F};
  std::copy(std::begin(special), std::end(special), a.begin());
  float* da = ToDevice(a);
  float* db = ToDevice(b);
  int* di = ToDevice(i);
  int* dj = ToDevice(j);
  std::vector<float> out(static_cast<std::size_t>(FunctionCount()) * kCount);
  float* dout = ToDevice(out);
  LaunchFunctions(da, db, di, dj, dout, kCount);
  ASSERT_EQ(cudaMemcpy(out.data(), dout, out.size() * sizeof(float), cudaMemcpyDeviceToHost),
            cudaSuccess);
  for (int function = 0; function < FunctionCount(); ++function) {
    for (std::size_t t = 0; t < kCount; ++t) {
      const float got = out[static_cast<std::size_t>(function) * kCount + t];
      const float want = HostFunction(function, a[t], b[t], i[t], j[t]);
      ASSERT_LE(Difference(got, want), FunctionTolerance(function))
          << "function " << function << " of a=" << a[t] << " b=" << b[t] << " i=" << i[t]
          << " j=" << j[t] << ": device " << got << ", host " << want;
    }
  }
  for (void* pointer : {static_cast<void*>(da), static_cast<void*>(db), static_cast<void*>(di),
                        static_cast<void*>(dj), static_cast<void*>(dout)}) {
    cudaFree(pointer);
  }
  ExpectNoReports();
}

TEST(Conformance, ChainsOfCarriesAgreeWithTheHost) {
  constexpr std::size_t kCount = 256;
  std::mt19937_64 random(5);
  std::vector<std::uint64_t> numbers(4 * kCount);
  for (std::uint64_t& number : numbers) {
    // Words of ones and zeros carry far.
    const std::uint64_t kinds[] = {random(), ~std::uint64_t{0}, 0, 0xFFFFFFFF, 1, random() | 1};
    number = kinds[random() % 6];
  }
  std::vector<std::uint64_t> out(kChains * kCount);
  std::uint64_t* device_numbers = ToDevice(numbers);
  std::uint64_t* device_out = ToDevice(out);
  LaunchChains(device_numbers, device_out, kCount);
  ASSERT_EQ(cudaMemcpy(out.data(), device_out, 8 * out.size(), cudaMemcpyDeviceToHost),
            cudaSuccess);
  std::uint64_t want[kChains];
  for (std::size_t t = 0; t < kCount; ++t) {
    HostChains(&numbers[4 * t], want);
    for (std::size_t i = 0; i < kChains; ++i) {
      ASSERT_EQ(out[kChains * t + i], want[i]) << "chain " << i << " of quadruple " << t;
    }
  }
  cudaFree(device_numbers);
  cudaFree(device_out);
  ExpectNoReports();
}

TEST(Conformance, WarpIntrinsicsAgreeWithTheHost) {
  std::vector<std::uint32_t> out(65, 0);
  std::vector<float> sum(1, 0);
  std::uint32_t* dout = ToDevice(out);
  float* dsum = ToDevice(sum);
  LaunchIntrinsics(dout, dsum);
  ASSERT_EQ(cudaMemcpy(out.data(), dout, out.size() * 4, cudaMemcpyDeviceToHost), cudaSuccess);
  ASSERT_EQ(cudaMemcpy(sum.data(), dsum, 4, cudaMemcpyDeviceToHost), cudaSuccess);
  for (std::uint32_t lane = 0; lane < 32; ++lane)
    EXPECT_EQ(out[lane], HostIntrinsics(lane)) << "lane " << lane;
  EXPECT_EQ(out[32], 31U);
  EXPECT_EQ(sum[0], 24.0F);
  cudaFree(dout);
  cudaFree(dsum);
  ExpectNoReports();
}

}  // namespace
}  // namespace paluku::selftest
