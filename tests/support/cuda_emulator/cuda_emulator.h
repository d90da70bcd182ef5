// The emulator's own interface for tests: settings, reports and counters. Everything else goes
// through CUDA's functions.
//
// Link the target `cuda_emulator`, or, when the CUDA library under test is opened at run time,
// include this header in the test and link the target all the same: there is one emulator in a
// process. All functions may be called from any thread; a report made by a kernel exists once its
// stream has been synchronised.
#pragma once

#include <cstddef>
#include <cstdint>

#define PALUKU_EMU_EXPORT __attribute__((visibility("default")))

extern "C" {

// What one launch (or all launches since the last reset) did. Memory figures are zero unless
// counting is on (setting "count"). A sector is 32 aligned bytes of device or mapped host memory.
struct PalukuEmuCounters {
  uint64_t launches;
  uint64_t warp_instructions;
  uint64_t thread_instructions;
  uint64_t sectors_read;      // distinct sectors read in the launch
  uint64_t sectors_written;   // distinct sectors written in the launch
  uint64_t requests;          // warp-wide accesses to global memory
  uint64_t request_sectors;   // sectors of each request, summed: / requests = sectors per request
  uint64_t shared_requests;   // warp-wide accesses to shared memory
  uint64_t shared_conflicts;  // extra passes over the 32 banks that those needed
};

struct PalukuEmuLaunch {
  const char* kernel;  // mangled name, valid until the log is reset
  uint32_t grid[3];
  uint32_t block[3];
  uint32_t dynamic_shared_bytes;
  PalukuEmuCounters counters;
};

// Changes a setting, named as in README.md without the prefix and in lower case ("order", "seed",
// "count", "fault" ...). Returns 0, or 1 when there is no such setting or the value makes no sense.
PALUKU_EMU_EXPORT int paluku_emu_set(const char* name, const char* value);

// Reports since the last clear: defects that the checks found, one line each.
PALUKU_EMU_EXPORT size_t paluku_emu_report_count(void);
PALUKU_EMU_EXPORT const char* paluku_emu_report(size_t index);
PALUKU_EMU_EXPORT void paluku_emu_clear_reports(void);

// Counters and the log of launches since the last reset.
PALUKU_EMU_EXPORT PalukuEmuCounters paluku_emu_counters(void);
PALUKU_EMU_EXPORT size_t paluku_emu_launch_count(void);
PALUKU_EMU_EXPORT PalukuEmuLaunch paluku_emu_launch(size_t index);
PALUKU_EMU_EXPORT void paluku_emu_reset_counters(void);

// Device memory in use by cudaMalloc and its like, in bytes, and the most there has been since the
// last counter reset.
PALUKU_EMU_EXPORT size_t paluku_emu_memory_used(void);
PALUKU_EMU_EXPORT size_t paluku_emu_memory_peak(void);
}
