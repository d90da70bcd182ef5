// Counters: sectors, requests and bank conflicts of access patterns whose figures are known.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/cuda_emulator/selftest/kernels.h"
#include "tests/support/cuda_emulator/selftest/reports.h"

namespace paluku::selftest {
namespace {

PalukuEmuCounters Count(int stride, int shared_stride) {
  const ScopedSetting count("count", "1", "0");
  float* x = nullptr;
  float* y = nullptr;
  cudaMalloc(reinterpret_cast<void**>(&x), 32 * 32 * sizeof(float));
  cudaMalloc(reinterpret_cast<void**>(&y), 32 * sizeof(float));
  cudaMemset(x, 0, 32 * 32 * sizeof(float));
  paluku_emu_reset_counters();
  LaunchStrided(x, y, stride, shared_stride);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  cudaFree(x);
  cudaFree(y);
  EXPECT_EQ(paluku_emu_launch_count(), 1U);
  EXPECT_NE(std::string(paluku_emu_launch(0).kernel).find("Strided"), std::string::npos);
  return paluku_emu_counters();
}

TEST(Counters, SectorsOfStridedReads) {
  // One read of 32 floats and one write of 32 floats.
  PalukuEmuCounters counters = Count(1, 1);
  EXPECT_EQ(counters.launches, 1U);
  EXPECT_EQ(counters.sectors_read, 4U);
  EXPECT_EQ(counters.sectors_written, 4U);
  EXPECT_EQ(counters.requests, 2U);
  EXPECT_EQ(counters.request_sectors, 8U);
  counters = Count(2, 1);
  EXPECT_EQ(counters.sectors_read, 8U);
  counters = Count(32, 1);
  EXPECT_EQ(counters.sectors_read, 32U);
  EXPECT_EQ(counters.request_sectors, 36U);
  counters = Count(0, 1);
  EXPECT_EQ(counters.sectors_read, 1U);
}

TEST(Counters, BankConflictsOfStridedReads) {
  EXPECT_EQ(Count(1, 1).shared_conflicts, 0U);
  EXPECT_EQ(Count(1, 2).shared_conflicts, 1U);
  EXPECT_EQ(Count(1, 31).shared_conflicts, 0U);
  EXPECT_EQ(Count(1, 32 - 16).shared_conflicts, 15U);
  EXPECT_EQ(Count(1, 0).shared_conflicts, 0U) << "a broadcast";
}

TEST(Counters, InstructionsAreCountedWithoutTheSetting) {
  paluku_emu_reset_counters();
  EXPECT_EQ(RunSmall(Defect::kNone), 0);
  const PalukuEmuCounters counters = paluku_emu_counters();
  EXPECT_GT(counters.thread_instructions, 32U);
  EXPECT_EQ(counters.sectors_read, 0U);
}

}  // namespace
}  // namespace paluku::selftest
