// Fragment layouts against an independent statement of them: the (thread, value) layouts of
// CUTLASS's CuTe traits (mma_traits_sm75.hpp, mma_traits_sm80.hpp), as numbers.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "engine/tensor/half.h"
#include "tests/support/cuda_emulator/selftest/kernels.h"
#include "tests/support/cuda_emulator/selftest/reports.h"

namespace paluku::selftest {
namespace {

// index = 4-lane digit * t0 + 8-group digit * t1 + sum of value digits * strides; the index is
// column-major.
struct Layout {
  int thread_stride[2];
  std::vector<int> value_shape;
  std::vector<int> value_stride;
  int Index(int lane, int value) const {
    int index = lane % 4 * thread_stride[0] + lane / 4 * thread_stride[1];
    for (std::size_t i = 0; i < value_shape.size(); ++i) {
      index += value % value_shape[i] * value_stride[i];
      value /= value_shape[i];
    }
    return index;
  }
  int Values() const {
    int count = 1;
    for (const int extent : value_shape) count *= extent;
    return count;
  }
};

enum class Number { kHalf, kBf16, kSigned, kUnsigned };

struct Form {
  MatrixForm form;
  const char* name;
  int m, k;
  Number a_number, b_number;
  Layout a, b, c;
};

const Layout k16x8{{32, 1}, {2, 2}, {16, 8}};
const Layout k8x8{{16, 1}, {2}, {8}};
const Layout k8x16{{32, 1}, {4}, {8}};
const Layout k16x16Half{{32, 1}, {2, 2, 2}, {16, 8, 128}};
const Layout k8x16Half{{16, 1}, {2, 2}, {8, 64}};
const Layout k16x32{{64, 1}, {4, 2, 2}, {16, 8, 256}};
const Layout k8x32{{32, 1}, {4, 2}, {8, 128}};

const Form kForms[] = {
    {MatrixForm::kHalf8, "f16 m16n8k8", 16, 8, Number::kHalf, Number::kHalf, k16x8, k8x8, k16x8},
    {MatrixForm::kHalf16, "f16 m16n8k16", 16, 16, Number::kHalf, Number::kHalf, k16x16Half,
     k8x16Half, k16x8},
    {MatrixForm::kBf16x8, "bf16 m16n8k8", 16, 8, Number::kBf16, Number::kBf16, k16x8, k8x8, k16x8},
    {MatrixForm::kBf16x16, "bf16 m16n8k16", 16, 16, Number::kBf16, Number::kBf16, k16x16Half,
     k8x16Half, k16x8},
    {MatrixForm::kByte16,
     "s8 m16n8k16",
     16,
     16,
     Number::kSigned,
     Number::kSigned,
     {{64, 1}, {4, 2}, {16, 8}},
     k8x16,
     k16x8},
    {MatrixForm::kByte32, "s8 m16n8k32", 16, 32, Number::kSigned, Number::kSigned, k16x32, k8x32,
     k16x8},
    {MatrixForm::kUnsignedByte32, "u8 m16n8k32", 16, 32, Number::kUnsigned, Number::kSigned, k16x32,
     k8x32, k16x8},
    {MatrixForm::kByteSmall, "s8 m8n8k16", 8, 16, Number::kSigned, Number::kSigned, k8x16, k8x16,
     k8x8},
};

std::uint32_t Encode(Number number, int value) {
  switch (number) {
    case Number::kHalf:
      return FloatToHalf(static_cast<float>(value));
    case Number::kBf16:
      return std::bit_cast<std::uint32_t>(static_cast<float>(value)) >> 16;
    default:
      return static_cast<std::uint32_t>(value) & 0xFF;
  }
}

int Bits(Number number) { return number == Number::kHalf || number == Number::kBf16 ? 16 : 8; }

// Fills registers [register][lane] from a column-major matrix of small integers.
std::vector<std::uint32_t> Pack(const Layout& layout, Number number,
                                const std::vector<int>& matrix) {
  std::vector<std::uint32_t> registers(4 * 32, 0);
  const int per_register = 32 / Bits(number);
  for (int lane = 0; lane < 32; ++lane) {
    for (int v = 0; v < layout.Values(); ++v) {
      registers[static_cast<std::size_t>(v / per_register * 32 + lane)] |=
          Encode(number, matrix[static_cast<std::size_t>(layout.Index(lane, v))])
          << (v % per_register * Bits(number));
    }
  }
  return registers;
}

std::vector<int> RandomMatrix(std::mt19937& random, int count, bool negative) {
  std::vector<int> matrix(static_cast<std::size_t>(count));
  for (int& value : matrix) value = static_cast<int>(random() % 15) - (negative ? 7 : 0);
  return matrix;
}

// Registers on the device.
class Registers {
 public:
  explicit Registers(const std::vector<std::uint32_t>& values) {
    cudaMalloc(reinterpret_cast<void**>(&data_), values.size() * 4);
    cudaMemcpy(data_, values.data(), values.size() * 4, cudaMemcpyHostToDevice);
  }
  ~Registers() { cudaFree(data_); }
  Registers(const Registers&) = delete;
  Registers& operator=(const Registers&) = delete;
  std::uint32_t* get() const { return data_; }
  std::vector<std::uint32_t> Read() const {
    std::vector<std::uint32_t> values(4 * 32);
    EXPECT_EQ(cudaMemcpy(values.data(), data_, values.size() * 4, cudaMemcpyDeviceToHost),
              cudaSuccess);
    return values;
  }

 private:
  std::uint32_t* data_ = nullptr;
};

TEST(MatrixFragments, EveryFormAgreesWithTheTraits) {
  std::mt19937 random(7);
  for (const Form& form : kForms) {
    if (!HasMatrixForm(form.form, Arch())) continue;
    const bool floats = form.a_number == Number::kHalf || form.a_number == Number::kBf16;
    // Column-major: A[m + M k], B[n + 8 k], C[m + M n].
    const std::vector<int> a =
        RandomMatrix(random, form.m * form.k, form.a_number != Number::kUnsigned);
    const std::vector<int> b = RandomMatrix(random, 8 * form.k, true);
    const std::vector<int> c = RandomMatrix(random, form.m * 8, true);
    std::vector<std::uint32_t> c_registers(4 * 32, 0);
    for (int lane = 0; lane < 32; ++lane) {
      for (int v = 0; v < form.c.Values(); ++v) {
        const int value = c[static_cast<std::size_t>(form.c.Index(lane, v))];
        c_registers[static_cast<std::size_t>(32 * v + lane)] =
            floats ? std::bit_cast<std::uint32_t>(static_cast<float>(value))
                   : static_cast<std::uint32_t>(value);
      }
    }
    const Registers da(Pack(form.a, form.a_number, a));
    const Registers db(Pack(form.b, form.b_number, b));
    const Registers dc(c_registers);
    const Registers dd(std::vector<std::uint32_t>(4 * 32, 0));
    LaunchMatrixForm(form.form, da.get(), db.get(), dc.get(), dd.get());
    const std::vector<std::uint32_t> d = dd.Read();
    for (int lane = 0; lane < 32; ++lane) {
      for (int v = 0; v < form.c.Values(); ++v) {
        const int index = form.c.Index(lane, v);
        const int row = index % form.m;
        const int column = index / form.m;
        int sum = c[static_cast<std::size_t>(index)];
        for (int k = 0; k < form.k; ++k) {
          sum += a[static_cast<std::size_t>(row + form.m * k)] *
                 b[static_cast<std::size_t>(column + 8 * k)];
        }
        const std::uint32_t bits = d[static_cast<std::size_t>(32 * v + lane)];
        const int got =
            floats ? static_cast<int>(std::bit_cast<float>(bits)) : static_cast<int>(bits);
        ASSERT_EQ(got, sum) << form.name << ", row " << row << ", column " << column;
      }
    }
  }
  ExpectNoReports();
}

TEST(MatrixFragments, LoadMatrixGivesEachLaneItsPair) {
  std::vector<std::uint16_t> rows(32 * 8);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::uint16_t>(i * 7 + 3);
  std::uint16_t* device = nullptr;
  cudaMalloc(reinterpret_cast<void**>(&device), rows.size() * 2);
  cudaMemcpy(device, rows.data(), rows.size() * 2, cudaMemcpyHostToDevice);
  for (const bool transposed : {false, true}) {
    const Registers out(std::vector<std::uint32_t>(4 * 32, 0));
    LaunchLoadMatrix(device, out.get(), transposed);
    const std::vector<std::uint32_t> registers = out.Read();
    for (std::size_t matrix = 0; matrix < 4; ++matrix) {
      for (std::size_t lane = 0; lane < 32; ++lane) {
        for (std::size_t i = 0; i < 2; ++i) {
          const std::size_t row = transposed ? lane % 4 * 2 + i : lane / 4;
          const std::size_t column = transposed ? lane / 4 : lane % 4 * 2 + i;
          const std::uint16_t got =
              static_cast<std::uint16_t>(registers[32 * matrix + lane] >> 16 * i);
          ASSERT_EQ(got, rows[(8 * matrix + row) * 8 + column])
              << "matrix " << matrix << ", lane " << lane;
        }
      }
    }
  }
  cudaFree(device);
  ExpectNoReports();
}

}  // namespace
}  // namespace paluku::selftest
