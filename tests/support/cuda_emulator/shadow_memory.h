// Shadow memory: who touched each byte last, and whether it was ever written.
//
// Cells hold the last write, the last two readers and the last reader of another warp (FastTrack
// with a bounded reader set), as 64-bit stamps. There is a cell per aligned 4-byte word; a word
// that is accessed in parts gets a cell per byte until nothing of it is in flight. Accesses are
// ordered by block barriers, warp barriers and nothing else: shuffles and lockstep order no memory.
// Atomic accesses do not race with each other.
//
// One region per device allocation and one for shared memory. Used by the thread that runs kernels.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "tests/support/cuda_emulator/instruction.h"

namespace paluku::emulator {

enum class AccessKind { kRead, kWrite, kAtomic, kAtomicRead, kAsyncIssue };

// Stamp: block serial (20 bits) | time in the block (20) | thread (10) | site (13) | atomic (1). A
// greater stamp is never older than a smaller one of the same block.
namespace stamp {
inline constexpr int kSerialShift = 44;
inline constexpr int kTimeShift = 24;
inline constexpr int kThreadShift = 14;
inline constexpr std::uint64_t kAtomicBit = 1;
inline constexpr std::uint64_t kMostSerial = (std::uint64_t{1} << 20) - 2;
inline constexpr std::uint64_t kMostTime = (std::uint64_t{1} << 20) - 1;
inline constexpr std::uint64_t kSerialMask = ~std::uint64_t{0} << kSerialShift;
inline constexpr std::uint64_t kThreadMask = kSerialMask | (std::uint64_t{1023} << kThreadShift);
inline constexpr std::uint64_t kWarpMask = kSerialMask | (std::uint64_t{1023 - 31} << kThreadShift);
inline constexpr std::uint64_t kSplit = ~std::uint64_t{0};  // look at the cells of the bytes

inline std::uint64_t Time(std::uint64_t s) { return s >> kTimeShift & kMostTime; }
inline int Thread(std::uint64_t s) { return static_cast<int>(s >> kThreadShift & 1023); }
inline std::size_t Site(std::uint64_t s) { return s >> 1 & (kMostSites - 1); }
}  // namespace stamp

// What the threads of a block know of each other's accesses: "all that happened before time T".
class Knowledge {
 public:
  void Start(std::size_t warps, std::uint64_t serial);
  std::uint64_t serial() const { return serial_; }
  std::uint64_t time() const { return time_; }
  // Everything before this time is known to every thread.
  std::uint64_t block_floor() const { return block_floor_; }

  // What a warp brings to a barrier: all that it did and knew before.
  struct Arrival {
    int warp;
    bool waits;  // bar.arrive does not wait, and learns nothing
    std::uint64_t time;
    std::vector<std::uint64_t> row;
  };
  Arrival Arrive(int warp, bool waits);
  // Everybody waited: one floor for all.
  void BlockBarrier();
  void PartialBarrier(const std::vector<Arrival>& arrivals);
  // lanes: those that met; whole: no other lane of the warp lives.
  void WarpBarrier(int warp, LaneMask lanes, bool whole);
  // Time before which `thread` knows what `other` did.
  std::uint64_t Known(int thread, int other) const;
  bool overflowed() const { return time_ >= stamp::kMostTime; }

 private:
  using LaneTimes = std::array<std::array<std::uint32_t, kWarpSize>, kWarpSize>;

  std::uint64_t serial_ = 0;
  std::uint64_t time_ = 1;
  std::uint64_t block_floor_ = 0;
  std::vector<std::uint64_t> warp_floor_;
  std::vector<std::vector<std::uint64_t>> between_;  // [warp][warp], empty until a partial barrier
  std::vector<std::unique_ptr<LaneTimes>> lanes_;    // [warp], null until a partial warp barrier
};

class ShadowRegion {
 public:
  explicit ShadowRegion(std::uint64_t bytes);
  ~ShadowRegion();
  ShadowRegion(const ShadowRegion&) = delete;
  ShadowRegion& operator=(const ShadowRegion&) = delete;

  std::uint64_t bytes() const { return bytes_; }
  void SetInitialised(std::uint64_t offset, std::uint64_t count);
  void ClearInitialised();
  bool Initialised(std::uint64_t offset, std::uint64_t count) const;
  // Forgets all accesses (block serials start again).
  void ForgetAccesses();

  // Cells of words, or of bytes once a word was split.
  struct Cells {
    std::uint64_t* write = nullptr;
    std::uint64_t* read[3] = {};
  };
  Cells words;
  Cells bytes_of_words;

  void NeedBytes();

 private:
  std::uint64_t bytes_;
  std::vector<std::uint8_t> initialised_;  // one bit a byte
  bool all_initialised_ = false;
  std::size_t word_map_ = 0;
  std::size_t byte_map_ = 0;
};

// One warp-wide access to one region.
struct ShadowAccess {
  ShadowRegion* region;
  bool shared;                 // accesses of other blocks do not count
  std::uint64_t launch_limit;  // stamps below belong to earlier launches
  AccessKind kind;
  LaneMask lanes;
  std::uint32_t bytes;           // of one lane
  const std::uint64_t* offsets;  // [32] in the region
  const std::uint64_t* stamps;   // [32]
  const Knowledge* knowledge;
};

struct Conflict {
  int lane;
  std::uint64_t other;     // stamp
  const char* other_what;  // "write", "read", "atomic"
};

// Checks and records the access. Returns true when all is well; otherwise `conflict` holds the
// first race. uninitialised: lane that reads a byte never written, or -1.
bool CheckAndRecord(const ShadowAccess& access, Conflict& conflict, int& uninitialised);

}  // namespace paluku::emulator
