#include "tests/support/cuda_emulator/shadow_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>

namespace paluku::emulator {
namespace {

constexpr int kArrays = 4;  // write and three readers

void* MapZero(std::size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return memory;
}

ShadowRegion::Cells CellsAt(void* memory, std::uint64_t count) {
  auto* cells = static_cast<std::uint64_t*>(memory);
  return {cells, {cells + count, cells + 2 * count, cells + 3 * count}};
}

bool Writes(AccessKind kind) {
  return kind == AccessKind::kWrite || kind == AccessKind::kAtomic ||
         kind == AccessKind::kAsyncIssue;
}

// The state of one access that all of its cells share.
struct Checker {
  explicit Checker(const ShadowAccess& a)
      : access(a),
        own_base(a.knowledge->serial() << stamp::kSerialShift),
        own_known(own_base | a.knowledge->block_floor() << stamp::kTimeShift),
        dead_limit(a.shared ? own_known : a.launch_limit),
        old_limit(a.shared ? own_base : a.launch_limit),
        atomic(a.kind == AccessKind::kAtomic || a.kind == AccessKind::kAtomicRead) {}

  // Cheap and sufficient: the stamp is old, known to the whole block, or our own.
  bool Easy(std::uint64_t s, std::uint64_t mine) const {
    return (s < old_limit) | ((s >= own_base) & (s < own_known)) |
           (((s ^ mine) & stamp::kThreadMask) == 0);
  }
  bool Ordered(std::uint64_t s, std::uint64_t mine) const {
    if (Easy(s, mine)) return true;
    if (atomic && (s & stamp::kAtomicBit) != 0) return true;
    if (s < own_base || ((s ^ mine) & stamp::kSerialMask) != 0) return false;
    return stamp::Time(s) < access.knowledge->Known(stamp::Thread(mine), stamp::Thread(s));
  }
  // No access that is still to come can race with it.
  bool Dead(std::uint64_t s) const { return s < dead_limit; }

  bool CheckCell(const ShadowRegion::Cells& cells, std::uint64_t i, int lane,
                 Conflict& conflict) const {
    const std::uint64_t mine = access.stamps[lane];
    if (!Ordered(cells.write[i], mine)) {
      conflict = {lane, cells.write[i],
                  (cells.write[i] & stamp::kAtomicBit) != 0 ? "atomic" : "write"};
      return false;
    }
    if (!Writes(access.kind)) return true;
    for (const std::uint64_t* reads : cells.read) {
      if (!Ordered(reads[i], mine)) {
        conflict = {lane, reads[i], "read"};
        return false;
      }
    }
    return true;
  }

  void Record(const ShadowRegion::Cells& cells, std::uint64_t i, std::uint64_t mine) const {
    if (access.kind == AccessKind::kWrite || access.kind == AccessKind::kAtomic) {
      cells.write[i] = mine;
    } else if (access.kind != AccessKind::kAsyncIssue) {
      const std::uint64_t last = cells.read[0][i];
      if (((last ^ mine) & stamp::kWarpMask) != 0) cells.read[2][i] = last;
      if (((last ^ mine) & stamp::kThreadMask) != 0) cells.read[1][i] = last;
      cells.read[0][i] = mine;
    }
  }

  void Split(std::uint64_t word) const;
  bool TryJoin(std::uint64_t word) const;
  bool Word(std::uint64_t word, std::uint64_t from, std::uint64_t to, int lane,
            Conflict& conflict) const;
  bool Lane(int lane, Conflict& conflict) const;
  bool ContiguousRead() const;
  bool ContiguousWrite() const;
  bool EasyBroadcast() const;

  const ShadowAccess& access;
  std::uint64_t own_base;
  std::uint64_t own_known;
  std::uint64_t dead_limit;
  std::uint64_t old_limit;
  bool atomic;
};

void Checker::Split(std::uint64_t word) const {
  ShadowRegion& region = *access.region;
  region.NeedBytes();
  for (std::uint64_t i = 4 * word; i < 4 * word + 4; ++i) {
    region.bytes_of_words.write[i] = region.words.write[word];
    for (int r = 0; r < 3; ++r) region.bytes_of_words.read[r][i] = region.words.read[r][word];
  }
  region.words.write[word] = stamp::kSplit;
}

// Joins the cells of a word when nothing that matters is lost.
bool Checker::TryJoin(std::uint64_t word) const {
  ShadowRegion& region = *access.region;
  for (std::uint64_t i = 4 * word; i < 4 * word + 4; ++i) {
    if (!Dead(region.bytes_of_words.write[i])) return false;
    for (const std::uint64_t* reads : region.bytes_of_words.read) {
      if (!Dead(reads[i])) return false;
    }
  }
  region.words.write[word] = 0;
  for (std::uint64_t* reads : region.words.read) reads[word] = 0;
  return true;
}

// Bytes from..to of a word.
bool Checker::Word(std::uint64_t word, std::uint64_t from, std::uint64_t to, int lane,
                   Conflict& conflict) const {
  ShadowRegion& region = *access.region;
  const bool whole = from == 4 * word && to == 4 * word + 4;
  bool split = region.words.write[word] == stamp::kSplit;
  if (split && whole && TryJoin(word)) split = false;
  if (!split && whole) {
    if (!CheckCell(region.words, word, lane, conflict)) return false;
    Record(region.words, word, access.stamps[lane]);
    return true;
  }
  if (!split) Split(word);
  for (std::uint64_t i = from; i < to; ++i) {
    if (!CheckCell(region.bytes_of_words, i, lane, conflict)) return false;
    Record(region.bytes_of_words, i, access.stamps[lane]);
  }
  return true;
}

bool Checker::Lane(int lane, Conflict& conflict) const {
  const std::uint64_t begin = access.offsets[lane];
  const std::uint64_t end = begin + access.bytes;
  for (std::uint64_t word = begin / 4; word * 4 < end; ++word) {
    if (!Word(word, std::max(begin, 4 * word), std::min(end, 4 * word + 4), lane, conflict))
      return false;
  }
  return true;
}

// The common case, all 32 lanes side by side in whole words; false when some cell needs the long
// way.
bool Checker::ContiguousRead() const {
  const std::uint32_t per_lane = access.bytes / 4;
  const std::uint64_t first = access.offsets[0] / 4;
  const ShadowRegion::Cells& cells = access.region->words;
  bool easy = true;
  for (std::uint32_t lane = 0; lane < kWarpSize; ++lane) {
    const std::uint64_t mine = access.stamps[lane];
    for (std::uint32_t i = 0; i < per_lane; ++i)
      easy &= Easy(cells.write[first + lane * per_lane + i], mine);
  }
  if (!easy) return false;
  for (std::uint32_t lane = 0; lane < kWarpSize; ++lane) {
    const std::uint64_t mine = access.stamps[lane];
    for (std::uint32_t i = 0; i < per_lane; ++i) {
      const std::uint64_t at = first + lane * per_lane + i;
      const std::uint64_t last = cells.read[0][at];
      cells.read[2][at] = ((last ^ mine) & stamp::kWarpMask) != 0 ? last : cells.read[2][at];
      cells.read[1][at] = ((last ^ mine) & stamp::kThreadMask) != 0 ? last : cells.read[1][at];
      cells.read[0][at] = mine;
    }
  }
  return true;
}

bool Checker::ContiguousWrite() const {
  const std::uint32_t per_lane = access.bytes / 4;
  const std::uint64_t first = access.offsets[0] / 4;
  const ShadowRegion::Cells& cells = access.region->words;
  bool easy = true;
  for (std::uint32_t lane = 0; lane < kWarpSize; ++lane) {
    const std::uint64_t mine = access.stamps[lane];
    for (std::uint32_t i = 0; i < per_lane; ++i) {
      const std::uint64_t at = first + lane * per_lane + i;
      easy &= Easy(cells.write[at], mine) & Easy(cells.read[0][at], mine) &
              Easy(cells.read[1][at], mine) & Easy(cells.read[2][at], mine);
    }
  }
  if (!easy) return false;
  if (access.kind == AccessKind::kAsyncIssue) return true;
  for (std::uint32_t lane = 0; lane < kWarpSize; ++lane) {
    for (std::uint32_t i = 0; i < per_lane; ++i)
      cells.write[first + lane * per_lane + i] = access.stamps[lane];
  }
  return true;
}

// All lanes read the same place, and no recent write stands there.
bool Checker::EasyBroadcast() const {
  if (access.kind != AccessKind::kRead || access.lanes != kAllLanes) return false;
  bool same = true;
  for (int lane = 1; lane < kWarpSize; ++lane) same &= access.offsets[lane] == access.offsets[0];
  for (std::uint64_t word = access.offsets[0] / 4;
       same && word * 4 < access.offsets[0] + access.bytes; ++word) {
    same = access.region->words.write[word] < own_known &&
           Easy(access.region->words.write[word], own_base);
  }
  return same;
}

bool IsContiguous(const ShadowAccess& access) {
  if (access.lanes != kAllLanes || access.bytes % 4 != 0 || access.offsets[0] % 4 != 0)
    return false;
  bool contiguous = true;
  for (std::uint32_t lane = 0; lane < kWarpSize; ++lane) {
    contiguous &= access.offsets[lane] == access.offsets[0] + std::uint64_t{lane} * access.bytes;
  }
  return contiguous;
}

int FirstUninitialised(const ShadowAccess& access, bool contiguous) {
  if (contiguous &&
      access.region->Initialised(access.offsets[0], std::uint64_t{access.bytes} * kWarpSize))
    return -1;
  for (LaneMask rest = access.lanes; rest != 0; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    if (!access.region->Initialised(access.offsets[lane], access.bytes)) return lane;
  }
  return -1;
}

}  // namespace

void Knowledge::Start(std::size_t warps, std::uint64_t serial) {
  serial_ = serial;
  time_ = 1;
  block_floor_ = 0;
  warp_floor_.assign(warps, 0);
  between_.clear();
  lanes_.clear();
  lanes_.resize(warps);
}

void Knowledge::BlockBarrier() { block_floor_ = ++time_; }

Knowledge::Arrival Knowledge::Arrive(int warp, bool waits) {
  Arrival arrival{warp, waits, ++time_, {}};
  if (!between_.empty()) arrival.row = between_[static_cast<std::size_t>(warp)];
  return arrival;
}

void Knowledge::PartialBarrier(const std::vector<Arrival>& arrivals) {
  const std::size_t all = warp_floor_.size();
  if (between_.empty()) between_.assign(all, std::vector<std::uint64_t>(all, 0));
  std::vector<std::uint64_t> joined(all, 0);
  for (const Arrival& arrival : arrivals) {
    for (std::size_t i = 0; i < arrival.row.size(); ++i)
      joined[i] = std::max(joined[i], arrival.row[i]);
    auto& own = joined[static_cast<std::size_t>(arrival.warp)];
    own = std::max(own, arrival.time);
  }
  for (const Arrival& arrival : arrivals) {
    if (!arrival.waits) continue;
    auto& row = between_[static_cast<std::size_t>(arrival.warp)];
    for (std::size_t i = 0; i < all; ++i) row[i] = std::max(row[i], joined[i]);
  }
}

void Knowledge::WarpBarrier(int warp, LaneMask lanes, bool whole) {
  ++time_;
  if (whole) {
    warp_floor_[static_cast<std::size_t>(warp)] = time_;
    return;
  }
  auto& times = lanes_[static_cast<std::size_t>(warp)];
  if (times == nullptr) times = std::make_unique<LaneTimes>();
  std::array<std::uint32_t, kWarpSize> joined{};
  for (LaneMask rest = lanes; rest != 0; rest &= rest - 1) {
    const auto& row = (*times)[static_cast<std::size_t>(std::countr_zero(rest))];
    for (std::size_t i = 0; i < kWarpSize; ++i) joined[i] = std::max(joined[i], row[i]);
  }
  for (LaneMask rest = lanes; rest != 0; rest &= rest - 1) {
    joined[static_cast<std::size_t>(std::countr_zero(rest))] = static_cast<std::uint32_t>(time_);
  }
  for (LaneMask rest = lanes; rest != 0; rest &= rest - 1) {
    (*times)[static_cast<std::size_t>(std::countr_zero(rest))] = joined;
  }
}

std::uint64_t Knowledge::Known(int thread, int other) const {
  const auto warp = static_cast<std::size_t>(thread / kWarpSize);
  const auto other_warp = static_cast<std::size_t>(other / kWarpSize);
  std::uint64_t known = block_floor_;
  if (!between_.empty()) known = std::max(known, between_[warp][other_warp]);
  if (warp != other_warp) return known;
  known = std::max(known, warp_floor_[warp]);
  if (lanes_[warp] != nullptr) {
    const auto& row = (*lanes_[warp])[static_cast<std::size_t>(thread % kWarpSize)];
    known = std::max<std::uint64_t>(known, row[static_cast<std::size_t>(other % kWarpSize)]);
  }
  return known;
}

ShadowRegion::ShadowRegion(std::uint64_t bytes) : bytes_(bytes), initialised_((bytes + 15) / 8, 0) {
  const std::uint64_t count = bytes / 4 + 1;
  word_map_ = count * sizeof(std::uint64_t) * kArrays;
  words = CellsAt(MapZero(word_map_), count);
}

ShadowRegion::~ShadowRegion() {
  munmap(words.write, word_map_);
  if (byte_map_ != 0) munmap(bytes_of_words.write, byte_map_);
}

void ShadowRegion::NeedBytes() {
  if (byte_map_ != 0) return;
  const std::uint64_t count = bytes_ + 4;
  byte_map_ = count * sizeof(std::uint64_t) * kArrays;
  bytes_of_words = CellsAt(MapZero(byte_map_), count);
}

void ShadowRegion::ForgetAccesses() {
  madvise(words.write, word_map_, MADV_DONTNEED);
  if (byte_map_ != 0) madvise(bytes_of_words.write, byte_map_, MADV_DONTNEED);
}

void ShadowRegion::SetInitialised(std::uint64_t offset, std::uint64_t count) {
  if (all_initialised_) return;
  if (offset == 0 && count >= bytes_) all_initialised_ = true;
  const std::uint64_t end = offset + count;
  while (offset < end && offset % 8 != 0) {
    initialised_[offset / 8] |= static_cast<std::uint8_t>(1U << (offset % 8));
    ++offset;
  }
  const std::uint64_t whole = (end - offset) / 8;
  if (offset < end && whole > 0) std::memset(initialised_.data() + offset / 8, 0xFF, whole);
  for (offset += 8 * whole; offset < end; ++offset) {
    initialised_[offset / 8] |= static_cast<std::uint8_t>(1U << (offset % 8));
  }
}

void ShadowRegion::ClearInitialised() {
  all_initialised_ = false;
  std::fill(initialised_.begin(), initialised_.end(), std::uint8_t{0});
}

bool ShadowRegion::Initialised(std::uint64_t offset, std::uint64_t count) const {
  if (all_initialised_) return true;
  const std::uint64_t end = offset + count;
  for (; offset < end && offset % 8 != 0; ++offset) {
    if ((initialised_[offset / 8] >> (offset % 8) & 1) == 0) return false;
  }
  for (; offset + 8 <= end; offset += 8) {
    if (initialised_[offset / 8] != 0xFF) return false;
  }
  for (; offset < end; ++offset) {
    if ((initialised_[offset / 8] >> (offset % 8) & 1) == 0) return false;
  }
  return true;
}

bool CheckAndRecord(const ShadowAccess& access, Conflict& conflict, int& uninitialised) {
  const Checker checker(access);
  const bool contiguous = IsContiguous(access);
  uninitialised = -1;
  if (access.kind != AccessKind::kWrite && access.kind != AccessKind::kAsyncIssue) {
    uninitialised = FirstUninitialised(access, contiguous);
  }
  bool done = false;
  bool fine = true;
  if (contiguous && !checker.atomic) {
    done = Writes(access.kind) ? checker.ContiguousWrite() : checker.ContiguousRead();
  }
  if (!done) {
    LaneMask lanes = access.lanes;
    // Of many readers of one place only the last two leave a trace.
    if (checker.EasyBroadcast()) lanes = LaneMask{3} << 30;
    for (; lanes != 0 && fine; lanes &= lanes - 1)
      fine = checker.Lane(std::countr_zero(lanes), conflict);
  }
  if (access.kind == AccessKind::kWrite || access.kind == AccessKind::kAtomic) {
    if (contiguous) {
      access.region->SetInitialised(access.offsets[0], std::uint64_t{access.bytes} * kWarpSize);
    } else {
      for (LaneMask rest = access.lanes; rest != 0; rest &= rest - 1) {
        access.region->SetInitialised(access.offsets[std::countr_zero(rest)], access.bytes);
      }
    }
  }
  return fine;
}

}  // namespace paluku::emulator
