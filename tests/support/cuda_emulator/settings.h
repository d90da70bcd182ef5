// Settings of the emulator: read once from the environment (PALUKU_EMU_*, see README.md), changed
// later by tests.
//
// One process-wide object. Launches and API calls read it; nothing caches a value beyond one
// launch.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/support/cuda_emulator/cuda_emulator.h"

namespace paluku::emulator {

enum class Order { kAscending, kDescending, kRandom };
enum class StreamOrder { kLate, kEager, kRandom };

// Faults to inject. Numbers count from 1; 0 means never.
struct Faults {
  bool no_driver = false;        // cudaGetDeviceCount returns 35
  bool no_device = false;        // ... 100
  bool no_cublas = false;        // cublasCreate fails
  std::uint64_t memory = 0;      // cudaMalloc fails once this many bytes would be in use
  std::uint64_t launch = 0;      // this launch fails (and leaves a sticky error)
  std::uint64_t lost = 0;        // from this launch on, every call fails: the device is gone
  std::uint64_t allocation = 0;  // this allocation fails, later ones work
};

struct Settings {
  bool shadow = true;
  bool count = false;
  Order order = Order::kAscending;
  std::uint64_t seed = 1;
  std::uint32_t preempt =
      0;  // longest run of instructions between switches; 0: run to the next synchronisation
  std::uint32_t perturb = 0;  // ulp that approximate instructions are off
  StreamOrder streams = StreamOrder::kLate;
  std::uint32_t verbose = 20;  // reports printed
  bool fail = true;            // a process that ends with reports nobody cleared exits with 97
  std::uint32_t arch = 0;      // compute capability x 10; 0: that of the loaded code
  std::uint32_t processors = 20;
  std::uint64_t memory = std::uint64_t{8} << 30;
  std::string ptx;      // file that replaces the PTX of the module with the same kernels
  std::string kernels;  // file that gets the names of kernels loaded and launched
  Faults faults;
};

PALUKU_EMU_EXPORT Settings& settings();

// Returns false when there is no such setting or the value makes no sense.
bool SetSetting(std::string_view name, std::string_view value);

}  // namespace paluku::emulator
