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
constexpr Codebook<std::uint64_t, 128> kSignMasks = MakeSignMasks();
constexpr Codebook<std::uint64_t, 2048> kIq1Grid = Spread<std::uint64_t>(kPackedIq1, kIq1Values);

}  // namespace paluku
