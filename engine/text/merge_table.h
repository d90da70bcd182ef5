// MergeTable: the merges of a vocabulary, and how they join the symbols of one piece of text.
//
// Ranks are kept in an open-addressing hash keyed by the pair of ids. The pair of lowest rank is
// joined first, the leftmost of equal ones (Sennrich et al. 2016, as GPT-2 and SentencePiece apply
// it). The hash is seeded: a file cannot have been made so that its pairs collide. Const, safe on
// any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace paluku {

class MergeTable {
 public:
  struct Rule {
    std::int32_t left = 0;
    std::int32_t right = 0;
    std::int32_t joined = 0;
    std::uint32_t rank = 0;  // below 2^32 - 1
  };

  // Of rules for one pair the first counts.
  explicit MergeTable(const std::vector<Rule>& rules);

  // Appends to `ids` what the merges make of `symbols`. O(n log n).
  void Merge(std::span<const std::int32_t> symbols, std::vector<std::int32_t>& ids) const;

 private:
  struct Slot {
    std::uint64_t pair = kEmpty;
    std::uint32_t rank = 0;
    std::int32_t joined = 0;
  };
  static constexpr std::uint64_t kEmpty = ~0ull;

  void Insert(const Rule& rule);
  const Slot* Find(std::int32_t left, std::int32_t right) const;
  std::size_t Place(std::uint64_t pair) const;
  void MergeShort(std::span<const std::int32_t> given, std::vector<std::int32_t>& ids) const;
  void MergeLong(std::span<const std::int32_t> given, std::vector<std::int32_t>& ids) const;

  std::vector<Slot> slots_;  // a power of two
  int shift_ = 0;            // 64 - log2(slots)
};

}  // namespace paluku
