// Reading a group of 32 weights of any form, and its product with activations.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "engine/backend/cuda/kernels/weight_view.h"

namespace paluku::cuda {

// value of i = scale[i / 16] * (q - zero) - minimum[i / 16].
struct GroupScales {
  float scale[2];
  float minimum[2];
};

__device__ __forceinline__ float HalfAt(const unsigned char* from) {
  return __half2float(*reinterpret_cast<const __half*>(from));
}

// d * scale and dmin * minimum of group `g` of a packed header (GGUF, Q4_K and Q5_K).
__device__ __forceinline__ GroupScales UnpackHeader(const uint4& header, int g) {
  const int shift = 8 * (g % 4);
  const unsigned a = header.y >> shift & 255, b = header.z >> shift & 255,
                 c = header.w >> shift & 255;
  const unsigned scale = g < 4 ? a & 63 : (c & 15) | (a >> 6) << 4;
  const unsigned minimum = g < 4 ? b & 63 : (c >> 4) | (b >> 6) << 4;
  const float2 d = __half22float2(*reinterpret_cast<const __half2*>(&header.x));
  const float s = d.x * static_cast<float>(scale), m = d.y * static_cast<float>(minimum);
  return {{s, s}, {m, m}};
}

__device__ __forceinline__ GroupScales LoadScales(const WeightView& w, std::int64_t row,
                                                  int group) {
  const int groups = w.columns / kGroup;
  const std::int64_t at = row * groups + group;
  switch (w.scale_form) {
    case ScaleForm::kHalf: {
      const float scale = HalfAt(w.scales + 2 * at);
      return {{scale, scale}, {0, 0}};
    }
    case ScaleForm::kHalfMin: {
      const float scale = HalfAt(w.scales + 4 * at);
      const float minimum = HalfAt(w.scales + 4 * at + 2);
      return {{scale, scale}, {minimum, minimum}};
    }
    case ScaleForm::kPacked: {
      const uint4 header = *reinterpret_cast<const uint4*>(w.scales + 16 * (at / kGroupsOfSuper));
      return UnpackHeader(header, static_cast<int>(at % kGroupsOfSuper));
    }
    case ScaleForm::kFloat: {
      const float2 scales = *reinterpret_cast<const float2*>(w.scales + 8 * at);
      return {{scales.x, scales.y}, {0, 0}};
    }
    case ScaleForm::kFloatMin: {
      const float4 both = *reinterpret_cast<const float4*>(w.scales + 16 * at);
      return {{both.x, both.z}, {both.y, both.w}};
    }
    case ScaleForm::kSub16:
      break;
  }
  const auto* factors = reinterpret_cast<const signed char*>(w.scales) + 2 * at;
  const float d = *reinterpret_cast<const float*>(w.supers + 4 * (at / kGroupsOfSuper));
  return {{d * static_cast<float>(factors[0]), d * static_cast<float>(factors[1])}, {0, 0}};
}

// The 32 integers of a group, four a word, in order.
template <WeightForm kForm>
__device__ __forceinline__ void LoadIntegers(const WeightView& w, std::int64_t row, int group,
                                             int (&q)[8]) {
  const std::int64_t at = row * (w.columns / kGroup) + group;
  const uint4 low = *reinterpret_cast<const uint4*>(w.low + 16 * at);
  const unsigned words[4] = {low.x, low.y, low.z, low.w};
  if constexpr (kForm == WeightForm::kBits8) {
    const uint4 high = *reinterpret_cast<const uint4*>(w.high + 16 * at);
    const unsigned upper[4] = {high.x, high.y, high.z, high.w};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      q[i] = static_cast<int>(words[i]);
      q[i + 4] = static_cast<int>(upper[i]);
    }
  } else {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      q[i] = static_cast<int>(words[i] & 0x0f0f0f0fu);
      q[i + 4] = static_cast<int>(words[i] >> 4 & 0x0f0f0f0fu);
    }
  }
  if constexpr (kForm == WeightForm::kBits5) {
    const unsigned high = *reinterpret_cast<const unsigned*>(w.high + 4 * at);
#pragma unroll
    for (int i = 0; i < 8; ++i) q[i] |= static_cast<int>((high >> i & 0x01010101u) << 4);
  }
  if constexpr (kForm == WeightForm::kBits6) {
    const uint2 high = *reinterpret_cast<const uint2*>(w.high + 8 * at);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      q[i] |= static_cast<int>((high.x >> (2 * i) & 0x03030303u) << 4);
      q[i + 4] |= static_cast<int>((high.y >> (2 * i) & 0x03030303u) << 4);
    }
  }
}

// Sum over the group of value * activation.
__device__ __forceinline__ float DotGroup(const int (&q)[8], const GroupScales& s, int zero,
                                          const std::int8_t* values, const QuantisedGroup& group) {
  const int4 first = *reinterpret_cast<const int4*>(values);
  const int4 second = *reinterpret_cast<const int4*>(values + 16);
  int low = __dp4a(q[0], first.x, 0);
  low = __dp4a(q[1], first.y, low);
  low = __dp4a(q[2], first.z, low);
  low = __dp4a(q[3], first.w, low);
  int high = __dp4a(q[4], second.x, 0);
  high = __dp4a(q[5], second.y, high);
  high = __dp4a(q[6], second.z, high);
  high = __dp4a(q[7], second.w, high);
  const int sum0 = group.sums[0], sum1 = group.sums[1];
  const float dot0 =
      s.scale[0] * static_cast<float>(low - zero * sum0) - s.minimum[0] * static_cast<float>(sum0);
  const float dot1 =
      s.scale[1] * static_cast<float>(high - zero * sum1) - s.minimum[1] * static_cast<float>(sum1);
  return group.scale * (dot0 + dot1);
}

__device__ __forceinline__ float FloatWeight(const WeightView& w, std::int64_t index) {
  if (w.form == WeightForm::kF32) return reinterpret_cast<const float*>(w.low)[index];
  if (w.form == WeightForm::kF16)
    return __half2float(reinterpret_cast<const __half*>(w.low)[index]);
  return __bfloat162float(reinterpret_cast<const __nv_bfloat16*>(w.low)[index]);
}

// One weight, the file's value bit for bit. Slow: for single rows (Embed).
__device__ __forceinline__ float OneWeight(const WeightView& w, std::int64_t row, int column) {
  if (IsFloat(w.form)) return FloatWeight(w, row * w.columns + column);
  const int group = column / kGroup, j = column % kGroup;
  const std::int64_t at = row * (w.columns / kGroup) + group;
  int q;
  if (w.form == WeightForm::kBits8) {
    const unsigned char* plane = j < 16 ? w.low : w.high;
    q = reinterpret_cast<const signed char*>(plane)[16 * at + j % 16];
  } else {
    q = w.low[16 * at + j % 16] >> (j < 16 ? 0 : 4) & 15;
    const int word = j / 4, byte = j % 4;
    if (w.form == WeightForm::kBits5) q |= (w.high[4 * at + byte] >> word & 1) << 4;
    if (w.form == WeightForm::kBits6)
      q |= (w.high[8 * at + word / 4 * 4 + byte] >> (2 * (word % 4)) & 3) << 4;
  }
  const GroupScales s = LoadScales(w, row, group);
  return __fsub_rn(__fmul_rn(s.scale[j / 16], static_cast<float>(q - w.zero)), s.minimum[j / 16]);
}

}  // namespace paluku::cuda
