// WeightView: a weight matrix as the kernels see it, repacked at load (../weight_layout.h).
//
// Floats stay as they are. Everything else is integers in groups of 32 neighbouring values of a
// row, kept in planes, each [rows, groups, bytes of the plane], so that neighbouring lanes of a
// warp read neighbouring 16 bytes:
//   low   kBits4, 5, 6: 16 bytes, byte j holds the low four bits of values j and j + 16
//         kBits8: values 0..15
//   high  kBits5: 4 bytes, bit w of byte i is the fifth bit of value 4w + i
//         kBits6: 8 bytes, bits 2v and 2v + 1 of byte i of half h are those of value 4(4h + v) + i
//         kBits8: values 16..31
// value = scale * (q - zero) - minimum, where scale and minimum come from the ScaleForm. A file
// type is a pair of the two forms; kernels never see which.
#pragma once

#include <cstdint>

namespace paluku::cuda {

inline constexpr int kGroup = 32;         // values that share a scale, at most
inline constexpr int kGroupsOfSuper = 8;  // groups of a super-block

enum class WeightForm : std::uint8_t { kF32, kF16, kBF16, kBits4, kBits5, kBits6, kBits8 };

enum class ScaleForm : std::uint8_t {
  kHalf,     // scales: f16 scale per group
  kHalfMin,  // scales: f16 scale, f16 minimum per group
  kPacked,   // scales: per super-block 16 bytes: f16 d, f16 dmin, eight 6-bit scales and minima
  kSub16,    // scales: per super-block 16 int8 factors, one per 16 values; supers: f32 d
  kFloat,    // scales: f32 scale per 16 values
  kFloatMin  // scales: f32 scale, f32 minimum per 16 values
};

struct WeightView {
  WeightForm form = WeightForm::kF32;
  ScaleForm scale_form = ScaleForm::kHalf;
  int zero = 0;
  int columns = 0;
  std::int64_t rows = 0;
  const unsigned char* low = nullptr;  // of float forms: the values, row after row
  const unsigned char* high = nullptr;
  const unsigned char* scales = nullptr;
  const unsigned char* supers = nullptr;
};

// The two halves of a group have scales of their own.
constexpr bool HasHalves(ScaleForm form) { return form >= ScaleForm::kSub16; }

constexpr bool IsFloat(WeightForm form) {
  return form == WeightForm::kF32 || form == WeightForm::kF16 || form == WeightForm::kBF16;
}

// Bytes of a group in the two planes.
constexpr int LowBytes(WeightForm) { return 16; }
constexpr int HighBytes(WeightForm form) {
  return form == WeightForm::kBits5   ? 4
         : form == WeightForm::kBits6 ? 8
         : form == WeightForm::kBits8 ? 16
                                      : 0;
}

// Activations rounded to int8, one scale per group of 32.
struct QuantisedGroup {
  float scale;
  std::int16_t sums[2];  // of the rounded values 0..15 and 16..31
};
struct QuantisedRows {
  std::int8_t* values = nullptr;     // [rows, columns]
  QuantisedGroup* groups = nullptr;  // [rows, columns / 32]
};

}  // namespace paluku::cuda
