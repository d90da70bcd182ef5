// Writing of blocks: bit for bit what the gguf package writes where it writes the type, and never a
// larger error than plain rounding to nearest (computed by numpy, tests/data/dtype) where a search
// chooses the scales.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "engine/tensor/dtype.h"
#include "tests/engine/tensor/splitmix.h"

namespace paluku {
namespace {

#include "tests/data/dtype/golden.h"

// The same values as in make_golden.py.
std::vector<float> ValuesToWrite(bool heavy) {
  std::vector<float> values(65536);
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::int64_t sum = -(1 << 23);
    for (std::size_t j = 0; j < 4; ++j) sum += static_cast<int>(SplitMix64(99, 4 * i + j) >> 42);
    const float x = static_cast<float>(sum) * 0x1p-23f;
    values[i] = heavy ? x * x * x : x;
  }
  return values;
}

std::vector<std::byte> Write(const DTypeInfo& info, const std::vector<float>& values) {
  const auto count = static_cast<std::int64_t>(values.size());
  std::vector<std::byte> blocks(static_cast<std::size_t>(RowBytes(info.dtype, count)));
  info.quantise(values.data(), blocks.data(), count);
  return blocks;
}

std::vector<float> Read(const DTypeInfo& info, const std::vector<std::byte>& blocks) {
  std::vector<float> values(blocks.size() / static_cast<std::size_t>(info.block_bytes) *
                            static_cast<std::size_t>(info.block_elements));
  info.dequantise(blocks.data(), values.data(), static_cast<std::int64_t>(values.size()));
  return values;
}

double Nmse(const std::vector<float>& wanted, const std::vector<float>& got) {
  double error = 0, power = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const double w = wanted[i], e = w - static_cast<double>(got[i]);
    error += e * e;
    power += w * w;
  }
  return error / power;
}

std::vector<DTypeInfo> WritableTypes() {
  std::vector<DTypeInfo> types;
  for (int i = 0; i < kDTypeCount; ++i) {
    const DTypeInfo& info = Info(static_cast<DType>(i));
    if (info.quantise != nullptr) types.push_back(info);
  }
  return types;
}

const DTypeInfo& Named(std::string_view name) {
  for (int i = 0; i < kDTypeCount; ++i) {
    if (Info(static_cast<DType>(i)).name == name) return Info(static_cast<DType>(i));
  }
  ADD_FAILURE() << "no type named " << name;
  return Info(DType::kF32);
}

TEST(Quantise, WritesWhatTheGgufPackageWrites) {
  for (const GoldenWritten& golden : kGoldenWritten) {
    SCOPED_TRACE(golden.type);
    std::uint64_t hash = 0xCBF29CE484222325ull;
    for (const std::byte byte : Write(Named(golden.type), ValuesToWrite(golden.heavy))) {
      hash = (hash ^ static_cast<std::uint64_t>(byte)) * 0x100000001B3ull;
    }
    EXPECT_EQ(hash, golden.hash);
  }
}

TEST(Quantise, SearchesAreNeverWorseThanPlainRounding) {
  for (const PlainError& plain : kPlainErrors) {
    const DTypeInfo& info = Named(plain.type);
    const std::vector<float> values = ValuesToWrite(plain.heavy);
    const double nmse = Nmse(values, Read(info, Write(info, values)));
    RecordProperty(std::string(plain.type) + (plain.heavy ? "_heavy" : "_normal"),
                   std::to_string(nmse / plain.nmse));
    EXPECT_LT(nmse, plain.nmse) << plain.type << (plain.heavy ? ", heavy tails" : ", normal");
  }
}

TEST(Quantise, EveryTypeThatConvertOffersCanBeWritten) {
  for (const char* name : {"F32", "F16", "BF16", "Q8_0", "Q4_0", "Q5_0", "Q4_1", "Q5_1", "Q4_K",
                           "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS"}) {
    EXPECT_NE(Named(name).quantise, nullptr) << name;
  }
}

// What was read from blocks goes back into blocks nearly without loss.
TEST(Quantise, ValuesOfTheTypeItselfSurvive) {
  for (const DTypeInfo& info : WritableTypes()) {
    const std::vector<float> values = Read(info, Write(info, ValuesToWrite(false)));
    EXPECT_LT(Nmse(values, Read(info, Write(info, values))), 5e-5) << info.name;
  }
}

// Rows may be cut between blocks and given to different threads.
TEST(Quantise, BlocksDependOnTheirOwnValuesAlone) {
  const std::vector<float> values = ValuesToWrite(true);
  for (const DTypeInfo& info : WritableTypes()) {
    const std::vector<std::byte> whole = Write(info, values);
    std::vector<std::byte> pieces(whole.size());
    const std::int64_t step = 256 * 7;
    for (std::int64_t first = 0; first < 65536; first += step) {
      info.quantise(values.data() + first, pieces.data() + RowBytes(info.dtype, first),
                    std::min<std::int64_t>(step, 65536 - first));
    }
    EXPECT_EQ(whole, pieces) << info.name;
  }
}

TEST(Quantise, ZerosStayZeroAndOneLargeValueIsKept) {
  std::vector<float> values(512, 0.0f);
  for (const DTypeInfo& info : WritableTypes()) {
    for (const float v : Read(info, Write(info, values))) EXPECT_EQ(v, 0.0f) << info.name;
  }
  values[300] = -1000;
  for (const DTypeInfo& info : WritableTypes()) {
    const std::vector<float> read = Read(info, Write(info, values));
    EXPECT_NEAR(read[300], -1000, 9) << info.name;
    EXPECT_EQ(read[0], 0.0f) << info.name;
  }
}

TEST(Quantise, TinyAndHugeValuesStayFinite) {
  for (const float size : {1e-44f, 1e-20f, 1e20f, 3e38f}) {
    std::vector<float> values = ValuesToWrite(false);
    for (float& v : values) v *= size;
    for (const DTypeInfo& info : WritableTypes()) {
      if (info.dtype == DType::kF16) continue;  // has an infinity of its own
      const std::vector<float> read = Read(info, Write(info, values));
      EXPECT_TRUE(std::all_of(read.begin(), read.end(), [](float v) { return std::isfinite(v); }))
          << info.name << " at " << size;
    }
  }
}

TEST(Quantise, ValuesThatAreNotFiniteSpoilTheirOwnBlockOnly) {
  const std::vector<float> values = ValuesToWrite(false);
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> spoilt = values;
    spoilt[1000] = bad;
    for (const DTypeInfo& info : WritableTypes()) {
      const std::vector<std::byte> good = Write(info, values), got = Write(info, spoilt);
      const std::int64_t block = 1000 / info.block_elements;
      const auto from = static_cast<std::size_t>(block * info.block_bytes);
      const auto to = from + static_cast<std::size_t>(info.block_bytes);
      EXPECT_TRUE(
          std::equal(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(from), got.begin()) &&
          std::equal(good.begin() + static_cast<std::ptrdiff_t>(to), good.end(),
                     got.begin() + static_cast<std::ptrdiff_t>(to)))
          << info.name;
    }
  }
}

}  // namespace
}  // namespace paluku
