// What runs: a block and its warps.
//
// A warp's lanes stand at one or more places of the code (fragments). The scheduler picks a
// fragment and runs it until it must wait; lanes that meet again at one place go on together.
// Nothing depends on that lockstep: races are found by shadow memory, and the setting "preempt"
// cuts fragments into arbitrary pieces. Used by one thread.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/cuda_emulator/device_memory.h"
#include "tests/support/cuda_emulator/instruction.h"
#include "tests/support/cuda_emulator/random.h"
#include "tests/support/cuda_emulator/shadow_memory.h"

namespace paluku::emulator {

class Block;

struct Dim3 {
  std::uint32_t x = 1;
  std::uint32_t y = 1;
  std::uint32_t z = 1;
  std::uint64_t Count() const { return std::uint64_t{x} * y * z; }
};

// A cp.async whose data has not arrived.
struct AsyncCopy {
  int lane;
  std::uint32_t group;  // the lane's group number it belongs to
  std::uint64_t to;     // offset in shared memory
  std::uint64_t from;   // global address
  std::uint32_t bytes;
  std::uint32_t source_bytes;  // the rest is zero
  const Instruction* instruction;
};

struct Fragment {
  enum class State { kReady, kAtBarrier, kAtCollective };
  std::uint32_t pc = 0;
  LaneMask lanes = 0;
  State state = State::kReady;
  LaneMask members = 0;  // of the collective it waits for
  std::uint32_t barrier = 0;
};

// Addresses of one access, lane by lane, and where they lie in our own memory.
struct LaneAccess {
  std::uint64_t address[kWarpSize];
  std::byte* pointer[kWarpSize];
};

class Warp {
 public:
  Warp(Block& block, int index) : block_(&block), index_(index) {}
  void Start(std::byte* registers, std::byte* local, LaneMask exists);

  Block& block() const { return *block_; }
  int index() const { return index_; }
  LaneMask exists() const { return exists_; }
  LaneMask live() const { return exists_ & ~exited_; }

  template <class T>
  T* Lanes(std::uint32_t offset) {
    return reinterpret_cast<T*>(registers_ + offset);
  }
  std::uint32_t Predicate(std::uint32_t number) const { return predicates_[number]; }
  void SetPredicate(std::uint32_t number, LaneMask active, std::uint32_t values) {
    predicates_[number] = (predicates_[number] & ~active) | (values & active);
  }
  // The carry flag of each lane (add.cc and its like).
  LaneMask carries() const { return carries_; }
  void SetCarries(LaneMask active, LaneMask values) {
    carries_ = (carries_ & ~active) | (values & active);
  }
  std::byte* local() const { return local_; }

  // "kernel k, thread (1,0,0) of block (0,2,0) at file.cu:12"
  std::string Where(const Instruction& instruction, int lane) const;

  std::vector<AsyncCopy> copies;
  std::uint32_t open_group[kWarpSize] = {};  // groups that the lane has committed

 private:
  friend class Block;

  Block* block_;
  int index_;
  std::byte* registers_ = nullptr;
  std::byte* local_ = nullptr;
  std::vector<std::uint32_t> predicates_;
  LaneMask carries_ = 0;
  LaneMask exists_ = 0;
  LaneMask exited_ = 0;
  std::vector<Fragment> fragments_;
};

// Counters of the launch in progress; see cuda_emulator.h.
struct LaunchCounters {
  std::uint64_t warp_instructions = 0;
  std::uint64_t thread_instructions = 0;
  std::uint64_t requests = 0;
  std::uint64_t request_sectors = 0;
  std::uint64_t shared_requests = 0;
  std::uint64_t shared_conflicts = 0;
};

struct LaunchShape {
  Dim3 grid;
  Dim3 block;
  std::uint32_t dynamic_shared = 0;
  const std::byte* parameters = nullptr;
};

class Block {
 public:
  Block(const Kernel& kernel, const LaunchShape& shape, Random& random, LaunchCounters& counters);

  // Runs one block to its end. serial: of the shadow stamps. Returns false when the launch must
  // stop.
  bool Run(Dim3 index, std::uint64_t serial, std::uint64_t launch_limit);

  const Kernel& kernel() const { return kernel_; }
  const LaunchShape& shape() const { return shape_; }
  Dim3 index() const { return index_; }
  Random& random() { return random_; }
  LaunchCounters& counters() { return counters_; }
  Knowledge& knowledge() { return knowledge_; }
  void Abort() { aborted_ = true; }
  bool aborted() const { return aborted_; }

  // Checks an access of `bytes` a lane and fills access.pointer. Returns false, after a report,
  // when it cannot be made.
  bool Access(Warp& warp, const Instruction& instruction, LaneMask lanes, AccessKind kind,
              Space space, std::uint32_t bytes, LaneAccess& access);
  // Lane by lane reports are the same few defects over and over: true the first time.
  bool FirstTime(const Instruction& instruction, const void* other);

  // Lanes in the order in which one instruction's effects happen.
  template <class F>
  void ForLanesInOrder(LaneMask lanes, F&& visit) const {
    if (descending_) {
      for (; lanes != 0; lanes &= ~(LaneMask{1} << (31 - std::countl_zero(lanes))))
        visit(31 - std::countl_zero(lanes));
    } else {
      for (; lanes != 0; lanes &= lanes - 1) visit(std::countr_zero(lanes));
    }
  }

 private:
  struct Barrier {
    std::uint32_t arrived = 0;   // threads
    std::uint32_t expected = 0;  // 0: all live threads
    bool any = false;
    std::vector<Knowledge::Arrival> arrivals;
    std::uint32_t votes = 0;  // threads whose predicate holds
    std::uint32_t voters = 0;
  };

  // Scheduling (scheduler.cpp).
  void StartBlock(Dim3 index, std::uint64_t serial);
  bool RunWarp(Warp& warp);
  std::size_t PickFragment(const Warp& warp);
  void RunFragment(Warp& warp, std::size_t index);
  void RunQuantum(Warp& warp, Fragment fragment, std::uint32_t quantum, std::uint32_t limit);
  void PutFragment(Warp& warp, const Fragment& fragment);
  std::size_t RunnableWarp();
  void Exit(Warp& warp, const Instruction& instruction, LaneMask lanes);
  // Meeting points (meeting.cpp).
  void ArriveAtCollective(Warp& warp, Fragment fragment);
  bool TryCollective(Warp& warp, LaneMask members);
  bool RetryCollectives();
  void ArriveAtBarrier(Warp& warp, Fragment fragment);
  void CheckSameBarrier(Warp& warp, const Fragment& fragment, std::uint32_t id, bool everybody);
  bool TryReleaseBarrier(std::uint32_t id, bool quiet);
  bool ReleaseQuietBarriers();
  void ReportDeadlock();
  // Memory (memory_access.cpp).
  bool ResolveShared(Warp& warp, const Instruction& instruction, LaneMask lanes,
                     std::uint32_t bytes, LaneAccess& access);
  bool ResolveDevice(Warp& warp, const Instruction& instruction, LaneMask lanes, AccessKind kind,
                     std::uint32_t bytes, LaneAccess& access);
  bool ResolveLocal(Warp& warp, const Instruction& instruction, LaneMask lanes, std::uint32_t bytes,
                    LaneAccess& access);
  bool ResolveParam(Warp& warp, const Instruction& instruction, LaneMask lanes, std::uint32_t bytes,
                    LaneAccess& access);
  void CheckShadow(Warp& warp, const Instruction& instruction, LaneMask lanes, AccessKind kind,
                   std::uint32_t bytes, const std::uint64_t* offsets, ShadowRegion& region,
                   bool shared);
  bool SharedHolds(std::uint64_t offset, std::uint64_t bytes) const;
  void ReportBadAccess(const Warp& warp, const Instruction& instruction, int lane,
                       std::uint32_t bytes, const std::pair<std::string, std::string>& why);

  const Kernel& kernel_;
  const LaunchShape& shape_;
  Random& random_;
  LaunchCounters& counters_;
  Knowledge knowledge_;
  Dim3 index_;
  std::uint32_t threads_ = 0;
  std::uint32_t live_threads_ = 0;
  std::uint64_t launch_limit_ = 0;
  bool aborted_ = false;
  bool descending_ = false;
  bool shadow_ = true;
  std::uint32_t preempt_ = 0;
  std::vector<Warp> warps_;
  std::vector<std::byte> register_files_;
  std::vector<std::byte> locals_;
  std::vector<std::byte> shared_;
  ShadowRegion shared_shadow_;
  Barrier barriers_[16];
  std::set<std::pair<const void*, const void*>> reported_;
};

}  // namespace paluku::emulator
