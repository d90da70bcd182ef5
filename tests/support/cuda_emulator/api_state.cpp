#include "tests/support/cuda_emulator/api_state.h"

#include <cstring>
#include <string>

#include "tests/support/cuda_emulator/device_memory.h"
#include "tests/support/cuda_emulator/report.h"
#include "tests/support/cuda_emulator/settings.h"

namespace paluku::emulator {
namespace {

std::recursive_mutex& Mutex() {
  static auto* mutex = new std::recursive_mutex;
  return *mutex;
}

cudaError_t last_error = cudaSuccess;
cudaError_t broken = cudaSuccess;
std::uint64_t launches = 0;

}  // namespace

ApiLock::ApiLock() { Mutex().lock(); }
ApiLock::~ApiLock() { Mutex().unlock(); }

cudaError_t Remember(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

cudaError_t TakeLastError(bool clear) {
  const cudaError_t error = broken != cudaSuccess ? broken : last_error;
  if (clear) last_error = cudaSuccess;
  return error;
}

void Break(cudaError_t error) {
  if (broken == cudaSuccess) broken = error;
  last_error = broken;
}

cudaError_t Broken() { return broken; }

cudaError_t Usable() {
  if (settings().faults.no_driver) return Remember(cudaErrorInsufficientDriver);
  if (settings().faults.no_device) return Remember(cudaErrorNoDevice);
  const std::uint64_t lost = settings().faults.lost;
  if (lost != 0 && launches >= lost) Break(cudaErrorUnknown);
  return broken;
}

void ResetDevice() {
  Streams::Get().Clear();
  broken = cudaSuccess;
  last_error = cudaSuccess;
}

cudaError_t TakeLaunchFault() {
  ++launches;
  if (settings().faults.lost != 0 && launches >= settings().faults.lost) return cudaErrorUnknown;
  return launches == settings().faults.launch ? cudaErrorLaunchFailure : cudaSuccess;
}

Stream* ToStream(cudaStream_t stream) {
  // The legacy and per-thread handles are the default stream here.
  if (stream == nullptr || stream == cudaStreamLegacy || stream == cudaStreamPerThread)
    return Streams::Get().Default();
  return reinterpret_cast<Stream*>(stream);
}

void EnqueueWork(cudaStream_t stream, Work work) {
  Streams::Get().Enqueue(ToStream(stream), std::move(work));
}

bool IsDeviceMemory(const void* address) {
  return DeviceMemory::Get().IsDeviceAddress(reinterpret_cast<std::uint64_t>(address));
}

bool IsPinned(const void* address) {
  const Allocation* found = DeviceMemory::Get().Find(reinterpret_cast<std::uint64_t>(address), 1);
  return found != nullptr && !found->OnDevice();
}

std::byte* DeviceRange(const void* address, std::size_t bytes, const char* what, bool reads,
                       bool writes) {
  DeviceMemory& memory = DeviceMemory::Get();
  const auto begin = reinterpret_cast<std::uint64_t>(address);
  Allocation* found = memory.Find(begin, bytes);
  if (found == nullptr) {
    const auto [kind, detail] = memory.Explain(begin, bytes);
    Report(kind, std::string(what) + " of " + std::to_string(bytes) + " bytes, " + detail);
    return nullptr;
  }
  const std::uint64_t offset = begin - found->begin;
  if (found->shadow != nullptr) {
    if (reads && !found->shadow->Initialised(offset, bytes)) {
      Report("UNINITIALISED READ", std::string(what) + " of " + std::to_string(bytes) +
                                       " bytes at offset " + std::to_string(offset) +
                                       " of an allocation of " + std::to_string(found->size));
    }
    if (writes) found->shadow->SetInitialised(offset, bytes);
  }
  return found->storage + offset;
}

void CopyNow(void* to, const void* from, std::size_t bytes, const char* what) {
  if (bytes == 0) return;
  const bool to_host = !IsDeviceMemory(to);
  const auto* source = static_cast<const std::byte*>(from);
  auto* target = static_cast<std::byte*>(to);
  // A copy within the device carries the state of each byte along.
  if (IsDeviceMemory(from)) source = DeviceRange(from, bytes, what, to_host, false);
  if (!to_host) target = DeviceRange(to, bytes, what, false, IsDeviceMemory(from) ? false : true);
  if (source == nullptr || target == nullptr) {
    Break(cudaErrorInvalidValue);
    return;
  }
  std::memmove(target, source, bytes);
  if (to_host || !IsDeviceMemory(from)) return;
  const Allocation* a = DeviceMemory::Get().Find(reinterpret_cast<std::uint64_t>(from), bytes);
  const std::uint64_t offset = reinterpret_cast<std::uint64_t>(from) - a->begin;
  if (a->shadow == nullptr || a->shadow->Initialised(offset, bytes)) {
    DeviceRange(to, bytes, what, false, true);
    return;
  }
  for (std::size_t i = 0; i < bytes; ++i) {
    if (a->shadow->Initialised(offset + i, 1))
      DeviceRange(static_cast<std::byte*>(to) + i, 1, what, false, true);
  }
}

}  // namespace paluku::emulator
