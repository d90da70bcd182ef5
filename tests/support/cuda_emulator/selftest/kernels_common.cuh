// Small things that the kernels of the selftests share.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "tests/support/cuda_emulator/selftest/kernels.h"

namespace paluku::selftest {

// Device copy of a vector, freed at the end of its life.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(std::size_t count) : count_(count) {
    cudaMalloc(reinterpret_cast<void**>(&data_), count * sizeof(T));
  }
  explicit DeviceArray(const std::vector<T>& values) : DeviceArray(values.size()) {
    cudaMemcpy(data_, values.data(), count_ * sizeof(T), cudaMemcpyHostToDevice);
  }
  ~DeviceArray() { cudaFree(data_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  T* get() const { return data_; }
  std::vector<T> Read() const {
    std::vector<T> values(count_);
    cudaMemcpy(values.data(), data_, count_ * sizeof(T), cudaMemcpyDeviceToHost);
    return values;
  }

 private:
  T* data_ = nullptr;
  std::size_t count_;
};

// Uniform in -1 .. 1, the same everywhere.
class Numbers {
 public:
  float Next() {
    return static_cast<float>(static_cast<int>(generator_() % 2001) - 1000) / 1000.0F;
  }
  std::uint32_t Bits() { return generator_(); }
  std::vector<__half> Halves(std::size_t count) {
    std::vector<__half> values(count);
    for (__half& value : values) value = __float2half(Next());
    return values;
  }

 private:
  std::mt19937 generator_{1};
};

// Keeps the greatest of |difference|; NaN wins.
inline void Worst(double& worst, double difference) {
  if (!(std::fabs(difference) <= worst)) worst = std::fabs(difference);
}

// The result of a run: NaN when the device stopped, which is then reset.
inline double Finish(double error) {
  const bool fine = cudaDeviceSynchronize() == cudaSuccess;
  if (!fine) cudaDeviceReset();
  return fine ? error : std::numeric_limits<double>::quiet_NaN();
}

__device__ inline float WarpSum(float value) {
  for (int offset = 16; offset > 0; offset /= 2)
    value += __shfl_xor_sync(0xFFFFFFFF, value, offset);
  return value;
}

__device__ inline float WarpMax(float value) {
  for (int offset = 16; offset > 0; offset /= 2)
    value = fmaxf(value, __shfl_xor_sync(0xFFFFFFFF, value, offset));
  return value;
}

__device__ inline std::uint32_t SharedAddress(const void* pointer) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(pointer));
}

}  // namespace paluku::selftest
