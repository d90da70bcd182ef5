#include "engine/backend/cuda/weight_layout.h"

#include <cmath>
#include <cstring>
#include <type_traits>

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

// The same byte eight times.
constexpr std::uint64_t EveryByte(int value) {
  return static_cast<std::uint64_t>(value) * 0x0101010101010101u;
}

// Eight bytes plus `zero`, each by itself: no carry leaves a byte.
std::uint64_t AddToBytes(std::uint64_t bytes, int zero) {
  return ((bytes & EveryByte(0x7f)) + EveryByte(zero)) ^ (bytes & EveryByte(0x80));
}

// The kBits bits above the low four of eight codes; those of the second word beside the first's.
template <int kBits>
std::uint32_t HighBitsOf(std::uint64_t q) {
  const std::uint64_t high = q >> 4 & EveryByte((1 << kBits) - 1);
  return static_cast<std::uint32_t>(high) | static_cast<std::uint32_t>(high >> 32) << kBits;
}

// Packs the 32 codes of group `g` into the planes, eight codes at a time: loading a model and
// bringing experts to a card wait for this.
void PackGroup(const RowTarget& to, const std::int8_t* codes, std::int64_t g) {
  auto* low = reinterpret_cast<std::uint8_t*>(to.low) + g * LowBytes(to.form);
  auto* high = reinterpret_cast<std::uint8_t*>(to.high) + g * HighBytes(to.form);
  if (to.form == WeightForm::kBits8) {
    std::memcpy(low, codes, 16);
    std::memcpy(high, codes + 16, 16);
    return;
  }
  std::uint64_t q[4];
  std::memcpy(q, codes, sizeof q);
  for (std::uint64_t& eight : q) eight = AddToBytes(eight, to.zero);
  std::uint64_t nibbles[2];
  for (int i = 0; i < 2; ++i) {
    nibbles[i] = (q[i] & EveryByte(15)) | (q[i + 2] & EveryByte(15)) << 4;
  }
  std::memcpy(low, nibbles, sizeof nibbles);
  if (to.form == WeightForm::kBits5) {
    const std::uint32_t bits = HighBitsOf<1>(q[0]) | HighBitsOf<1>(q[1]) << 2 |
                               HighBitsOf<1>(q[2]) << 4 | HighBitsOf<1>(q[3]) << 6;
    std::memcpy(high, &bits, sizeof bits);
  } else if (to.form == WeightForm::kBits6) {
    const std::uint32_t halves[2] = {HighBitsOf<2>(q[0]) | HighBitsOf<2>(q[1]) << 4,
                                     HighBitsOf<2>(q[2]) | HighBitsOf<2>(q[3]) << 4};
    std::memcpy(high, halves, sizeof halves);
  }
}

// The scales of a block as numbers.
template <class Format>
struct BlockScales {
  float scales[Format::kElements / Format::kGroup];
  float minima[Format::kElements / Format::kGroup] = {};

  explicit BlockScales(const std::byte* block) {
    Format::template Scales<SoftHalf>(block, scales, minima);
  }
};

// Scales as whole multiples of one number per super-block.
template <class Format>
void PackFactors(const std::byte* block, std::int64_t super, const RowTarget& to) {
  using Block = typename Format::Block;
  if constexpr (Format::kElements == 256 && requires(Block x) { x.d; }) {
    const float d = SoftHalf::HalfToFloat(block + offsetof(Block, d));
    std::memcpy(to.supers + 4 * super, &d, 4);
    if constexpr (std::is_same_v<Format, FormatQ6_K>) {  // which holds the multiples themselves
      std::memcpy(to.scales + 16 * super, As<Block>(block).scales, 16);
      return;
    }
    const BlockScales<Format> numbers(block);
    for (int half = 0; half < 16; ++half) {
      const float scale = numbers.scales[half * 16 / Format::kGroup];
      const float factor = d != 0 && std::isfinite(d) ? std::round(scale / d) : 0.0f;
      const auto byte = static_cast<std::int8_t>(factor);
      std::memcpy(to.scales + 16 * super + half, &byte, 1);
    }
  }
}

template <class Format>
void PackFloats(const std::byte* block, std::int64_t first, const RowTarget& to) {
  const BlockScales<Format> numbers(block);
  for (int half = 0; half < Format::kElements / 16; ++half) {
    const int g = half * 16 / Format::kGroup;
    if (to.scale_form == ScaleForm::kFloat) {
      std::memcpy(to.scales + 4 * (first + half), &numbers.scales[g], 4);
    } else {
      const float both[2] = {numbers.scales[g], numbers.minima[g]};
      std::memcpy(to.scales + 8 * (first + half), both, 8);
    }
  }
}

// Scales of block `b` of the row.
template <class Format>
void PackScales(const std::byte* block, std::int64_t b, const RowTarget& to) {
  switch (to.scale_form) {
    case ScaleForm::kHalf:  // the first two bytes of all blocks that have it
      std::memcpy(to.scales + 2 * b, block, 2);
      return;
    case ScaleForm::kHalfMin: {
      const BlockScales<Format> numbers(block);
      const std::uint16_t halves[2] = {FloatToHalf(numbers.scales[0]),
                                       FloatToHalf(numbers.minima[0])};
      std::memcpy(to.scales + 4 * b, halves, 4);
      return;
    }
    case ScaleForm::kPacked:
      std::memcpy(to.scales + 16 * b, block, 16);
      return;
    case ScaleForm::kSub16:
      return PackFactors<Format>(block, b, to);
    case ScaleForm::kFloat:
    case ScaleForm::kFloatMin:
      return PackFloats<Format>(block, b * (Format::kElements / 16), to);
  }
}

std::uint64_t EightBytes(const void* at) {
  std::uint64_t bytes;
  std::memcpy(&bytes, at, sizeof bytes);
  return bytes;
}

// Bit j of `bits` as bit 4 of byte j.
std::uint64_t SpreadToBit4(std::uint8_t bits) {
  const std::uint64_t own = EveryByte(bits) & 0x8040201008040201u;
  return (own + EveryByte(0x7f)) >> 3 & EveryByte(0x10);
}

// The codes of a block. Two types that experts often have take a way of eight codes at a time,
// since the compiler finds none for their fifth bits.
template <class Format>
void CodesOf(const std::byte* block, std::int8_t* codes) {
  if constexpr (std::is_same_v<Format, FormatQ5_0>) {
    const BlockQ5_0& b = As<BlockQ5_0>(block);
    for (int i = 0; i < 4; ++i) {
      const std::uint64_t nibbles = EightBytes(b.nibbles + 8 * (i % 2)) >> (i / 2 * 4);
      const std::uint64_t q = (nibbles & EveryByte(15)) | SpreadToBit4(b.high_bits[i]);
      const std::uint64_t centred = AddToBytes(q, 128 - 16) ^ EveryByte(128);
      std::memcpy(codes + 8 * i, &centred, sizeof centred);
    }
  } else if constexpr (std::is_same_v<Format, FormatQ5_K>) {
    const BlockQ5_K& b = As<BlockQ5_K>(block);
    for (int group = 0; group < 8; ++group) {
      for (int i = 0; i < 32; i += 8) {
        const std::uint64_t nibbles = EightBytes(b.nibbles + group / 2 * 32 + i) >> (group % 2 * 4);
        const std::uint64_t fifth = EightBytes(b.high_bits + i) >> group & EveryByte(1);
        const std::uint64_t q = (nibbles & EveryByte(15)) | fifth << 4;
        std::memcpy(codes + 32 * group + i, &q, sizeof q);
      }
    }
  } else {
    Format::Codes(block, codes);
  }
}

template <class Format>
void RepackRow(const std::byte* from, std::int64_t columns, const RowTarget& to) {
  constexpr int kGroups = Format::kElements / kGroup;
  for (std::int64_t b = 0; b < columns / Format::kElements; ++b) {
    const std::byte* block = from + b * static_cast<std::int64_t>(sizeof(typename Format::Block));
    std::int8_t codes[Format::kElements];
    CodesOf<Format>(block, codes);
    for (int g = 0; g < kGroups; ++g) PackGroup(to, codes + kGroup * g, b * kGroups + g);
    PackScales<Format>(block, b, to);
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
