// Runs one kernel launch, block after block, and keeps the log of launches.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tests/support/cuda_emulator/cuda_emulator.h"
#include "tests/support/cuda_emulator/warp.h"

namespace paluku::emulator {

// parameters: the kernel's, laid out as in the PTX. False after a defect that stops a kernel (it is
// reported).
bool RunLaunch(const Kernel& kernel, const LaunchShape& shape);

struct LaunchRecord {
  const char* kernel;
  LaunchShape shape;
  PalukuEmuCounters counters;
};

// Says in the file of the setting "kernels", once each: "loaded NAME", "launched NAME".
void NoteKernel(const char* what, const std::string& name);

// A product of the stand-in for cuBLAS; on a card it is a kernel as well.
PALUKU_EMU_EXPORT void LogLibraryProduct(const char* name);

// The log since the last reset.
const std::vector<LaunchRecord>& LaunchLog();
void ResetLaunchLog();

}  // namespace paluku::emulator
