// Decoding of every block format, bit for bit against the gguf package (tests/data/dtype), and the
// conversions of 16-bit floats against properties that define them.
#include "engine/tensor/dtype.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "engine/tensor/half.h"
#include "engine/tensor/tensor.h"
#include "tests/engine/tensor/splitmix.h"

namespace paluku {
namespace {

#include "tests/data/dtype/golden.h"

std::uint64_t Hash(const std::vector<float>& values) {
  std::uint64_t h = 0xCBF29CE484222325ull;
  for (const float value : values) {
    const std::uint32_t bits =
        std::isnan(value) ? 0x7FC00000u : std::bit_cast<std::uint32_t>(value);
    h = (h ^ bits) * 0x100000001B3ull;
  }
  return h;
}

const DTypeInfo& InfoOf(std::string_view name) {
  for (int i = 0; i < kDTypeCount; ++i) {
    if (Info(static_cast<DType>(i)).name == name) return Info(static_cast<DType>(i));
  }
  ADD_FAILURE() << "no type named " << name;
  return Info(DType::kF32);
}

std::vector<std::byte> GoldenBytes(const DTypeInfo& info, const Golden& golden) {
  if (info.block_elements == 1) {
    std::vector<std::byte> bytes(65536 * 2);
    for (std::size_t i = 0; i < 65536; ++i) {
      bytes[2 * i] = static_cast<std::byte>(i & 255);
      bytes[2 * i + 1] = static_cast<std::byte>(i >> 8);
    }
    return bytes;
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(kGoldenBlocks * info.block_bytes));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::byte>(SplitMix64(info.gguf_id, i) >> 56);
  }
  for (std::int64_t block = 0; block < kGoldenBlocks; ++block) {
    for (const int at : golden.scale_bytes) {
      if (at < 0) continue;
      bytes[static_cast<std::size_t>(block * info.block_bytes + at)] &= std::byte{0xBF};
    }
  }
  return bytes;
}

TEST(DType, DecodesWhatTheGgufPackageDecodes) {
  for (const Golden& golden : kGolden) {
    SCOPED_TRACE(golden.type);
    const DTypeInfo& info = InfoOf(golden.type);
    const std::vector<std::byte> bytes = GoldenBytes(info, golden);
    const std::int64_t count =
        static_cast<std::int64_t>(bytes.size()) / info.block_bytes * info.block_elements;
    std::vector<float> values(static_cast<std::size_t>(count));
    info.dequantise(bytes.data(), values.data(), count);
    const std::size_t first = info.block_elements == 1 ? 0x3C00 : 0;
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(values[first + i], golden.sample[i]);
    EXPECT_EQ(Hash(values), golden.hash);
  }
}

TEST(DType, GoldenCoversEveryQuantisedType) {
  for (int i = 0; i < kDTypeCount; ++i) {
    const DTypeInfo& info = Info(static_cast<DType>(i));
    if (info.dtype == DType::kF32 || info.dtype == DType::kI32) continue;
    bool found = false;
    for (const Golden& golden : kGolden) found = found || info.name == golden.type;
    EXPECT_TRUE(found) << info.name;
  }
}

TEST(DType, CopiesF32AndConvertsI32) {
  const float floats[2] = {1.5f, -0.0f};
  const std::int32_t integers[2] = {7, -3};
  float out[2];
  Info(DType::kF32).dequantise(reinterpret_cast<const std::byte*>(floats), out, 2);
  EXPECT_EQ(out[0], 1.5f);
  EXPECT_TRUE(std::signbit(out[1]));
  Info(DType::kI32).dequantise(reinterpret_cast<const std::byte*>(integers), out, 2);
  EXPECT_EQ(out[0], 7.0f);
  EXPECT_EQ(out[1], -3.0f);
}

TEST(DType, EveryNumberFindsItsType) {
  for (int i = 0; i < kDTypeCount; ++i) {
    const DTypeInfo& info = Info(static_cast<DType>(i));
    EXPECT_EQ(DTypeFromGguf(info.gguf_id), info.dtype);
  }
  EXPECT_EQ(DTypeFromGguf(34), std::nullopt);
}

TEST(Half, EveryPatternSurvivesTheRoundTrip) {
  for (unsigned i = 0; i < 65536; ++i) {
    const auto half = static_cast<std::uint16_t>(i);
    const float value = HalfToFloat(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(HalfToFloat(FloatToHalf(value))));
    } else {
      ASSERT_EQ(FloatToHalf(value), half);
    }
    const float wide = BFloatToFloat(half);
    if (!std::isnan(wide)) {
      ASSERT_EQ(FloatToBFloat(wide), half);
    }
  }
}

TEST(Half, RoundsToNearestWithTiesToEven) {
  for (unsigned i = 0; i < 0x7bff; ++i) {  // every positive finite half and its upper neighbour
    const auto low = static_cast<std::uint16_t>(i);
    const auto high = static_cast<std::uint16_t>(i + 1);
    const float middle = (HalfToFloat(low) + HalfToFloat(high)) / 2;  // exact in f32
    const std::uint16_t even = (low & 1) == 0 ? low : high;
    ASSERT_EQ(FloatToHalf(middle), even);
    ASSERT_EQ(FloatToHalf(std::nextafter(middle, 0.0f)), low);
    ASSERT_EQ(FloatToHalf(std::nextafter(middle, 1e9f)), high);
    ASSERT_EQ(FloatToHalf(-middle), even | 0x8000);
  }
  EXPECT_EQ(FloatToHalf(65519.99f), 0x7bff);
  EXPECT_EQ(FloatToHalf(65520.0f), 0x7c00);
  EXPECT_EQ(FloatToHalf(1e30f), 0x7c00);
  EXPECT_EQ(FloatToBFloat(1.00390625f), 0x3f80);  // half way, down to even
  EXPECT_EQ(FloatToBFloat(1.01171875f), 0x3f82);  // half way, up to even
  EXPECT_TRUE(std::isnan(BFloatToFloat(FloatToBFloat(std::bit_cast<float>(0x7f800001u)))));
}

TEST(Tensor, SlabsAndRowsStepByWholeBlocks) {
  std::vector<std::byte> bytes(3 * 4 * 144);
  const Tensor tensor{.dtype = DType::kQ4_K, .rank = 3, .shape = {3, 4, 256}, .data = bytes.data()};
  EXPECT_EQ(tensor.bytes(), 3 * 4 * 144);
  EXPECT_EQ(tensor.rows(), 12);
  EXPECT_EQ(tensor.row_bytes(), 144);
  const Tensor slab = tensor.Slab(2);
  EXPECT_EQ(slab.rank, 2);
  EXPECT_EQ(slab.dim(0), 4);
  EXPECT_EQ(slab.data, bytes.data() + 2 * 4 * 144);
  const Tensor rows = slab.Rows(1, 2);
  EXPECT_EQ(rows.dim(0), 2);
  EXPECT_EQ(rows.data, slab.data + 144);
}

}  // namespace
}  // namespace paluku
