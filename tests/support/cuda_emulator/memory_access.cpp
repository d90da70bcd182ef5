// From addresses to memory: alignment, bounds, shadow, counters.
#include <algorithm>

#include "tests/support/cuda_emulator/access_counter.h"
#include "tests/support/cuda_emulator/report.h"
#include "tests/support/cuda_emulator/settings.h"
#include "tests/support/cuda_emulator/warp.h"

namespace paluku::emulator {
namespace {

const char* Verb(AccessKind kind) {
  switch (kind) {
    case AccessKind::kWrite:
      return "write";
    case AccessKind::kAtomic:
      return "atomic";
    case AccessKind::kAsyncIssue:
      return "cp.async";
    default:
      return "read";
  }
}

// Least and greatest address of the lanes.
std::pair<std::uint64_t, std::uint64_t> Range(const LaneAccess& access, LaneMask lanes) {
  std::uint64_t low = ~std::uint64_t{0};
  std::uint64_t high = 0;
  if (lanes == kAllLanes) {
    for (const std::uint64_t address : access.address) {
      low = std::min(low, address);
      high = std::max(high, address);
    }
    return {low, high};
  }
  for (; lanes != 0; lanes &= lanes - 1) {
    const std::uint64_t address = access.address[std::countr_zero(lanes)];
    low = std::min(low, address);
    high = std::max(high, address);
  }
  return {low, high};
}

// Lanes whose address is no multiple of `bytes` (a power of two).
LaneMask Misaligned(const LaneAccess& access, LaneMask lanes, std::uint32_t bytes) {
  std::uint64_t any = 0;
  for (const std::uint64_t address : access.address) any |= address;
  if ((any & (bytes - 1)) == 0) return 0;
  LaneMask wrong = 0;
  for (LaneMask rest = lanes; rest != 0; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    if ((access.address[lane] & (bytes - 1)) != 0) wrong |= LaneMask{1} << lane;
  }
  return wrong;
}

}  // namespace

bool Block::Access(Warp& warp, const Instruction& in, LaneMask lanes, AccessKind kind, Space space,
                   std::uint32_t bytes, LaneAccess& access) {
  if (const LaneMask wrong = Misaligned(access, lanes, bytes); wrong != 0) {
    const int lane = std::countr_zero(wrong);
    if (FirstTime(in, nullptr)) {
      Report("MISALIGNED",
             std::to_string(bytes) + "-byte " + Verb(kind) + ": " + warp.Where(in, lane));
    }
    aborted_ = true;  // hardware stops here too
    return false;
  }
  switch (space) {
    case Space::kShared:
      if (!ResolveShared(warp, in, lanes, bytes, access)) return false;
      if (shadow_) CheckShadow(warp, in, lanes, kind, bytes, access.address, shared_shadow_, true);
      return true;
    case Space::kLocal:
      return ResolveLocal(warp, in, lanes, bytes, access);
    case Space::kParam:
      return ResolveParam(warp, in, lanes, bytes, access);
    case Space::kGlobal:
    case Space::kConst:
      return ResolveDevice(warp, in, lanes, kind, bytes, access);
    case Space::kGeneric:
      break;
  }
  // Generic: lanes may point into different spaces.
  while (lanes != 0) {
    const std::uint64_t window = access.address[std::countr_zero(lanes)] & kWindowMask;
    LaneMask same = 0;
    for (LaneMask rest = lanes; rest != 0; rest &= rest - 1) {
      const int lane = std::countr_zero(rest);
      if ((access.address[lane] & kWindowMask) == window) same |= LaneMask{1} << lane;
    }
    const Space actual = window == kSharedWindow  ? Space::kShared
                         : window == kLocalWindow ? Space::kLocal
                         : window == kParamWindow ? Space::kParam
                                                  : Space::kGlobal;
    if (!Access(warp, in, same, kind, actual, bytes, access)) return false;
    lanes &= ~same;
  }
  return true;
}

bool Block::SharedHolds(std::uint64_t offset, std::uint64_t bytes) const {
  const auto inside = [&](std::uint64_t begin, std::uint64_t size) {
    return offset >= begin && offset + bytes <= begin + size;
  };
  if (inside(kernel_.dynamic_offset, shape_.dynamic_shared)) return true;
  return std::any_of(kernel_.shared.begin(), kernel_.shared.end(),
                     [&](const SharedPlace& place) { return inside(place.offset, place.size); });
}

bool Block::ResolveShared(Warp& warp, const Instruction& in, LaneMask lanes, std::uint32_t bytes,
                          LaneAccess& access) {
  for (std::uint64_t& address : access.address) address &= 0xFFFFFFFFU;
  const auto [low, high] = Range(access, lanes);
  if (!SharedHolds(low, high + bytes - low)) {
    for (LaneMask rest = lanes; rest != 0; rest &= rest - 1) {
      const int lane = std::countr_zero(rest);
      if (SharedHolds(access.address[lane], bytes)) continue;
      ReportBadAccess(warp, in, lane, bytes,
                      {"OUT-OF-BOUNDS", "no variable in shared memory lies there"});
      return false;
    }
  }
  std::byte* const base = shared_.data();
  for (int lane = 0; lane < kWarpSize; ++lane) access.pointer[lane] = base + access.address[lane];
  if (settings().count) CountShared(counters_, access.address, lanes, bytes);
  return true;
}

bool Block::ResolveDevice(Warp& warp, const Instruction& in, LaneMask lanes, AccessKind kind,
                          std::uint32_t bytes, LaneAccess& access) {
  DeviceMemory& memory = DeviceMemory::Get();
  const auto [low, high] = Range(access, lanes);
  const auto use = [&](Allocation& allocation, LaneMask which) {
    std::uint64_t offsets[kWarpSize];
    for (int lane = 0; lane < kWarpSize; ++lane) {
      offsets[lane] = access.address[lane] - allocation.begin;
      if ((which >> lane & 1) != 0) access.pointer[lane] = allocation.storage + offsets[lane];
    }
    if (shadow_ && allocation.shadow != nullptr) {
      CheckShadow(warp, in, which, kind, bytes, offsets, *allocation.shadow, false);
    }
    if (settings().count) CountDevice(allocation, offsets, which, bytes, kind != AccessKind::kRead);
  };
  if (settings().count && in.space != Space::kConst)
    CountRequest(counters_, access.address, lanes, bytes);
  if (Allocation* all = memory.Find(low, high + bytes - low); all != nullptr) {
    use(*all, lanes);
    return true;
  }
  while (lanes != 0) {
    const int first = std::countr_zero(lanes);
    Allocation* allocation = memory.Find(access.address[first], bytes);
    if (allocation == nullptr) {
      ReportBadAccess(warp, in, first, bytes, memory.Explain(access.address[first], bytes));
      return false;
    }
    LaneMask same = 0;
    for (LaneMask rest = lanes; rest != 0; rest &= rest - 1) {
      const int lane = std::countr_zero(rest);
      if (access.address[lane] >= allocation->begin &&
          access.address[lane] + bytes <= allocation->end()) {
        same |= LaneMask{1} << lane;
      }
    }
    use(*allocation, same);
    lanes &= ~same;
  }
  return true;
}

bool Block::ResolveLocal(Warp& warp, const Instruction& in, LaneMask lanes, std::uint32_t bytes,
                         LaneAccess& access) {
  for (LaneMask rest = lanes; rest != 0; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    const std::uint64_t offset = access.address[lane] - kLocalWindow;
    if (offset > kernel_.local_bytes || offset + bytes > kernel_.local_bytes) {
      ReportBadAccess(warp, in, lane, bytes,
                      {"OUT-OF-BOUNDS", "outside the thread's local memory"});
      return false;
    }
    access.pointer[lane] =
        warp.local() + static_cast<std::size_t>(lane) * kernel_.local_bytes + offset;
  }
  return true;
}

bool Block::ResolveParam(Warp& warp, const Instruction& in, LaneMask lanes, std::uint32_t bytes,
                         LaneAccess& access) {
  for (LaneMask rest = lanes; rest != 0; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    // Arguments of expanded functions lie in local memory.
    if ((access.address[lane] & kWindowMask) == kLocalWindow)
      return ResolveLocal(warp, in, lanes, bytes, access);
    const std::uint64_t offset = access.address[lane] - kParamWindow;
    if (offset > kernel_.parameter_bytes || offset + bytes > kernel_.parameter_bytes) {
      ReportBadAccess(warp, in, lane, bytes, {"OUT-OF-BOUNDS", "outside the kernel's parameters"});
      return false;
    }
    access.pointer[lane] = const_cast<std::byte*>(shape_.parameters) + offset;
  }
  return true;
}

void Block::ReportBadAccess(const Warp& warp, const Instruction& in, int lane, std::uint32_t bytes,
                            const std::pair<std::string, std::string>& why) {
  if (FirstTime(in, &warp)) {
    Report(why.first, std::string(in.name) + " of " + std::to_string(bytes) + " bytes, " +
                          why.second + ": " + warp.Where(in, lane));
  }
  aborted_ = true;
}

void Block::CheckShadow(Warp& warp, const Instruction& in, LaneMask lanes, AccessKind kind,
                        std::uint32_t bytes, const std::uint64_t* offsets, ShadowRegion& region,
                        bool shared) {
  std::uint64_t stamps[kWarpSize];
  const bool atomic = kind == AccessKind::kAtomic || kind == AccessKind::kAtomicRead;
  const std::uint64_t base = knowledge_.serial() << stamp::kSerialShift |
                             knowledge_.time() << stamp::kTimeShift | std::uint64_t{in.site} << 1 |
                             (atomic ? stamp::kAtomicBit : 0);
  const auto thread = static_cast<std::uint64_t>(warp.index()) * kWarpSize;
  for (std::uint64_t lane = 0; lane < kWarpSize; ++lane)
    stamps[lane] = base | (thread + lane) << stamp::kThreadShift;
  Conflict conflict{};
  int uninitialised = -1;
  const ShadowAccess access{&region, shared,  launch_limit_, kind,       lanes,
                            bytes,   offsets, stamps,        &knowledge_};
  const bool fine = CheckAndRecord(access, conflict, uninitialised);
  const char* memory = shared ? "shared" : "global";
  if (uninitialised >= 0 && FirstTime(in, &region)) {
    Report("UNINITIALISED READ", std::string(memory) + " memory, " + std::to_string(bytes) +
                                     " bytes: " + warp.Where(in, uninitialised));
  }
  if (fine) return;
  const SourceLine theirs = kernel_.sites[stamp::Site(conflict.other)];
  if (!FirstTime(in, &kernel_.sites[stamp::Site(conflict.other)])) return;
  const bool other_block = ((conflict.other ^ stamps[0]) & stamp::kSerialMask) != 0;
  Report("RACE", std::string(memory) + " memory, " + Verb(kind) + " of " + std::to_string(bytes) +
                     " bytes: " + warp.Where(in, conflict.lane) + ", against the " +
                     conflict.other_what + " by thread " +
                     std::to_string(stamp::Thread(conflict.other)) +
                     (other_block ? " of another block" : " of the same block") + " at " +
                     kernel_.Place(theirs));
}

}  // namespace paluku::emulator
