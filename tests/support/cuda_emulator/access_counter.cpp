#include "tests/support/cuda_emulator/access_counter.h"

#include <algorithm>

namespace paluku::emulator {
namespace {

constexpr std::uint8_t kRead = 1;
constexpr std::uint8_t kWritten = 2;
constexpr std::uint32_t kBanks = 32;
constexpr std::uint32_t kBytesPerPass = 128;

}  // namespace

void CountRequest(LaunchCounters& counters, const std::uint64_t* addresses, LaneMask lanes,
                  std::uint32_t bytes) {
  std::uint64_t sectors[kWarpSize * 2];
  std::size_t count = 0;
  for (; lanes != 0; lanes &= lanes - 1) {
    const std::uint64_t address = addresses[std::countr_zero(lanes)];
    sectors[count++] = address / kSectorBytes;
    if ((address + bytes - 1) / kSectorBytes != sectors[count - 1])
      sectors[count++] = (address + bytes - 1) / kSectorBytes;
  }
  std::sort(sectors, sectors + count);
  ++counters.requests;
  counters.request_sectors +=
      static_cast<std::uint64_t>(std::unique(sectors, sectors + count) - sectors);
}

void CountDevice(Allocation& allocation, const std::uint64_t* offsets, LaneMask lanes,
                 std::uint32_t bytes, bool write) {
  if (allocation.kind == Allocation::Kind::kModule) return;  // constants and tables stay in caches
  if (allocation.sectors.empty()) allocation.sectors.assign(allocation.size / kSectorBytes + 1, 0);
  // Pinned memory need not start on a sector; neither does it matter for counting.
  const std::uint8_t bit = write ? kWritten : kRead;
  for (; lanes != 0; lanes &= lanes - 1) {
    const std::uint64_t offset = offsets[std::countr_zero(lanes)];
    for (std::uint64_t s = offset / kSectorBytes; s <= (offset + bytes - 1) / kSectorBytes; ++s)
      allocation.sectors[s] |= bit;
  }
}

void CountShared(LaunchCounters& counters, const std::uint64_t* addresses, LaneMask lanes,
                 std::uint32_t bytes) {
  ++counters.shared_requests;
  // Wide accesses are served in groups of lanes whose data fill the banks once.
  const std::uint32_t group = bytes <= 4 ? kWarpSize : std::max(1U, kBytesPerPass / bytes);
  for (std::uint32_t first = 0; first < kWarpSize; first += group) {
    std::uint64_t words[kWarpSize * 4];
    std::size_t count = 0;
    for (std::uint32_t lane = first; lane < first + group; ++lane) {
      if ((lanes >> lane & 1) == 0) continue;
      for (std::uint64_t word = addresses[lane] / 4; word <= (addresses[lane] + bytes - 1) / 4;
           ++word)
        words[count++] = word;
    }
    std::sort(words, words + count);
    count = static_cast<std::size_t>(std::unique(words, words + count) - words);
    std::uint32_t in_bank[kBanks] = {};
    std::uint32_t most = 0;
    for (std::size_t i = 0; i < count; ++i) most = std::max(most, ++in_bank[words[i] % kBanks]);
    if (most > 1) counters.shared_conflicts += most - 1;
  }
}

Sectors CollectSectors() {
  Sectors sum;
  DeviceMemory::Get().ForEach([&](Allocation& allocation) {
    for (std::uint8_t& sector : allocation.sectors) {
      sum.read += sector & kRead;
      sum.written += (sector & kWritten) >> 1;
      sector = 0;
    }
  });
  return sum;
}

}  // namespace paluku::emulator
