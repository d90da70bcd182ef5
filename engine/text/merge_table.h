// MergeTable: the byte-pair merges of a vocabulary, and the encoder of one piece of text by them.
//
// Ranks are kept in an open-addressing hash keyed by the pair of ids. The cheapest pair is joined
// first, the leftmost of equal ones (Sennrich et al. 2016, as GPT-2 applies it). Const after
// Create, safe on any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace paluku {

class MergeTable {
 public:
  struct Rule {
    std::int32_t left = 0;
    std::int32_t right = 0;
    std::int32_t joined = 0;
  };

  // `rules` best rank first; `byte_ids` is the token of every byte, -1 for bytes that valid UTF-8
  // never holds. Nothing when the pairs were made to collide in the hash.
  static std::optional<MergeTable> Create(const std::vector<Rule>& rules,
                                          const std::array<std::int32_t, 256>& byte_ids);

  // Appends the ids of `piece`. O(n log n) for n bytes.
  void Encode(std::string_view piece, std::vector<std::int32_t>& ids) const;

 private:
  struct Slot {
    std::uint64_t pair = kEmpty;
    std::uint32_t rank = 0;
    std::int32_t joined = 0;
  };
  static constexpr std::uint64_t kEmpty = ~0ull;

  bool Insert(std::uint64_t pair, std::uint32_t rank, std::int32_t joined);
  const Slot* Find(std::int32_t left, std::int32_t right) const;
  std::size_t Place(std::uint64_t pair) const;
  void EncodeShort(std::string_view piece, std::vector<std::int32_t>& ids) const;
  void EncodeLong(std::string_view piece, std::vector<std::int32_t>& ids) const;

  std::array<std::int32_t, 256> byte_ids_{};
  std::vector<Slot> slots_;  // a power of two
  std::uint64_t salt_ = 0;
  int shift_ = 0;  // 64 - log2(slots)
};

}  // namespace paluku
