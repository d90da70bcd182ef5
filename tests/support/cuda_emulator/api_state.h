// What the API files share: the lock, the last error, memory copies, launches.
//
// Every entry of the CUDA API takes ApiLock for its whole length; the emulator behind it is
// single-threaded.
#pragma once

#include <driver_types.h>

#include <cstdint>
#include <mutex>

#include "tests/support/cuda_emulator/cuda_emulator.h"
#include "tests/support/cuda_emulator/streams.h"

namespace paluku::emulator {

class ApiLock {
 public:
  PALUKU_EMU_EXPORT ApiLock();
  PALUKU_EMU_EXPORT ~ApiLock();
  ApiLock(const ApiLock&) = delete;
  ApiLock& operator=(const ApiLock&) = delete;
};

// Keeps an error for cudaGetLastError and returns it.
cudaError_t Remember(cudaError_t error);
cudaError_t TakeLastError(bool clear);
// An error after which the device serves nobody any more.
PALUKU_EMU_EXPORT void Break(cudaError_t error);
cudaError_t Broken();
// The first thing each call does: the sticky error, or an injected fault of the driver.
cudaError_t Usable();
void ResetDevice();
// Counts launches and injects their faults. Success when the launch may run.
cudaError_t TakeLaunchFault();

PALUKU_EMU_EXPORT Stream* ToStream(cudaStream_t stream);
PALUKU_EMU_EXPORT void EnqueueWork(cudaStream_t stream, Work work);

// Our own memory behind a device or pinned address, after bounds checks; null, after a report, when
// it is bad. what: for the report. reads and writes tell what the shadow records.
PALUKU_EMU_EXPORT std::byte* DeviceRange(const void* address, std::size_t bytes, const char* what,
                                         bool reads, bool writes);
PALUKU_EMU_EXPORT bool IsDeviceMemory(const void* address);
bool IsPinned(const void* address);
// Copies between any memories, now.
void CopyNow(void* to, const void* from, std::size_t bytes, const char* what);

}  // namespace paluku::emulator
