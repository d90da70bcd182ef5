// Deterministic figures about memory traffic: sectors and bank conflicts (setting "count").
#pragma once

#include <cstdint>

#include "tests/support/cuda_emulator/warp.h"

namespace paluku::emulator {

inline constexpr std::uint64_t kSectorBytes = 32;

// One warp-wide access to device memory: how many sectors it needs.
void CountRequest(LaunchCounters& counters, const std::uint64_t* addresses, LaneMask lanes,
                  std::uint32_t bytes);
// Marks the sectors of one allocation that the launch touched.
void CountDevice(Allocation& allocation, const std::uint64_t* offsets, LaneMask lanes,
                 std::uint32_t bytes, bool write);
// One warp-wide access to shared memory: extra passes over the 32 banks of 4 bytes.
void CountShared(LaunchCounters& counters, const std::uint64_t* addresses, LaneMask lanes,
                 std::uint32_t bytes);

// Distinct sectors since the last call, over all allocations; forgets them.
struct Sectors {
  std::uint64_t read = 0;
  std::uint64_t written = 0;
};
Sectors CollectSectors();

}  // namespace paluku::emulator
