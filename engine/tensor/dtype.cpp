#include "engine/tensor/dtype.h"

#include <array>
#include <cstring>

#include "engine/base/check.h"
#include "engine/tensor/blocks.h"
#include "engine/tensor/half.h"

namespace paluku {
namespace {

// Element number `index` of type T at `from`, whatever the alignment.
template <class T>
T Load(const std::byte* from, std::int64_t index = 0) {
  T value;
  std::memcpy(&value, from + index * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
  return value;
}

void DequantiseF32(const std::byte* blocks, float* out, std::int64_t count) {
  std::memcpy(out, blocks, static_cast<std::size_t>(count) * sizeof(float));
}

void DequantiseF16(const std::byte* blocks, float* out, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = HalfToFloat(Load<std::uint16_t>(blocks, i));
}

void DequantiseBF16(const std::byte* blocks, float* out, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = BFloatToFloat(Load<std::uint16_t>(blocks, i));
}

void DequantiseI32(const std::byte* blocks, float* out, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = static_cast<float>(Load<std::int32_t>(blocks, i));
  }
}

void DequantiseBlock(const BlockQ4_0& block, float* out) {
  const float d = HalfToFloat(block.d);
  for (int j = 0; j < 16; ++j) {
    out[j] = d * static_cast<float>((block.nibbles[j] & 15) - 8);
    out[j + 16] = d * static_cast<float>((block.nibbles[j] >> 4) - 8);
  }
}

void DequantiseBlock(const BlockQ5_0& block, float* out) {
  const float d = HalfToFloat(block.d);
  for (int j = 0; j < 32; ++j) {
    const int nibble = j < 16 ? block.nibbles[j] & 15 : block.nibbles[j - 16] >> 4;
    const int high = block.high_bits[j / 8] >> (j % 8) & 1;
    out[j] = d * static_cast<float>((nibble | high << 4) - 16);
  }
}

void DequantiseBlock(const BlockQ8_0& block, float* out) {
  const float d = HalfToFloat(block.d);
  for (int j = 0; j < 32; ++j) out[j] = d * static_cast<float>(block.q[j]);
}

// Q4_K and Q5_K differ by the fifth bit.
template <class Block, class HighBit>
void DequantiseScaleMin(const Block& block, float* out, HighBit high_bit) {
  const float d = HalfToFloat(block.d);
  const float dmin = HalfToFloat(block.dmin);
  for (int g = 0; g < 8; ++g) {
    const ScaleMin packed = UnpackScaleMin(block.scales, g);
    const float scale = d * static_cast<float>(packed.scale);
    const float minimum = dmin * static_cast<float>(packed.minimum);
    for (int j = 0; j < 32; ++j) {
      const int nibble = block.nibbles[g / 2 * 32 + j] >> (g % 2 * 4) & 15;
      out[g * 32 + j] = scale * static_cast<float>(nibble | high_bit(g, j) << 4) - minimum;
    }
  }
}

void DequantiseBlock(const BlockQ4_K& block, float* out) {
  DequantiseScaleMin(block, out, [](int, int) { return 0; });
}

void DequantiseBlock(const BlockQ5_K& block, float* out) {
  DequantiseScaleMin(block, out, [&](int g, int j) { return block.high_bits[j] >> g & 1; });
}

void DequantiseBlock(const BlockQ6_K& block, float* out) {
  const float d = HalfToFloat(block.d);
  for (int i = 0; i < kSuperBlock; ++i) {
    const int half = i / 128, run = i % 128 / 32, l = i % 32;
    const int byte = block.nibbles[half * 64 + run % 2 * 32 + l];
    const int nibble = run < 2 ? byte & 15 : byte >> 4;
    const int high = block.high_bits[half * 32 + l] >> (2 * run) & 3;
    const float scale = d * static_cast<float>(block.scales[i / 16]);
    out[i] = scale * static_cast<float>((nibble | high << 4) - 32);
  }
}

template <class Block, int kElements>
void Dequantise(const std::byte* blocks, float* out, std::int64_t count) {
  for (std::int64_t b = 0; b < count / kElements; ++b) {
    DequantiseBlock(Load<Block>(blocks, b), out + b * kElements);
  }
}

template <class Block, int kElements>
constexpr DTypeInfo QuantisedRow(DType dtype, std::string_view name, std::uint32_t gguf_id) {
  return {dtype, name, gguf_id, kElements, sizeof(Block), Dequantise<Block, kElements>};
}

// In the order of DType.
constexpr std::array<DTypeInfo, kDTypeCount> kTable = {{
    {DType::kF32, "F32", 0, 1, 4, DequantiseF32},
    {DType::kF16, "F16", 1, 1, 2, DequantiseF16},
    {DType::kBF16, "BF16", 30, 1, 2, DequantiseBF16},
    {DType::kI32, "I32", 26, 1, 4, DequantiseI32},
    QuantisedRow<BlockQ4_0, kSmallBlock>(DType::kQ4_0, "Q4_0", 2),
    QuantisedRow<BlockQ5_0, kSmallBlock>(DType::kQ5_0, "Q5_0", 6),
    QuantisedRow<BlockQ8_0, kSmallBlock>(DType::kQ8_0, "Q8_0", 8),
    QuantisedRow<BlockQ4_K, kSuperBlock>(DType::kQ4_K, "Q4_K", 12),
    QuantisedRow<BlockQ5_K, kSuperBlock>(DType::kQ5_K, "Q5_K", 13),
    QuantisedRow<BlockQ6_K, kSuperBlock>(DType::kQ6_K, "Q6_K", 14),
}};

constexpr bool TableIsInOrder() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].dtype) != i) return false;
  }
  return true;
}
static_assert(TableIsInOrder());

// Names of GGUF's type numbers; empty where the format defines none.
constexpr std::array<std::string_view, 42> kGgufNames = {
    "F32",     "F16",   "Q4_0",   "Q4_1",  "",      "",       "Q5_0", "Q5_1",    "Q8_0",
    "Q8_1",    "Q2_K",  "Q3_K",   "Q4_K",  "Q5_K",  "Q6_K",   "Q8_K", "IQ2_XXS", "IQ2_XS",
    "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8",   "I16",     "I32",
    "I64",     "F64",   "IQ1_M",  "BF16",  "",      "",       "",     "TQ1_0",   "TQ2_0",
    "",        "",      "",       "MXFP4", "NVFP4", "Q1_0"};

// "type 0" .. "type 255" and "type >255", so that every answer is a view of static memory.
std::string_view UnknownTypeName(std::uint32_t gguf_id) {
  static const auto names = [] {
    std::array<std::array<char, 12>, 257> table{};
    for (unsigned i = 0; i < 256; ++i) {
      char* out = table[i].data();
      std::memcpy(out, "type ", 5);
      int at = 5;
      if (i >= 100) out[at++] = static_cast<char>('0' + i / 100);
      if (i >= 10) out[at++] = static_cast<char>('0' + i / 10 % 10);
      out[at] = static_cast<char>('0' + i % 10);
    }
    std::memcpy(table[256].data(), "type >255", 9);
    return table;
  }();
  return names[gguf_id < 256 ? gguf_id : 256].data();
}

}  // namespace

const DTypeInfo& Info(DType dtype) {
  const auto index = static_cast<std::size_t>(dtype);
  PALUKU_CHECK(index < kTable.size());
  return kTable[index];
}

std::optional<DType> DTypeFromGguf(std::uint32_t gguf_id) {
  for (const DTypeInfo& info : kTable) {
    if (info.gguf_id == gguf_id) return info.dtype;
  }
  return std::nullopt;
}

std::string_view GgufTypeName(std::uint32_t gguf_id) {
  if (gguf_id < kGgufNames.size() && !kGgufNames[gguf_id].empty()) return kGgufNames[gguf_id];
  return UnknownTypeName(gguf_id);
}

}  // namespace paluku
