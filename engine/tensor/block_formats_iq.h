// As block_formats.h, the types whose values are entries of a codebook: IQ1, IQ2 and IQ3.
#pragma once

#include "engine/tensor/block_formats.h"

namespace paluku {
namespace {

// `count` magnitudes, one a byte of `entry`, made negative where the bit of `signs` is set.
inline void SignedEntry(std::uint64_t entry, unsigned signs, int count, std::int8_t* codes) {
  for (int j = 0; j < count; ++j) {
    const int magnitude = static_cast<int>(entry >> (8 * j) & 255);
    codes[j] = static_cast<std::int8_t>((signs >> j & 1) != 0 ? -magnitude : magnitude);
  }
}

// Seven signs and the eighth that makes their number even.
inline unsigned EightSigns(unsigned seven) {
  return seven | (static_cast<unsigned>(__builtin_popcount(seven)) & 1u) << 7;
}

inline std::uint32_t Little32(const std::uint8_t* p) {
  return p[0] | static_cast<std::uint32_t>(p[1]) << 8 | static_cast<std::uint32_t>(p[2]) << 16 |
         static_cast<std::uint32_t>(p[3]) << 24;
}
inline unsigned Little16(const std::uint8_t* p) { return p[0] | static_cast<unsigned>(p[1]) << 8; }

struct FormatIQ2_XXS {
  using Block = BlockIQ2_XXS;
  static constexpr int kElements = 256, kGroup = 32, kOffset = 64;
  static constexpr bool kHasMinima = false;
  static void Codes(const std::byte* block, std::int8_t* codes) {
    for (int i = 0; i < 32; ++i) {
      const std::uint8_t* group = As<Block>(block).groups[i / 4];
      const unsigned signs = EightSigns(Little32(group + 4) >> (7 * (i % 4)) & 127);
      SignedEntry(kIq2XxsGrid.entry[group[i % 4]], signs, 8, codes + 8 * i);
    }
  }
  template <class Half>
  static void Scales(const std::byte* block, float* scales, float*) {
    const float d = Half::HalfToFloat(block);
    for (int g = 0; g < 8; ++g) {
      const int scale = As<Block>(block).groups[g][7] >> 4;
      scales[g] = d * (0.5f + static_cast<float>(scale)) * 0.25f;
    }
  }
};

// Scales of IQ2_XS and IQ2_S: two nibbles a byte, 16 values each.
template <class Half>
inline void ScalesOfIq2(const std::byte* d, const std::uint8_t* packed, float* scales) {
  const float scale = Half::HalfToFloat(d);
  for (int g = 0; g < 16; ++g) {
    const int nibble = packed[g / 2] >> (g % 2 * 4) & 15;
    scales[g] = scale * (0.5f + static_cast<float>(nibble)) * 0.25f;
  }
}

struct FormatIQ2_XS {
  using Block = BlockIQ2_XS;
  static constexpr int kElements = 256, kGroup = 16, kOffset = 64;
  static constexpr bool kHasMinima = false;
  static void Codes(const std::byte* block, std::int8_t* codes) {
    for (int i = 0; i < 32; ++i) {
      const unsigned packed = Little16(As<Block>(block).indices[i]);
      SignedEntry(kIq2XsGrid.entry[packed & 511], EightSigns(packed >> 9), 8, codes + 8 * i);
    }
  }
  template <class Half>
  static void Scales(const std::byte* block, float* scales, float*) {
    ScalesOfIq2<Half>(block, As<Block>(block).scales, scales);
  }
};

struct FormatIQ2_S {
  using Block = BlockIQ2_S;
  static constexpr int kElements = 256, kGroup = 16, kOffset = 64;
  static constexpr bool kHasMinima = false;
  static void Codes(const std::byte* block, std::int8_t* codes) {
    const Block& b = As<Block>(block);
    for (int i = 0; i < 32; ++i) {
      const int index = b.indices[i] | (b.high_bits[i / 4] >> (2 * (i % 4)) & 3) << 8;
      SignedEntry(kIq2SGrid.entry[index], b.signs[i], 8, codes + 8 * i);
    }
  }
  template <class Half>
  static void Scales(const std::byte* block, float* scales, float*) {
    ScalesOfIq2<Half>(block, As<Block>(block).scales, scales);
  }
};

struct FormatIQ3_XXS {
  using Block = BlockIQ3_XXS;
  static constexpr int kElements = 256, kGroup = 32, kOffset = 64;
  static constexpr bool kHasMinima = false;
  static void Codes(const std::byte* block, std::int8_t* codes) {
    const Block& b = As<Block>(block);
    for (int i = 0; i < 32; ++i) {
      const unsigned signs = EightSigns(Little32(b.signs_scales[i / 4]) >> (7 * (i % 4)) & 127);
      SignedEntry(kIq3XxsGrid.entry[b.indices[2 * i]], signs, 4, codes + 8 * i);
      SignedEntry(kIq3XxsGrid.entry[b.indices[2 * i + 1]], signs >> 4, 4, codes + 8 * i + 4);
    }
  }
  template <class Half>
  static void Scales(const std::byte* block, float* scales, float*) {
    const float d = Half::HalfToFloat(block);
    for (int g = 0; g < 8; ++g) {
      const int scale = As<Block>(block).signs_scales[g][3] >> 4;
      scales[g] = d * (0.5f + static_cast<float>(scale)) * 0.5f;
    }
  }
};

struct FormatIQ3_S {
  using Block = BlockIQ3_S;
  static constexpr int kElements = 256, kGroup = 32, kOffset = 16;
  static constexpr bool kHasMinima = false;
  static void Codes(const std::byte* block, std::int8_t* codes) {
    const Block& b = As<Block>(block);
    for (int i = 0; i < 64; ++i) {
      const int index = b.indices[i] | (b.high_bits[i / 8] >> (i % 8) & 1) << 8;
      SignedEntry(kIq3SGrid.entry[index], b.signs[i / 2] >> (i % 2 * 4), 4, codes + 4 * i);
    }
  }
  template <class Half>
  static void Scales(const std::byte* block, float* scales, float*) {
    const float d = Half::HalfToFloat(block);
    for (int g = 0; g < 8; ++g) {
      const int scale = As<Block>(block).scales[g / 2] >> (g % 2 * 4) & 15;
      scales[g] = d * static_cast<float>(1 + 2 * scale);
    }
  }
};

// IQ1 adds an eighth to, or subtracts it from, entries of -1, 0 and 1; codes are in eighths.
inline void Iq1Entry(unsigned index, bool minus, std::int8_t* codes) {
  for (int j = 0; j < 8; ++j) {
    const int entry = static_cast<int>(kIq1Grid.entry[index] >> (8 * j) & 255) - 1;
    codes[j] = static_cast<std::int8_t>(8 * entry + (minus ? -1 : 1));
  }
}

struct FormatIQ1_S {
  using Block = BlockIQ1_S;
  static constexpr int kElements = 256, kGroup = 32, kOffset = 16;
  static constexpr bool kHasMinima = false;
  static void Codes(const std::byte* block, std::int8_t* codes) {
    const Block& b = As<Block>(block);
    for (int i = 0; i < 32; ++i) {
      const unsigned high = Little16(b.high_bits[i / 4]);
      const unsigned index = b.indices[i] | (high >> (3 * (i % 4)) & 7) << 8;
      Iq1Entry(index, (high & 0x8000) != 0, codes + 8 * i);
    }
  }
  template <class Half>
  static void Scales(const std::byte* block, float* scales, float*) {
    const float d = Half::HalfToFloat(block);
    for (int g = 0; g < 8; ++g) {
      const int scale = As<Block>(block).high_bits[g][1] >> 4 & 7;
      scales[g] = d * static_cast<float>(2 * scale + 1) * 0.125f;
    }
  }
};

struct FormatIQ1_M {
  using Block = BlockIQ1_M;
  static constexpr int kElements = 256, kGroup = 16, kOffset = 16;
  static constexpr bool kHasMinima = false;
  static void Codes(const std::byte* block, std::int8_t* codes) {
    const Block& b = As<Block>(block);
    for (int i = 0; i < 32; ++i) {
      const unsigned high = b.high_bits[i / 2] >> (i % 2 * 4);
      Iq1Entry(b.indices[i] | (high & 7) << 8, (high & 8) != 0, codes + 8 * i);
    }
  }
  template <class Half>
  static void Scales(const std::byte* block, float* scales, float*) {
    const Block& b = As<Block>(block);
    std::uint16_t d_bits = 0;
    for (int i = 0; i < 4; ++i) {
      d_bits = static_cast<std::uint16_t>(d_bits | b.scales[i][1] >> 4 << (4 * i));
    }
    const float d = Half::HalfToFloat(&d_bits);
    for (int g = 0; g < 16; ++g) {
      const unsigned scale = Little16(b.scales[g / 4]) >> (3 * (g % 4)) & 7;
      scales[g] = d * static_cast<float>(2 * scale + 1) * 0.125f;
    }
  }
};

}  // namespace
}  // namespace paluku
