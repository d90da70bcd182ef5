#include "engine/tensor/codebooks.h"

#include <bit>

#include "engine/tensor/codebook_data.h"

namespace paluku {
namespace {

// Spreads packed entries over bytes, each index replaced by the value it stands for.
template <class Entry, int kCount, int kValues>
constexpr Codebook<Entry, kCount> Spread(const std::uint16_t (&packed)[kCount],
                                         const std::uint8_t (&values)[kValues]) {
  constexpr unsigned kBits = kValues > 4 ? 3 : 2;
  Codebook<Entry, kCount> book{};
  for (int i = 0; i < kCount; ++i) {
    for (unsigned j = 0; j < sizeof(Entry); ++j) {
      const unsigned index = packed[i] >> (kBits * j) & ((1u << kBits) - 1);
      book.entry[i] |= static_cast<Entry>(values[index]) << (8 * j);
    }
  }
  return book;
}

constexpr Codebook<std::uint64_t, 128> MakeSignMasks() {
  Codebook<std::uint64_t, 128> masks{};
  for (unsigned signs = 0; signs < 128; ++signs) {
    const unsigned eight = signs | (static_cast<unsigned>(std::popcount(signs)) & 1u) << 7;
    for (unsigned j = 0; j < 8; ++j) {
      if ((eight >> j & 1) != 0) masks.entry[signs] |= std::uint64_t{255} << (8 * j);
    }
  }
  return masks;
}

constexpr Codebook<float, 256> MakeE8M0Halves() {
  Codebook<float, 256> halves{};
  for (unsigned e = 0; e < 256; ++e) {  // f32 holds the lowest two as subnormals
    halves.entry[e] = std::bit_cast<float>(e < 2 ? 0x00200000u << e : (e - 1) << 23);
  }
  return halves;
}

constexpr Codebook<float, 256> MakeE4M3Halves() {
  Codebook<float, 256> halves{};
  for (unsigned bits = 0; bits < 256; ++bits) {
    const unsigned exponent = bits >> 3 & 15, fraction = bits & 7;
    const float subnormal = static_cast<float>(fraction) * 0x1p-10f;
    const float normal = std::bit_cast<float>((exponent + 119) << 23 | fraction << 20);
    halves.entry[bits] = bits == 0x7f ? 0.0f : exponent == 0 ? subnormal : normal;
  }
  return halves;
}

constexpr std::uint8_t kIq2Values[] = {8, 25, 43};
constexpr std::uint8_t kIq3XxsValues[] = {4, 12, 20, 28, 36, 44, 52, 62};
constexpr std::uint8_t kIq3SValues[] = {1, 3, 5, 7, 9, 11, 13, 15};
constexpr std::uint8_t kIq1Values[] = {0, 1, 2};

}  // namespace

constexpr Codebook<std::uint64_t, 256> kIq2XxsGrid =
    Spread<std::uint64_t>(kPackedIq2Xxs, kIq2Values);
constexpr Codebook<std::uint64_t, 512> kIq2XsGrid = Spread<std::uint64_t>(kPackedIq2Xs, kIq2Values);
constexpr Codebook<std::uint64_t, 1024> kIq2SGrid = Spread<std::uint64_t>(kPackedIq2S, kIq2Values);
constexpr Codebook<std::uint32_t, 256> kIq3XxsGrid =
    Spread<std::uint32_t>(kPackedIq3Xxs, kIq3XxsValues);
constexpr Codebook<std::uint32_t, 512> kIq3SGrid = Spread<std::uint32_t>(kPackedIq3S, kIq3SValues);
constexpr Codebook<float, 256> kE8M0Halves = MakeE8M0Halves();
constexpr Codebook<float, 256> kE4M3Halves = MakeE4M3Halves();
constexpr Codebook<std::uint64_t, 128> kSignMasks = MakeSignMasks();
constexpr Codebook<std::uint64_t, 2048> kIq1Grid = Spread<std::uint64_t>(kPackedIq1, kIq1Values);

}  // namespace paluku
