#include "tests/support/cuda_emulator/launch.h"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <set>
#include <string>

#include "tests/support/cuda_emulator/access_counter.h"
#include "tests/support/cuda_emulator/settings.h"

namespace paluku::emulator {
namespace {

std::vector<LaunchRecord> launch_log;
std::uint64_t next_serial = 1;
std::uint64_t launches_begun = 0;

const char* InternName(const std::string& name) {
  static auto* names = new std::set<std::string>;
  return names->insert(name).first->c_str();
}

// Block serials are short; once they run out all stamps are forgotten and counting starts again.
std::uint64_t TakeSerial(std::uint64_t& launch_limit) {
  if (next_serial >= stamp::kMostSerial) {
    DeviceMemory::Get().ForEach([](Allocation& allocation) {
      if (allocation.shadow != nullptr) allocation.shadow->ForgetAccesses();
    });
    next_serial = 1;
    launch_limit = next_serial << stamp::kSerialShift;
  }
  return next_serial++;
}

std::vector<std::uint32_t> BlockOrder(std::uint64_t blocks, Random& random) {
  std::vector<std::uint32_t> order(blocks);
  std::iota(order.begin(), order.end(), 0U);
  if (settings().order == Order::kDescending) std::reverse(order.begin(), order.end());
  if (settings().order == Order::kRandom) {
    for (std::size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[random.Below(static_cast<std::uint32_t>(i))]);
    }
  }
  return order;
}

}  // namespace

void NoteKernel(const char* what, const std::string& name) {
  static std::FILE* file =
      settings().kernels.empty() ? nullptr : std::fopen(settings().kernels.c_str(), "w");
  static auto* known = new std::set<std::string>;
  const std::string line = std::string(what) + " " + name;
  if (file == nullptr || !known->insert(line).second) return;
  std::fprintf(file, "%s\n", line.c_str());
  std::fflush(file);
}

bool RunLaunch(const Kernel& kernel, const LaunchShape& shape) {
  NoteKernel("launched", kernel.name);
  Random random(settings().seed * 1000003 + ++launches_begun);
  LaunchCounters counters;
  Block block(kernel, shape, random, counters);
  std::uint64_t launch_limit = next_serial << stamp::kSerialShift;
  bool fine = true;
  for (const std::uint32_t i : BlockOrder(shape.grid.Count(), random)) {
    const Dim3 index{i % shape.grid.x, i / shape.grid.x % shape.grid.y,
                     i / shape.grid.x / shape.grid.y};
    const std::uint64_t serial = TakeSerial(launch_limit);
    fine = block.Run(index, serial, launch_limit);
    if (!fine) break;
  }
  LaunchRecord record{InternName(kernel.name), shape, {}};
  record.shape.parameters = nullptr;
  record.counters.launches = 1;
  record.counters.warp_instructions = counters.warp_instructions;
  record.counters.thread_instructions = counters.thread_instructions;
  record.counters.requests = counters.requests;
  record.counters.request_sectors = counters.request_sectors;
  record.counters.shared_requests = counters.shared_requests;
  record.counters.shared_conflicts = counters.shared_conflicts;
  if (settings().count) {
    const Sectors sectors = CollectSectors();
    record.counters.sectors_read = sectors.read;
    record.counters.sectors_written = sectors.written;
  }
  launch_log.push_back(record);
  return fine;
}

void LogLibraryProduct(const char* name) {
  LaunchRecord record{name, {}, {}};
  record.counters.launches = 1;
  launch_log.push_back(record);
}

const std::vector<LaunchRecord>& LaunchLog() { return launch_log; }

void ResetLaunchLog() { launch_log.clear(); }

}  // namespace paluku::emulator
