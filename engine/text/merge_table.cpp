#include "engine/text/merge_table.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <queue>

#include "engine/text/seeded_hash.h"

namespace paluku {
namespace {

constexpr std::size_t kShortPiece = 32;          // up to here scanning all pairs beats a heap
constexpr std::size_t kLongestPiece = 1u << 28;  // a longer word is cut, to keep 32-bit positions
constexpr std::uint32_t kNoRank = std::numeric_limits<std::uint32_t>::max();

std::uint64_t Pair(std::int32_t left, std::int32_t right) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
         static_cast<std::uint32_t>(right);
}

// A symbol of a long piece: a token in a doubly linked list; `id` is -1 once it was joined away.
struct Symbol {
  std::int32_t id;
  std::int32_t previous;
  std::int32_t next;  // -1: none
};

// A pair that may be joined. Out of date when either symbol has changed since.
struct Candidate {
  std::uint32_t rank;
  std::int32_t position;  // of the left symbol
  std::int32_t left;
  std::int32_t right;
  std::int32_t joined;
  bool operator>(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : position > other.position;
  }
};

}  // namespace

MergeTable::MergeTable(const std::vector<Rule>& rules)
    : slots_(std::bit_ceil(std::max<std::size_t>(rules.size() * 2, 16))),
      shift_(64 - std::countr_zero(slots_.size())) {
  for (const Rule& rule : rules) Insert(rule);
}

std::size_t MergeTable::Place(std::uint64_t pair) const { return SeededHash()(pair) >> shift_; }

// The first of equal pairs keeps its rank.
void MergeTable::Insert(const Rule& rule) {
  const std::uint64_t pair = Pair(rule.left, rule.right);
  std::size_t place = Place(pair);
  while (slots_[place].pair != kEmpty) {
    if (slots_[place].pair == pair) return;
    place = (place + 1) & (slots_.size() - 1);
  }
  slots_[place] = {pair, rule.rank, rule.joined};
}

const MergeTable::Slot* MergeTable::Find(std::int32_t left, std::int32_t right) const {
  const std::uint64_t pair = Pair(left, right);
  for (std::size_t place = Place(pair);; place = (place + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[place];
    if (slot.pair == pair) return &slot;
    if (slot.pair == kEmpty) return nullptr;
  }
}

void MergeTable::Merge(std::span<const std::int32_t> symbols,
                       std::vector<std::int32_t>& ids) const {
  for (; symbols.size() > kLongestPiece; symbols = symbols.subspan(kLongestPiece))
    MergeLong(symbols.first(kLongestPiece), ids);
  if (symbols.size() <= kShortPiece) {
    MergeShort(symbols, ids);
  } else {
    MergeLong(symbols, ids);
  }
}

void MergeTable::MergeShort(std::span<const std::int32_t> given,
                            std::vector<std::int32_t>& ids) const {
  std::int32_t symbols[kShortPiece];
  std::uint32_t ranks[kShortPiece];  // of the pair that starts here
  std::int32_t joined[kShortPiece];
  std::size_t count = given.size();
  const auto look_up = [&](std::size_t i) {
    const Slot* slot = i + 1 < count ? Find(symbols[i], symbols[i + 1]) : nullptr;
    ranks[i] = slot == nullptr ? kNoRank : slot->rank;
    joined[i] = slot == nullptr ? -1 : slot->joined;
  };
  std::copy(given.begin(), given.end(), symbols);
  for (std::size_t i = 0; i < count; ++i) look_up(i);
  while (count > 1) {
    const std::size_t best =
        static_cast<std::size_t>(std::min_element(ranks, ranks + count) - ranks);
    if (ranks[best] == kNoRank) break;
    symbols[best] = joined[best];
    std::move(symbols + best + 2, symbols + count, symbols + best + 1);
    std::move(ranks + best + 2, ranks + count, ranks + best + 1);
    std::move(joined + best + 2, joined + count, joined + best + 1);
    --count;
    look_up(best);
    if (best > 0) look_up(best - 1);
  }
  ids.insert(ids.end(), symbols, symbols + count);
}

void MergeTable::MergeLong(std::span<const std::int32_t> given,
                           std::vector<std::int32_t>& ids) const {
  const auto count = static_cast<std::int32_t>(given.size());
  std::vector<Symbol> symbols(given.size());
  for (std::int32_t i = 0; i < count; ++i)
    symbols[i] = {given[static_cast<std::size_t>(i)], i - 1, i + 1 < count ? i + 1 : -1};

  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  const auto offer = [&](std::int32_t i) {
    if (i < 0 || symbols[i].next < 0) return;
    const std::int32_t right = symbols[symbols[i].next].id;
    if (const Slot* slot = Find(symbols[i].id, right))
      queue.push({slot->rank, i, symbols[i].id, right, slot->joined});
  };
  for (std::int32_t i = 0; i < count; ++i) offer(i);
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Symbol& left = symbols[best.position];
    if (left.id != best.left || left.next < 0 || symbols[left.next].id != best.right) continue;
    Symbol& right = symbols[left.next];
    left.id = best.joined;
    left.next = right.next;
    right.id = -1;
    if (left.next >= 0) symbols[left.next].previous = best.position;
    offer(left.previous);
    offer(best.position);
  }
  for (std::int32_t i = 0; i >= 0; i = symbols[i].next) ids.push_back(symbols[i].id);
}

}  // namespace paluku
