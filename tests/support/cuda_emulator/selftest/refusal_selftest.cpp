// Modules with anything unknown are refused when they are loaded, by name. The PTX is written here
// by hand, and goes through the registration calls that nvcc's objects make.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "tests/support/cuda_emulator/selftest/reports.h"

extern "C" {
void** __cudaRegisterFatBinary(void* wrapper);
void __cudaUnregisterFatBinary(void** handle);
void __cudaRegisterFunction(void** handle, const char* stub, char*, const char* name, int, uint3*,
                            uint3*, dim3*, dim3*, int*);
}

namespace paluku::selftest {
namespace {

// The container that nvcc makes: a header, then one entry with PTX.
std::vector<char> Container(const std::string& ptx) {
  std::vector<char> bytes(16 + 64 + ptx.size() + 1, 0);
  const auto put = [&](std::size_t at, auto value) {
    std::memcpy(bytes.data() + at, &value, sizeof(value));
  };
  put(0, std::uint32_t{0xBA55ED50});
  put(4, std::uint16_t{1});
  put(6, std::uint16_t{16});
  put(8, static_cast<std::uint64_t>(bytes.size() - 16));
  put(16, std::uint16_t{1});
  put(20, std::uint32_t{64});
  put(24, static_cast<std::uint64_t>(ptx.size() + 1));
  std::memcpy(bytes.data() + 80, ptx.data(), ptx.size());
  return bytes;
}

// Loads a kernel `k` with this body; returns what a launch of it says.
cudaError_t Load(const std::string& body) {
  const std::string ptx =
      ".version 9.0\n.target sm_80\n.address_size 64\n.visible .entry k(.param .u64 p)\n{\n" +
      body + "\nret;\n}\n";
  std::vector<char> container = Container(ptx);
  struct {
    int magic = 0x466243B1;
    int version = 1;
    const char* data = nullptr;
    void* unused = nullptr;
  } wrapper;
  wrapper.data = container.data();
  void** handle = __cudaRegisterFatBinary(&wrapper);
  static const char stub = 0;
  char name[] = "k";
  __cudaRegisterFunction(handle, &stub, name, name, -1, nullptr, nullptr, nullptr, nullptr,
                         nullptr);
  std::uint64_t argument = 0;
  void* arguments[] = {&argument};
  const cudaError_t error = cudaLaunchKernel(&stub, dim3(1), dim3(32), arguments, 0, nullptr);
  cudaDeviceSynchronize();
  cudaGetLastError();
  __cudaUnregisterFatBinary(handle);
  return error;
}

void ExpectRefused(const std::string& body, const std::string& named) {
  const Quiet quiet;
  TakeReports();
  EXPECT_EQ(Load(body), cudaErrorInvalidDeviceFunction) << body;
  const std::vector<std::string> lines = TakeReports();
  ASSERT_EQ(lines.size(), 1U) << body;
  EXPECT_EQ(lines[0].substr(0, 7), "REFUSED") << lines[0];
  EXPECT_NE(lines[0].find(named), std::string::npos) << lines[0] << " does not name " << named;
}

TEST(Refusal, KnownInstructionsAreTaken) {
  TakeReports();
  EXPECT_EQ(
      Load(".reg .b32 %r<4>; mov.u32 %r1, 7; add.s32 %r2, %r1, -3; mul.lo.s32 %r3, %r1, %r2;"),
      cudaSuccess);
  EXPECT_EQ(Load(".reg .f32 %f<4>; mov.f32 %f1, 0f3F800000; fma.rn.ftz.f32 %f2, %f1, %f1, %f1;"),
            cudaSuccess);
  EXPECT_EQ(
      Load(
          "{ .reg .pred p; setp.eq.u32 p, 1, 2; @p bra L; L: } { .reg .pred p; L: bra.uni M; M: }"),
      cudaSuccess);
  ExpectNoReports();
}

TEST(Refusal, UnknownOpcodesAndModifiersAreNamed) {
  ExpectRefused("tcgen05.fence::before_thread_sync;", "tcgen05");
  ExpectRefused(".reg .b32 %r<3>; add.wrong.s32 %r1, %r2, 1;", ".wrong");
  ExpectRefused(".reg .f32 %f<3>; add.rna.f32 %f1, %f2, %f2;", ".rna");
  ExpectRefused(".reg .b32 %r<3>; ld.global.L3.u32 %r1, [0];", ".L3");
  ExpectRefused(
      ".reg .f32 %f<9>; mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32 {%f1,%f2,%f3,%f4}, "
      "{%f5,%f6}, {%f7}, "
      "{%f1,%f2,%f3,%f4};",
      "mma");
  ExpectRefused(".reg .b32 %r<3>; mov.u32 %r1, %pm0;", "%pm0");
  ExpectRefused(".reg .b64 %d<3>; add.s32 %d1, %d2, 1;", "8 bytes where 4");
  ExpectRefused("bra NOWHERE;", "NOWHERE");
  ExpectRefused("call unknown_function;", "unknown_function");
  ExpectRefused(".reg .b32 %r<3>; mov.u32 %r1, missing;", "missing");
  ExpectRefused("bar.sync.wrong 0;", ".wrong");
}

}  // namespace
}  // namespace paluku::selftest
