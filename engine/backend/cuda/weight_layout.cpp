#include "engine/backend/cuda/weight_layout.h"

#include <cmath>
#include <cstring>

#include "engine/base/check.h"
#include "engine/tensor/block_formats.h"
#include "engine/tensor/block_formats_iq.h"
#include "engine/tensor/half.h"

namespace paluku::cuda {
namespace {

constexpr std::int64_t kAlignment = 256;
constexpr std::int64_t Aligned(std::int64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

std::int64_t FloatBytes(WeightForm form) { return form == WeightForm::kF32 ? 4 : 2; }

// Bytes of the scales of a row of `groups` groups.
std::int64_t ScaleBytes(ScaleForm form, std::int64_t groups) {
  switch (form) {
    case ScaleForm::kHalf:
      return 2 * groups;
    case ScaleForm::kHalfMin:
      return 4 * groups;
    case ScaleForm::kFloat:
      return 8 * groups;
    case ScaleForm::kFloatMin:
      return 16 * groups;
    case ScaleForm::kPacked:
    case ScaleForm::kSub16:
      break;
  }
  return 16 * (groups / kGroupsOfSuper);
}

struct SoftHalf {
  static float HalfToFloat(const void* at) {
    std::uint16_t half;
    std::memcpy(&half, at, 2);
    return paluku::HalfToFloat(half);
  }
};

// One row being written: planes at the row's start.
struct RowTarget {
  WeightForm form;
  ScaleForm scale_form;
  int zero;
  std::byte* low;
  std::byte* high;
  std::byte* scales;
  std::byte* supers;
};

// Packs the 32 codes of group `g` into the planes.
void PackGroup(const RowTarget& to, const std::int8_t* codes, std::int64_t g) {
  auto* low = reinterpret_cast<std::uint8_t*>(to.low) + g * LowBytes(to.form);
  auto* high = reinterpret_cast<std::uint8_t*>(to.high) + g * HighBytes(to.form);
  if (to.form == WeightForm::kBits8) {
    std::memcpy(low, codes, 16);
    std::memcpy(high, codes + 16, 16);
    return;
  }
  std::uint8_t q[kGroup];
  for (int j = 0; j < kGroup; ++j) q[j] = static_cast<std::uint8_t>(codes[j] + to.zero);
  for (int j = 0; j < 16; ++j) low[j] = static_cast<std::uint8_t>((q[j] & 15) | q[j + 16] << 4);
  std::memset(high, 0, static_cast<std::size_t>(HighBytes(to.form)));
  for (int j = 0; j < kGroup; ++j) {
    const int word = j / 4, byte = j % 4, extra = q[j] >> 4;
    if (to.form == WeightForm::kBits5) high[byte] |= static_cast<std::uint8_t>(extra << word);
    if (to.form == WeightForm::kBits6) {
      high[word / 4 * 4 + byte] |= static_cast<std::uint8_t>(extra << (2 * (word % 4)));
    }
  }
}

// Scales as whole multiples of one number per super-block. `d` is that number.
void PackFactors(float d, const float* scales, int group, std::int64_t super, const RowTarget& to) {
  for (int half = 0; half < 16; ++half) {
    const float scale = scales[half * 16 / group];
    const float factor = d != 0 && std::isfinite(d) ? std::round(scale / d) : 0.0f;
    const auto byte = static_cast<std::int8_t>(factor);
    std::memcpy(to.scales + 16 * super + half, &byte, 1);
  }
  std::memcpy(to.supers + 4 * super, &d, 4);
}

// Where the binary16 super-scale of a block lies.
template <class Block>
constexpr std::int64_t SuperScaleAt() {
  return static_cast<std::int64_t>(offsetof(Block, d));
}

template <class Format>
void PackFloats(const float* scales, const float* minima, std::int64_t first, const RowTarget& to) {
  for (int half = 0; half < Format::kElements / 16; ++half) {
    const int g = half * 16 / Format::kGroup;
    if (to.scale_form == ScaleForm::kFloat) {
      std::memcpy(to.scales + 4 * (first + half), &scales[g], 4);
    } else {
      const float both[2] = {scales[g], minima[g]};
      std::memcpy(to.scales + 8 * (first + half), both, 8);
    }
  }
}

template <class Format>
void RepackRow(const std::byte* from, std::int64_t columns, const RowTarget& to) {
  using Block = typename Format::Block;
  constexpr int kGroups = Format::kElements / kGroup;
  for (std::int64_t b = 0; b < columns / Format::kElements; ++b) {
    const std::byte* block = from + b * static_cast<std::int64_t>(sizeof(Block));
    std::int8_t codes[Format::kElements];
    float scales[Format::kElements / Format::kGroup];
    float minima[Format::kElements / Format::kGroup] = {};
    Format::Codes(block, codes);
    Format::template Scales<SoftHalf>(block, scales, minima);
    for (int g = 0; g < kGroups; ++g) PackGroup(to, codes + kGroup * g, b * kGroups + g);
    switch (to.scale_form) {
      case ScaleForm::kHalf:  // the first two bytes of all blocks that have it
        std::memcpy(to.scales + 2 * b, block, 2);
        break;
      case ScaleForm::kHalfMin: {
        const std::uint16_t halves[2] = {FloatToHalf(scales[0]), FloatToHalf(minima[0])};
        std::memcpy(to.scales + 4 * b, halves, 4);
        break;
      }
      case ScaleForm::kPacked:
        std::memcpy(to.scales + 16 * b, block, 16);
        break;
      case ScaleForm::kSub16:
        if constexpr (Format::kElements == 256 && requires(Block x) { x.d; }) {
          PackFactors(SoftHalf::HalfToFloat(block + SuperScaleAt<Block>()), scales, Format::kGroup,
                      b, to);
        }
        break;
      case ScaleForm::kFloat:
      case ScaleForm::kFloatMin:
        PackFloats<Format>(scales, minima, b * (Format::kElements / 16), to);
        break;
    }
  }
}

// How a file type is repacked.
struct TypeForm {
  DType dtype;
  WeightForm form;
  ScaleForm scale_form;
  int zero;
  void (*repack_row)(const std::byte* from, std::int64_t columns, const RowTarget& to);
};

constexpr TypeForm kTypes[] = {
    {DType::kF32, WeightForm::kF32, ScaleForm::kHalf, 0, nullptr},
    {DType::kF16, WeightForm::kF16, ScaleForm::kHalf, 0, nullptr},
    {DType::kBF16, WeightForm::kBF16, ScaleForm::kHalf, 0, nullptr},
    // As small as in the file.
    {DType::kQ4_0, WeightForm::kBits4, ScaleForm::kHalf, 8, RepackRow<FormatQ4_0>},
    {DType::kQ4_1, WeightForm::kBits4, ScaleForm::kHalfMin, 0, RepackRow<FormatQ4_1>},
    {DType::kQ5_0, WeightForm::kBits5, ScaleForm::kHalf, 16, RepackRow<FormatQ5_0>},
    {DType::kQ5_1, WeightForm::kBits5, ScaleForm::kHalfMin, 0, RepackRow<FormatQ5_1>},
    {DType::kQ8_0, WeightForm::kBits8, ScaleForm::kHalf, 0, RepackRow<FormatQ8_0>},
    {DType::kQ4_K, WeightForm::kBits4, ScaleForm::kPacked, 0, RepackRow<FormatQ4_K>},
    {DType::kQ5_K, WeightForm::kBits5, ScaleForm::kPacked, 0, RepackRow<FormatQ5_K>},
    {DType::kQ6_K, WeightForm::kBits6, ScaleForm::kSub16, 32, RepackRow<FormatQ6_K>},
    // Larger than in the file: 4.7 bits a value for 3.4, 8.5 for 4.5, and so on.
    {DType::kQ3_K, WeightForm::kBits4, ScaleForm::kSub16, 4, RepackRow<FormatQ3_K>},
    {DType::kQ2_K, WeightForm::kBits4, ScaleForm::kFloatMin, 0, RepackRow<FormatQ2_K>},
    {DType::kIQ4_NL, WeightForm::kBits8, ScaleForm::kHalf, 0, RepackRow<FormatIQ4_NL>},
    {DType::kIQ4_XS, WeightForm::kBits8, ScaleForm::kSub16, 0, RepackRow<FormatIQ4_XS>},
    {DType::kMXFP4, WeightForm::kBits5, ScaleForm::kFloat, 16, RepackRow<FormatMXFP4>},
    {DType::kNVFP4, WeightForm::kBits5, ScaleForm::kFloat, 16, RepackRow<FormatNVFP4>},
    {DType::kIQ1_S, WeightForm::kBits5, ScaleForm::kFloat, 16, RepackRow<FormatIQ1_S>},
    {DType::kIQ1_M, WeightForm::kBits5, ScaleForm::kFloat, 16, RepackRow<FormatIQ1_M>},
    {DType::kIQ3_S, WeightForm::kBits5, ScaleForm::kFloat, 16, RepackRow<FormatIQ3_S>},
    {DType::kIQ3_XXS, WeightForm::kBits8, ScaleForm::kFloat, 0, RepackRow<FormatIQ3_XXS>},
    {DType::kIQ2_XXS, WeightForm::kBits8, ScaleForm::kFloat, 0, RepackRow<FormatIQ2_XXS>},
    {DType::kIQ2_XS, WeightForm::kBits8, ScaleForm::kFloat, 0, RepackRow<FormatIQ2_XS>},
    {DType::kIQ2_S, WeightForm::kBits8, ScaleForm::kFloat, 0, RepackRow<FormatIQ2_S>},
};

const TypeForm* FormOf(DType dtype) {
  for (const TypeForm& type : kTypes) {
    if (type.dtype == dtype) return &type;
  }
  return nullptr;
}

// Row `index` of all slabs; there may be gaps between them.
const std::byte* RowOf(const Tensor& tensor, std::int64_t index) {
  if (tensor.slab_stride == 0) return tensor.data + index * tensor.row_bytes();
  const std::int64_t slab_rows = tensor.rows() / tensor.dim(0);
  return tensor.data + index / slab_rows * tensor.slab_stride +
         index % slab_rows * tensor.row_bytes();
}

}  // namespace

std::optional<WeightLayout> LayoutOf(DType dtype, std::int64_t rows, std::int64_t columns) {
  const TypeForm* type = FormOf(dtype);
  if (type == nullptr) return std::nullopt;
  WeightLayout layout;
  layout.form = type->form;
  layout.scale_form = type->scale_form;
  layout.zero = type->zero;
  layout.rows = rows;
  layout.columns = columns;
  if (IsFloat(type->form)) {
    layout.low_row = columns * FloatBytes(type->form);
    layout.bytes = rows * layout.low_row;
    return layout;
  }
  const std::int64_t groups = columns / kGroup;
  layout.low_row = groups * LowBytes(type->form);
  layout.high_row = groups * HighBytes(type->form);
  layout.scale_row = ScaleBytes(type->scale_form, groups);
  layout.super_row = type->scale_form == ScaleForm::kSub16 ? 4 * (groups / kGroupsOfSuper) : 0;
  layout.high_at = Aligned(rows * layout.low_row);
  layout.scale_at = layout.high_at + Aligned(rows * layout.high_row);
  layout.super_at = layout.scale_at + Aligned(rows * layout.scale_row);
  layout.bytes = layout.super_at + Aligned(rows * layout.super_row);
  return layout;
}

WeightView WeightLayout::At(const std::byte* base) const {
  const auto* start = reinterpret_cast<const unsigned char*>(base);
  return {.form = form,
          .scale_form = scale_form,
          .zero = zero,
          .columns = static_cast<int>(columns),
          .rows = rows,
          .low = start,
          .high = start + high_at,
          .scales = start + scale_at,
          .supers = start + super_at};
}

void RepackRows(const Tensor& host, const WeightLayout& layout, std::int64_t first,
                std::int64_t count, const PlanePointers& to) {
  const TypeForm* type = FormOf(host.dtype);
  PALUKU_CHECK(type != nullptr);
  for (std::int64_t r = 0; r < count; ++r) {
    const std::byte* from = RowOf(host, first + r);
    if (type->repack_row == nullptr) {
      std::memcpy(to.low + r * layout.low_row, from, static_cast<std::size_t>(layout.low_row));
      continue;
    }
    type->repack_row(from, layout.columns,
                     {.form = layout.form,
                      .scale_form = layout.scale_form,
                      .zero = layout.zero,
                      .low = to.low + r * layout.low_row,
                      .high = to.high + r * layout.high_row,
                      .scales = to.scales + r * layout.scale_row,
                      .supers = to.supers + r * layout.super_row});
  }
}

}  // namespace paluku::cuda
