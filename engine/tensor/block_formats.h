// How the blocks of every quantised type are read. Value i of a block is
//   scale[i / kGroup] * code[i] - minimum[i / kGroup]
// with whole codes that int8 holds and minima only where kHasMinima. The one definition that
// dequantisation (dtype.cpp) and the portable kernels of the CPU backend share; each operation
// rounds as ggml's does, so that the values are equal bit for bit. Types with codebooks:
// block_formats_iq.h.
//
// Everything lies in an anonymous namespace: the kernels compile this file with the flags of each
// instruction set. `Half` has a static HalfToFloat(const void*), binary16 at any address to f32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/tensor/blocks.h"
#include "engine/tensor/codebooks.h"

namespace paluku {
namespace {

template <class Block>
inline const Block& As(const std::byte* block) {
  return *reinterpret_cast<const Block*>(block);
}

// code[j] from the low nibble of byte j, code[count + j] from the high one, j < count.
template <class Map>
inline void MapNibbles(const std::uint8_t* nibbles, int count, std::int8_t* codes, const Map& map) {
  for (int j = 0; j < count; ++j) {
    codes[j] = static_cast<std::int8_t>(map(nibbles[j] & 15, j));
    codes[count + j] = static_cast<std::int8_t>(map(nibbles[j] >> 4, count + j));
  }
}

// Each format: Block; kElements values per block; kGroup (16 or 32) values per scale; kOffset, with
// which code + kOffset is at least 0, and at most 127 unless kOffset is 128; kHasMinima;
// Codes(block, codes [kElements]); Scales<Half>(block, scales, minima), [kElements / kGroup] each.
struct FormatQ4_0 {
  using Block = BlockQ4_0;
  static constexpr int kElements = 32, kGroup = 32, kOffset = 8;
  static constexpr bool kHasMinima = false;
  static void Codes(const std::byte* block, std::int8_t* codes) {
    MapNibbles(As<Block>(block).nibbles, 16, codes, [](int q, int) { return q - 8; });
  }
  template <class Half>
  static void Scales(const std::byte* block, float* scales, float*) {
    scales[0] = Half::HalfToFloat(block);
  }
};

struct FormatQ4_1 {
  using Block = BlockQ4_1;
  static constexpr int kElements = 32, kGroup = 32, kOffset = 0;
  static constexpr bool kHasMinima = true;
  static void Codes(const std::byte* block, std::int8_t* codes) {
    MapNibbles(As<Block>(block).nibbles, 16, codes, [](int q, int) { return q; });
  }
  template <class Half>
  static void Scales(const std::byte* block, float* scales, float* minima) {
    scales[0] = Half::HalfToFloat(block);
    minima[0] = -Half::HalfToFloat(block + 2);
  }
};

// Bit j of 32 little-endian bits, moved to bit 4.
inline int FifthBit(const std::uint8_t* high_bits, int j) {
  return (high_bits[j / 8] >> (j % 8) & 1) << 4;
}

struct FormatQ5_0 {
  using Block = BlockQ5_0;
  static constexpr int kElements = 32, kGroup = 32, kOffset = 16;
  static constexpr bool kHasMinima = false;
  static void Codes(const std::byte* block, std::int8_t* codes) {
    const Block& b = As<Block>(block);
    MapNibbles(b.nibbles, 16, codes,
               [&](int q, int j) { return (q | FifthBit(b.high_bits, j)) - 16; });
  }
  template <class Half>
  static void Scales(const std::byte* block, float* scales, float*) {
    scales[0] = Half::HalfToFloat(block);
  }
};

struct FormatQ5_1 {
  using Block = BlockQ5_1;
  static constexpr int kElements = 32, kGroup = 32, kOffset = 0;
  static constexpr bool kHasMinima = true;
  static void Codes(const std::byte* block, std::int8_t* codes) {
    const Block& b = As<Block>(block);
    MapNibbles(b.nibbles, 16, codes, [&](int q, int j) { return q | FifthBit(b.high_bits, j); });
  }
  template <class Half>
  static void Scales(const std::byte* block, float* scales, float* minima) {
    scales[0] = Half::HalfToFloat(block);
    minima[0] = -Half::HalfToFloat(block + 2);
  }
};

struct FormatQ8_0 {
  using Block = BlockQ8_0;
  static constexpr int kElements = 32, kGroup = 32, kOffset = 128;
  static constexpr bool kHasMinima = false;
  static void Codes(const std::byte* block, std::int8_t* codes) {
    std::memcpy(codes, As<Block>(block).q, 32);
  }
  template <class Half>
  static void Scales(const std::byte* block, float* scales, float*) {
    scales[0] = Half::HalfToFloat(block);
  }
};

struct FormatIQ4_NL {
  using Block = BlockIQ4_NL;
  static constexpr int kElements = 32, kGroup = 32, kOffset = 128;
  static constexpr bool kHasMinima = false;
  static void Codes(const std::byte* block, std::int8_t* codes) {
    MapNibbles(As<Block>(block).nibbles, 16, codes, [](int q, int) { return kIq4Values[q]; });
  }
  template <class Half>
  static void Scales(const std::byte* block, float* scales, float*) {
    scales[0] = Half::HalfToFloat(block);
  }
};

struct FormatMXFP4 {
  using Block = BlockMXFP4;
  static constexpr int kElements = 32, kGroup = 32, kOffset = 16;
  static constexpr bool kHasMinima = false;
  static void Codes(const std::byte* block, std::int8_t* codes) {
    MapNibbles(As<Block>(block).nibbles, 16, codes, [](int q, int) { return kE2M1Values[q]; });
  }
  template <class>
  static void Scales(const std::byte* block, float* scales, float*) {
    scales[0] = kE8M0Halves.entry[As<Block>(block).e];
  }
};

struct FormatNVFP4 {
  using Block = BlockNVFP4;
  static constexpr int kElements = 64, kGroup = 16, kOffset = 16;
  static constexpr bool kHasMinima = false;
  static void Codes(const std::byte* block, std::int8_t* codes) {
    for (int g = 0; g < 4; ++g) {
      MapNibbles(As<Block>(block).nibbles + 8 * g, 8, codes + 16 * g,
                 [](int q, int) { return kE2M1Values[q]; });
    }
  }
  template <class>
  static void Scales(const std::byte* block, float* scales, float*) {
    for (int g = 0; g < 4; ++g) scales[g] = kE4M3Halves.entry[As<Block>(block).scales[g]];
  }
};

// Two bits of value i out of the planes of Q2_K and Q3_K.
inline int PlaneBits(const std::uint8_t* planes, int i) {
  return planes[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
}

struct FormatQ2_K {
  using Block = BlockQ2_K;
  static constexpr int kElements = 256, kGroup = 16, kOffset = 0;
  static constexpr bool kHasMinima = true;
  static void Codes(const std::byte* block, std::int8_t* codes) {
    const Block& b = As<Block>(block);
    for (int i = 0; i < 256; ++i) codes[i] = static_cast<std::int8_t>(PlaneBits(b.planes, i));
  }
  template <class Half>
  static void Scales(const std::byte* block, float* scales, float* minima) {
    const Block& b = As<Block>(block);
    const float d = Half::HalfToFloat(block + offsetof(Block, d));
    const float dmin = Half::HalfToFloat(block + offsetof(Block, dmin));
    for (int g = 0; g < 16; ++g) {
      scales[g] = d * static_cast<float>(b.scales[g] & 15);
      minima[g] = dmin * static_cast<float>(b.scales[g] >> 4);
    }
  }
};

struct FormatQ3_K {
  using Block = BlockQ3_K;
  static constexpr int kElements = 256, kGroup = 16, kOffset = 4;
  static constexpr bool kHasMinima = false;
  static void Codes(const std::byte* block, std::int8_t* codes) {
    const Block& b = As<Block>(block);
    for (int i = 0; i < 256; ++i) {
      const int high = b.high_bits[i % 32] >> (i / 32) & 1;
      codes[i] = static_cast<std::int8_t>((PlaneBits(b.planes, i) | high << 2) - 4);
    }
  }
  template <class Half>
  static void Scales(const std::byte* block, float* scales, float*) {
    const Block& b = As<Block>(block);
    const float d = Half::HalfToFloat(block + offsetof(Block, d));
    for (int g = 0; g < 16; ++g) {
      const int low = b.scales[g % 8] >> (g / 8 * 4) & 15;
      const int high = b.scales[8 + g % 4] >> (g / 4 * 2) & 3;
      scales[g] = d * static_cast<float>((low | high << 4) - 32);
    }
  }
};

// The 6-bit scales and minima of Q4_K and Q5_K: bytes 0-3 and 4-7 hold six bits of groups 0-3, and
// in their upper bits those of groups 4-7, whose lower four are in bytes 8-11.
template <class Half>
inline void ScalesOfKBlock(const std::byte* d, const std::uint8_t* packed, float* scales,
                           float* minima) {
  const float scale = Half::HalfToFloat(d);
  const float minimum = Half::HalfToFloat(d + 2);
  std::uint64_t low;
  std::uint32_t mixed;
  std::memcpy(&low, packed, 8);
  std::memcpy(&mixed, packed + 8, 4);
  std::uint64_t high = (mixed & 0x0f0f0f0fu) | static_cast<std::uint64_t>(mixed >> 4 & 0x0f0f0f0fu)
                                                   << 32;
  high |= low >> 2 & 0x3030303030303030u;
  low &= 0x3f3f3f3f3f3f3f3fu;
  for (int g = 0; g < 4; ++g) {
    scales[g] = scale * static_cast<float>(low >> (8 * g) & 255);
    scales[g + 4] = scale * static_cast<float>(high >> (8 * g) & 255);
    minima[g] = minimum * static_cast<float>(low >> (8 * g + 32) & 255);
    minima[g + 4] = minimum * static_cast<float>(high >> (8 * g + 32) & 255);
  }
}

struct FormatQ4_K {
  using Block = BlockQ4_K;
  static constexpr int kElements = 256, kGroup = 32, kOffset = 0;
  static constexpr bool kHasMinima = true;
  static void Codes(const std::byte* block, std::int8_t* codes) {
    for (int i = 0; i < 4; ++i) {
      MapNibbles(As<Block>(block).nibbles + 32 * i, 32, codes + 64 * i,
                 [](int q, int) { return q; });
    }
  }
  template <class Half>
  static void Scales(const std::byte* block, float* scales, float* minima) {
    ScalesOfKBlock<Half>(block, As<Block>(block).scales, scales, minima);
  }
};

struct FormatQ5_K {
  using Block = BlockQ5_K;
  static constexpr int kElements = 256, kGroup = 32, kOffset = 0;
  static constexpr bool kHasMinima = true;
  static void Codes(const std::byte* block, std::int8_t* codes) {
    const Block& b = As<Block>(block);
    for (int i = 0; i < 4; ++i) {
      MapNibbles(b.nibbles + 32 * i, 32, codes + 64 * i, [&](int q, int j) {
        return q | (b.high_bits[j % 32] >> (2 * i + j / 32) & 1) << 4;
      });
    }
  }
  template <class Half>
  static void Scales(const std::byte* block, float* scales, float* minima) {
    ScalesOfKBlock<Half>(block, As<Block>(block).scales, scales, minima);
  }
};

struct FormatQ6_K {
  using Block = BlockQ6_K;
  static constexpr int kElements = 256, kGroup = 16, kOffset = 32;
  static constexpr bool kHasMinima = false;
  static void Codes(const std::byte* block, std::int8_t* codes) {
    const Block& b = As<Block>(block);
    for (int half = 0; half < 2; ++half) {
      const std::uint8_t* nibbles = b.nibbles + 64 * half;
      const std::uint8_t* high = b.high_bits + 32 * half;
      std::int8_t* out = codes + 128 * half;
      for (int j = 0; j < 32; ++j) {
        out[j] = static_cast<std::int8_t>(((nibbles[j] & 15) | (high[j] & 3) << 4) - 32);
        out[j + 32] = static_cast<std::int8_t>(((nibbles[j + 32] & 15) | (high[j] & 12) << 2) - 32);
        out[j + 64] = static_cast<std::int8_t>((nibbles[j] >> 4 | (high[j] & 48)) - 32);
        out[j + 96] = static_cast<std::int8_t>((nibbles[j + 32] >> 4 | (high[j] & 192) >> 2) - 32);
      }
    }
  }
  template <class Half>
  static void Scales(const std::byte* block, float* scales, float*) {
    const float d = Half::HalfToFloat(block + offsetof(Block, d));
    for (int g = 0; g < 16; ++g) scales[g] = d * static_cast<float>(As<Block>(block).scales[g]);
  }
};

struct FormatIQ4_XS {
  using Block = BlockIQ4_XS;
  static constexpr int kElements = 256, kGroup = 32, kOffset = 128;
  static constexpr bool kHasMinima = false;
  static void Codes(const std::byte* block, std::int8_t* codes) {
    for (int g = 0; g < 8; ++g) {
      MapNibbles(As<Block>(block).nibbles + 16 * g, 16, codes + 32 * g,
                 [](int q, int) { return kIq4Values[q]; });
    }
  }
  template <class Half>
  static void Scales(const std::byte* block, float* scales, float*) {
    const Block& b = As<Block>(block);
    const float d = Half::HalfToFloat(block);
    for (int g = 0; g < 8; ++g) {
      const int low = b.scales_low[g / 2] >> (g % 2 * 4) & 15, high = b.scales_high >> (2 * g) & 3;
      scales[g] = d * static_cast<float>((low | high << 4) - 32);
    }
  }
};

}  // namespace
}  // namespace paluku
