// Planted defects must be caught, by a report of the right kind or (where said) by the value; clean
// kernels give none.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/support/cuda_emulator/selftest/kernels.h"
#include "tests/support/cuda_emulator/selftest/reports.h"

namespace paluku::selftest {
namespace {

class Defects : public testing::Test {
 protected:
  void SetUp() override { TakeReports(); }
  void TearDown() override { ExpectNoReports(); }
  const Quiet quiet_;
};

TEST_F(Defects, SharedOutOfBounds) {
  RunNorm(Defect::kSharedOutOfBounds, 2, 512);
  ExpectReport("OUT-OF-BOUNDS");
}
TEST_F(Defects, MissingBarrierRaces) {
  RunNorm(Defect::kNoBarrier, 2, 512);
  bool named = false;
  for (const std::string& line : TakeReports()) {
    named |= line.rfind("RACE", 0) == 0 && line.find("vector_kernels.cu:") != std::string::npos;
  }
  EXPECT_TRUE(named) << "no race with its source line";
}
TEST_F(Defects, BarrierInBranch) {
  RunNorm(Defect::kBarrierInBranch, 2, 512);
  ExpectReport("BARRIER DIVERGENCE");
}
TEST_F(Defects, UninitialisedShared) {
  RunNorm(Defect::kUninitialisedShared, 2, 512);
  ExpectReport("UNINITIALISED READ");
}
TEST_F(Defects, FullMaskShuffleInBranch) {
  RunNorm(Defect::kShuffleInBranch, 2, 512);
  const std::vector<std::string> lines = TakeReports();
  ASSERT_FALSE(
      lines.empty());  // lanes 16-31 go on to exit: their partners read lanes that take no part
  EXPECT_TRUE(lines[0].find("WARP DIVERGENCE") == 0 || lines[0].find("DEADLOCK") == 0) << lines[0];
}
TEST_F(Defects, GlobalOutOfBounds) {
  RunNorm(Defect::kGlobalOutOfBounds, 2, 512);
  ExpectReport("OUT-OF-BOUNDS");
}
TEST_F(Defects, BufferReusedWithoutBarrier) {
  RunAttention(Defect::kReuseWithoutBarrier, 2, 300);
  ExpectReport("RACE");
}
TEST_F(Defects, TooLittleDynamicShared) {
  RunAttention(Defect::kTooLittleDynamicShared, 2, 300);
  ExpectReport("OUT-OF-BOUNDS");
}
TEST_F(Defects, MissingCopyWait) {
  if (Arch() < 80) GTEST_SKIP() << "no cp.async on sm_75, so nothing to forget";
  RunMatrixProduct(Defect::kNoCopyWait, 16, 8, 64);
  ExpectReport("UNINITIALISED READ");
}
TEST_F(Defects, CopiesPendingAtExit) {
  if (Arch() < 80) GTEST_SKIP() << "no cp.async on sm_75";
  RunMatrixProduct(Defect::kNoCopyWait, 16, 8, 64);
  ExpectReport("CP.ASYNC");
}
TEST_F(Defects, CopyIntoBufferInUse) {
  RunMatrixProduct(Defect::kCopyOverwritten, 16, 8, 64);
  ExpectReport("RACE");
}
TEST_F(Defects, MissingWarpSync) {
  RunMatrixProduct(Defect::kNoWarpSync, 16, 8, 64);
  ExpectReport("RACE");
}
TEST_F(Defects, WrongMatrixLaneShowsInValue) {
  EXPECT_GT(RunMatrixProduct(Defect::kWrongMatrixLane, 16, 8, 64), 0.01);
}
TEST_F(Defects, SwappedMatrixRegistersShowInValue) {
  EXPECT_GT(RunMatrixProduct(Defect::kSwappedMatrixRegisters, 16, 8, 64), 0.01);
}
TEST_F(Defects, RaceOfBlocks) {
  RunMatVec(Defect::kRaceOfBlocks, 9, 40);
  const std::vector<std::string> lines = TakeReports();
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines[0].substr(0, 4), "RACE") << lines[0];
}
TEST_F(Defects, Misaligned) {
  RunMatVec(Defect::kMisaligned, 9, 40);
  ExpectReport("MISALIGNED");
}
TEST_F(Defects, LocalOutOfBounds) {
  RunSmall(Defect::kLocalOutOfBounds);
  ExpectReport("OUT-OF-BOUNDS");
}
TEST_F(Defects, TwoDifferentBarriers) {
  RunSmall(Defect::kTwoBarriers);
  ExpectReport("BARRIER DIVERGENCE");
}
TEST_F(Defects, NamedBarrierThatNobodyElseReaches) {
  EXPECT_TRUE(std::isnan(RunSmall(Defect::kNamedBarrierAlone)));
  ExpectReport("DEADLOCK");
}
TEST_F(Defects, NamedBarrierWithTwoCounts) {
  RunSmall(Defect::kBarrierCounts);
  ExpectReport("BARRIER DIVERGENCE");
}
TEST_F(Defects, LaneOutsideItsMask) {
  RunSmall(Defect::kLaneOutsideMask);
  ExpectReport("WARP DIVERGENCE");
}
TEST_F(Defects, Trap) {
  EXPECT_TRUE(std::isnan(RunSmall(Defect::kTrap)));
  ExpectReport("TRAP");
}
TEST_F(Defects, DivisionByZero) {
  RunSmall(Defect::kDivisionByZero);
  ExpectReport("DIVISION BY ZERO");
}
TEST_F(Defects, ThreadsThatEndBeforeBarrier) {
  RunSmall(Defect::kEarlyExit);
  ExpectReport("BARRIER DIVERGENCE");
}
TEST_F(Defects, PartialWarpSyncOrdersOnlyItsLanes) {
  RunSmall(Defect::kNoPartialSync);
  ExpectReport("RACE");
}
TEST_F(Defects, MissingNamedBarriers) {
  RunPipeline(Defect::kNoNamedBarrier);
  ExpectReport("RACE");
}

TEST_F(Defects, HostPointerInKernel) {
  std::vector<float> weight(512, 1.0F);
  void* x = nullptr;
  void* y = nullptr;
  cudaMalloc(&x, 1024);
  cudaMalloc(&y, 1024);
  cudaMemset(x, 0, 1024);
  LaunchNorm(x, weight.data(), y, 1, 512);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorIllegalAddress);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorIllegalAddress) << "such errors stay";
  cudaDeviceReset();
  ExpectReport("BAD POINTER");
  cudaFree(x);
  cudaFree(y);
}
TEST_F(Defects, UseAfterFree) {
  void* x = nullptr;
  void* weight = nullptr;
  cudaMalloc(&x, 1024);
  cudaMalloc(&weight, 2048);
  cudaMemset(x, 0, 1024);
  cudaFree(weight);
  LaunchNorm(x, static_cast<float*>(weight), x, 1, 512);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorIllegalAddress);
  cudaDeviceReset();
  ExpectReport("USE AFTER FREE");
  cudaFree(x);
}
TEST_F(Defects, UninitialisedGlobal) {
  float* x = nullptr;
  float* y = nullptr;
  cudaMalloc(reinterpret_cast<void**>(&x), 256 * sizeof(float));
  cudaMalloc(reinterpret_cast<void**>(&y), 256 * sizeof(float));
  cudaMemset(x, 0, 255 * sizeof(float));
  LaunchAddOne(x, y, 255, nullptr);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  ExpectNoReports();
  LaunchAddOne(x, y, 256, nullptr);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  ExpectReport("UNINITIALISED READ");
  cudaFree(x);
  cudaFree(y);
}

// Clean kernels in every order: right values, no reports.
class CleanKernels : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(CleanKernels, GiveRightValuesAndNoReports) {
  TakeReports();
  const ScopedSetting order("order", GetParam().first, "ascending");
  const ScopedSetting seed("seed", GetParam().second, "1");
  const bool preempt = std::string(GetParam().second) == "9";
  const ScopedSetting cut("preempt", preempt ? "7" : "0", "0");
  EXPECT_LE(RunNorm(Defect::kNone, 3, 512), 2e-2);
  EXPECT_LE(RunNorm(Defect::kNone, 2, 333), 2e-2);
  EXPECT_LE(RunNorm(Defect::kNone, 1, 1), 2e-2);
  EXPECT_LE(RunMatVec(Defect::kNone, 9, 40), 1e-5);
  EXPECT_LE(RunMatVec(Defect::kNone, 1, 1), 1e-5);
  for (const int length : {1, 127, 128, 129, 300})
    EXPECT_LE(RunAttention(Defect::kNone, 2, length), 1e-3) << length;
  for (const int depth : {16, 32, 48, 80, 144})
    EXPECT_LE(RunMatrixProduct(Defect::kNone, 32, 24, depth), 1e-3) << depth;
  EXPECT_EQ(RunSmall(Defect::kNone), 0);
  EXPECT_EQ(RunPipeline(Defect::kNone), 0);
  ExpectNoReports();
}

// Seed 9 stands for the run that is cut after at most 7 instructions, anywhere.
INSTANTIATE_TEST_SUITE_P(Orders, CleanKernels,
                         testing::Values(std::pair("ascending", "1"), std::pair("descending", "1"),
                                         std::pair("random", "1"), std::pair("random", "2"),
                                         std::pair("random", "3"), std::pair("random", "9")));

TEST(CleanKernelsPerturbed, StayWithinTolerance) {
  TakeReports();
  const ScopedSetting perturb("perturb", "16", "0");
  EXPECT_LE(RunNorm(Defect::kNone, 3, 512), 2e-2);
  EXPECT_LE(RunAttention(Defect::kNone, 2, 300), 1e-3);
  EXPECT_LE(RunMatrixProduct(Defect::kNone, 32, 24, 64), 1e-3);
  ExpectNoReports();
}

}  // namespace
}  // namespace paluku::selftest
