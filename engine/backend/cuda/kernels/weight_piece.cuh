// Weights of any form as f32 numbers, eight neighbours of a row at a time: how W_UK and W_UV are
// read, which are applied to f32 activations.
#pragma once

#include "engine/backend/cuda/kernels/weight_group.cuh"

namespace paluku::cuda {

inline constexpr int kPiece = 8;  // values; the start of a piece is a multiple of it

template <WeightForm kForm>
struct FormTag {
  static constexpr WeightForm kValue = kForm;
};

// Calls `body` with the tag of `form`, so that loops inside it have no switch.
template <class Body>
__device__ __forceinline__ void WithForm(WeightForm form, const Body& body) {
  switch (form) {
    case WeightForm::kF32:
      return body(FormTag<WeightForm::kF32>{});
    case WeightForm::kF16:
      return body(FormTag<WeightForm::kF16>{});
    case WeightForm::kBF16:
      return body(FormTag<WeightForm::kBF16>{});
    case WeightForm::kBits4:
      return body(FormTag<WeightForm::kBits4>{});
    case WeightForm::kBits5:
      return body(FormTag<WeightForm::kBits5>{});
    case WeightForm::kBits6:
      return body(FormTag<WeightForm::kBits6>{});
    case WeightForm::kBits8:
      return body(FormTag<WeightForm::kBits8>{});
  }
}

// Floats; zeros behind the end of the row.
template <WeightForm kForm>
__device__ __forceinline__ void LoadFloats(const WeightView& w, std::int64_t row, int column,
                                           float (&values)[kPiece]) {
  const std::int64_t first = row * w.columns + column;
  if (w.columns % kPiece != 0) {
#pragma unroll
    for (int j = 0; j < kPiece; ++j) {
      values[j] = column + j < w.columns ? FloatWeight(w, first + j) : 0.0f;
    }
    return;
  }
  if constexpr (kForm == WeightForm::kF32) {
    const auto* from = reinterpret_cast<const float4*>(w.low + 4 * first);
    const float4 a = from[0], b = from[1];
    const float all[kPiece] = {a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w};
#pragma unroll
    for (int j = 0; j < kPiece; ++j) values[j] = all[j];
  } else {
    const uint4 packed = *reinterpret_cast<const uint4*>(w.low + 2 * first);
    const unsigned words[4] = {packed.x, packed.y, packed.z, packed.w};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if constexpr (kForm == WeightForm::kF16) {
        const float2 both = __half22float2(reinterpret_cast<const __half2&>(words[i]));
        values[2 * i] = both.x;
        values[2 * i + 1] = both.y;
      } else {  // bf16 is the upper half of an f32
        values[2 * i] = __uint_as_float(words[i] << 16);
        values[2 * i + 1] = __uint_as_float(words[i] & 0xffff0000u);
      }
    }
  }
}

// The integers of piece `piece` of group `group` (of all rows), four a word.
template <WeightForm kForm>
__device__ __forceinline__ uint2 LoadPieceIntegers(const WeightView& w, std::int64_t group,
                                                   int piece) {
  const bool upper = piece >= 2;  // the second 16 values of the group
  if constexpr (kForm == WeightForm::kBits8) {
    return *reinterpret_cast<const uint2*>((upper ? w.high : w.low) + 16 * group + piece % 2 * 8);
  }
  uint2 q = *reinterpret_cast<const uint2*>(w.low + 16 * group + piece % 2 * 8);
  const int shift = upper ? 4 : 0;
  q = {q.x >> shift & 0x0f0f0f0fu, q.y >> shift & 0x0f0f0f0fu};
  if constexpr (kForm == WeightForm::kBits5) {
    const unsigned high = *reinterpret_cast<const unsigned*>(w.high + 4 * group) >> 2 * piece;
    q.x |= (high & 0x01010101u) << 4;
    q.y |= (high >> 1 & 0x01010101u) << 4;
  }
  if constexpr (kForm == WeightForm::kBits6) {
    const auto* from = reinterpret_cast<const unsigned*>(w.high + 8 * group);
    const unsigned high = from[piece / 2] >> piece % 2 * 4;
    q.x |= (high & 0x03030303u) << 4;
    q.y |= (high >> 2 & 0x03030303u) << 4;
  }
  return q;
}

// Values column .. column + 7 of a row.
template <WeightForm kForm>
__device__ __forceinline__ void LoadPiece(const WeightView& w, std::int64_t row, int column,
                                          float (&values)[kPiece]) {
  if constexpr (IsFloat(kForm)) {
    LoadFloats<kForm>(w, row, column, values);
  } else {
    const int group = column / kGroup, piece = column % kGroup / kPiece;
    const uint2 q = LoadPieceIntegers<kForm>(w, row * (w.columns / kGroup) + group, piece);
    const GroupScales s = LoadScales(w, row, group);
    const float scale = piece < 2 ? s.scale[0] : s.scale[1];
    const float minimum = piece < 2 ? s.minimum[0] : s.minimum[1];
#pragma unroll
    for (int j = 0; j < kPiece; ++j) {
      const unsigned byte = (j < 4 ? q.x : q.y) >> 8 * (j % 4) & 255;
      const int code = kForm == WeightForm::kBits8 ? static_cast<signed char>(byte)
                                                   : static_cast<int>(byte) - w.zero;
      values[j] = scale * static_cast<float>(code) - minimum;
    }
  }
}

}  // namespace paluku::cuda
