#include "engine/tensor/dtype.h"

#include <array>
#include <cstring>

#include "engine/base/check.h"
#include "engine/tensor/block_formats.h"
#include "engine/tensor/block_formats_iq.h"
#include "engine/tensor/half.h"
#include "engine/tensor/quantise.h"

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

// binary16 in plain integer arithmetic, the same on every machine.
struct SoftHalf {
  static float HalfToFloat(const void* p) {
    std::uint16_t half;
    std::memcpy(&half, p, 2);
    return paluku::HalfToFloat(half);
  }
};

template <class Format>
void Dequantise(const std::byte* blocks, float* out, std::int64_t count) {
  constexpr int kGroups = Format::kElements / Format::kGroup;
  std::int8_t codes[Format::kElements];
  float scales[kGroups], minima[kGroups] = {};
  for (std::int64_t first = 0; first < count; first += Format::kElements) {
    Format::Codes(blocks, codes);
    Format::template Scales<SoftHalf>(blocks, scales, minima);
    for (int i = 0; i < Format::kElements; ++i) {
      const float value = scales[i / Format::kGroup] * static_cast<float>(codes[i]);
      out[first + i] = Format::kHasMinima ? value - minima[i / Format::kGroup] : value;
    }
    blocks += sizeof(typename Format::Block);
  }
}

using Quantise = void (*)(const float* values, std::byte* blocks, std::int64_t count);

template <class Format>
constexpr DTypeInfo QuantisedRow(DType dtype, std::string_view name, std::uint32_t gguf_id,
                                 Quantise quantise = nullptr) {
  return {.dtype = dtype,
          .name = name,
          .gguf_id = gguf_id,
          .block_elements = Format::kElements,
          .block_bytes = sizeof(typename Format::Block),
          .dequantise = Dequantise<Format>,
          .quantise = quantise};
}

// In the order of DType.
constexpr std::array<DTypeInfo, kDTypeCount> kTable = {{
    {DType::kF32, "F32", 0, 1, 4, DequantiseF32, QuantiseF32},
    {DType::kF16, "F16", 1, 1, 2, DequantiseF16, QuantiseF16},
    {DType::kBF16, "BF16", 30, 1, 2, DequantiseBF16, QuantiseBF16},
    {DType::kI32, "I32", 26, 1, 4, DequantiseI32},
    QuantisedRow<FormatQ4_0>(DType::kQ4_0, "Q4_0", 2, QuantiseQ4_0),
    QuantisedRow<FormatQ5_0>(DType::kQ5_0, "Q5_0", 6, QuantiseQ5_0),
    QuantisedRow<FormatQ8_0>(DType::kQ8_0, "Q8_0", 8, QuantiseQ8_0),
    QuantisedRow<FormatQ4_K>(DType::kQ4_K, "Q4_K", 12, QuantiseQ4_K),
    QuantisedRow<FormatQ5_K>(DType::kQ5_K, "Q5_K", 13, QuantiseQ5_K),
    QuantisedRow<FormatQ6_K>(DType::kQ6_K, "Q6_K", 14, QuantiseQ6_K),
    QuantisedRow<FormatQ4_1>(DType::kQ4_1, "Q4_1", 3, QuantiseQ4_1),
    QuantisedRow<FormatQ5_1>(DType::kQ5_1, "Q5_1", 7, QuantiseQ5_1),
    QuantisedRow<FormatQ2_K>(DType::kQ2_K, "Q2_K", 10),
    QuantisedRow<FormatQ3_K>(DType::kQ3_K, "Q3_K", 11),
    QuantisedRow<FormatIQ4_NL>(DType::kIQ4_NL, "IQ4_NL", 20, QuantiseIQ4_NL),
    QuantisedRow<FormatIQ4_XS>(DType::kIQ4_XS, "IQ4_XS", 23, QuantiseIQ4_XS),
    QuantisedRow<FormatIQ2_XXS>(DType::kIQ2_XXS, "IQ2_XXS", 16),
    QuantisedRow<FormatIQ2_XS>(DType::kIQ2_XS, "IQ2_XS", 17),
    QuantisedRow<FormatIQ2_S>(DType::kIQ2_S, "IQ2_S", 22),
    QuantisedRow<FormatIQ3_XXS>(DType::kIQ3_XXS, "IQ3_XXS", 18),
    QuantisedRow<FormatIQ3_S>(DType::kIQ3_S, "IQ3_S", 21),
    QuantisedRow<FormatIQ1_S>(DType::kIQ1_S, "IQ1_S", 19),
    QuantisedRow<FormatIQ1_M>(DType::kIQ1_M, "IQ1_M", 29),
    QuantisedRow<FormatMXFP4>(DType::kMXFP4, "MXFP4", 39),
    QuantisedRow<FormatNVFP4>(DType::kNVFP4, "NVFP4", 40),
}};

constexpr bool TableIsInOrder() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].dtype) != i) return false;
  }
  return true;
}
static_assert(TableIsInOrder());

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

}  // namespace paluku
