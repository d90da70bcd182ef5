// The CUDA runtime: devices, errors, versions, and the emulator's own entry points.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "tests/support/cuda_emulator/api_state.h"
#include "tests/support/cuda_emulator/architecture.h"
#include "tests/support/cuda_emulator/device_memory.h"
#include "tests/support/cuda_emulator/launch.h"
#include "tests/support/cuda_emulator/module.h"
#include "tests/support/cuda_emulator/report.h"
#include "tests/support/cuda_emulator/settings.h"

#pragma GCC visibility push(default)

using namespace paluku::emulator;  // this file is nothing but the outside of that namespace

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  const ApiLock lock;
  const cudaError_t error = Usable();
  // As the real library: on these errors the count stays as it was.
  if (error == cudaErrorInsufficientDriver || error == cudaErrorNoDevice) return error;
  *count = 1;
  return error;
}

cudaError_t cudaSetDevice(int device) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  return Remember(device == 0 ? cudaSuccess : cudaErrorInvalidDevice);
}

cudaError_t cudaGetDevice(int* device) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  *device = 0;
  return cudaSuccess;
}

cudaError_t cudaSetDeviceFlags(unsigned) {
  const ApiLock lock;
  return Usable();
}

cudaError_t cudaDeviceReset() {
  const ApiLock lock;
  ResetDevice();
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize() {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  if (Streams::Get().Capturing()) return Remember(cudaErrorStreamCaptureUnsupported);
  Streams::Get().DrainAll();
  return Remember(Broken());
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  if (device != 0) return Remember(cudaErrorInvalidDevice);
  const ArchitectureLimits limits = LimitsOf(ModuleRegistry::Get().arch());
  std::memset(properties, 0, sizeof(*properties));
  std::snprintf(properties->name, sizeof(properties->name), "Emulated sm_%d%d", limits.major,
                limits.minor);
  properties->major = limits.major;
  properties->minor = limits.minor;
  properties->totalGlobalMem = DeviceMemory::Get().capacity();
  properties->multiProcessorCount = static_cast<int>(settings().processors);
  properties->sharedMemPerBlock = limits.shared_per_block;
  properties->sharedMemPerBlockOptin = limits.shared_optin;
  properties->sharedMemPerMultiprocessor = limits.shared_per_processor;
  properties->reservedSharedMemPerBlock = limits.shared_reserved;
  properties->regsPerBlock = 65536;
  properties->regsPerMultiprocessor = 65536;
  properties->warpSize = kWarpSize;
  properties->maxThreadsPerBlock = 1024;
  properties->maxThreadsPerMultiProcessor = limits.threads_per_processor;
  properties->maxBlocksPerMultiProcessor = limits.blocks_per_processor;
  properties->maxThreadsDim[0] = properties->maxThreadsDim[1] = 1024;
  properties->maxThreadsDim[2] = 64;
  properties->maxGridSize[0] = 0x7FFFFFFF;
  properties->maxGridSize[1] = properties->maxGridSize[2] = 65535;
  properties->totalConstMem = 65536;
  properties->l2CacheSize = 4 << 20;
  properties->memoryBusWidth = 256;
  properties->canMapHostMemory = 1;
  properties->unifiedAddressing = 1;
  properties->concurrentKernels = 1;
  properties->asyncEngineCount = 2;
  properties->memoryPoolsSupported = 1;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  const ApiLock lock;
  cudaDeviceProp p;
  if (const cudaError_t error = cudaGetDeviceProperties(&p, device); error != cudaSuccess)
    return error;
  switch (attribute) {
    case cudaDevAttrComputeCapabilityMajor:
      *value = p.major;
      break;
    case cudaDevAttrComputeCapabilityMinor:
      *value = p.minor;
      break;
    case cudaDevAttrMultiProcessorCount:
      *value = p.multiProcessorCount;
      break;
    case cudaDevAttrMaxThreadsPerBlock:
      *value = p.maxThreadsPerBlock;
      break;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      *value = p.maxThreadsPerMultiProcessor;
      break;
    case cudaDevAttrMaxBlocksPerMultiprocessor:
      *value = p.maxBlocksPerMultiProcessor;
      break;
    case cudaDevAttrMaxBlockDimX:
      *value = p.maxThreadsDim[0];
      break;
    case cudaDevAttrMaxBlockDimY:
      *value = p.maxThreadsDim[1];
      break;
    case cudaDevAttrMaxBlockDimZ:
      *value = p.maxThreadsDim[2];
      break;
    case cudaDevAttrMaxGridDimX:
      *value = p.maxGridSize[0];
      break;
    case cudaDevAttrMaxGridDimY:
      *value = p.maxGridSize[1];
      break;
    case cudaDevAttrMaxGridDimZ:
      *value = p.maxGridSize[2];
      break;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      *value = static_cast<int>(p.sharedMemPerBlock);
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = static_cast<int>(p.sharedMemPerBlockOptin);
      break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      *value = static_cast<int>(p.sharedMemPerMultiprocessor);
      break;
    case cudaDevAttrReservedSharedMemoryPerBlock:
      *value = static_cast<int>(p.reservedSharedMemPerBlock);
      break;
    case cudaDevAttrMaxRegistersPerBlock:
      *value = p.regsPerBlock;
      break;
    case cudaDevAttrMaxRegistersPerMultiprocessor:
      *value = p.regsPerMultiprocessor;
      break;
    case cudaDevAttrWarpSize:
      *value = p.warpSize;
      break;
    case cudaDevAttrTotalConstantMemory:
      *value = static_cast<int>(p.totalConstMem);
      break;
    case cudaDevAttrL2CacheSize:
      *value = p.l2CacheSize;
      break;
    case cudaDevAttrGlobalMemoryBusWidth:
      *value = p.memoryBusWidth;
      break;
    case cudaDevAttrMemoryClockRate:
      *value = 10'000'000;
      break;
    case cudaDevAttrClockRate:
      *value = 1'500'000;
      break;
    case cudaDevAttrCanMapHostMemory:
    case cudaDevAttrUnifiedAddressing:
    case cudaDevAttrConcurrentKernels:
    case cudaDevAttrMemoryPoolsSupported:
      *value = 1;
      break;
    case cudaDevAttrAsyncEngineCount:
      *value = p.asyncEngineCount;
      break;
    case cudaDevAttrIntegrated:
    case cudaDevAttrCooperativeLaunch:
    case cudaDevAttrHostRegisterSupported:
      *value = attribute == cudaDevAttrHostRegisterSupported ? 1 : 0;
      break;
    default:
      return Remember(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  const ApiLock lock;
  *version = settings().faults.no_driver ? 0 : CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaGetLastError() {
  const ApiLock lock;
  return TakeLastError(true);
}

cudaError_t cudaPeekAtLastError() {
  const ApiLock lock;
  return TakeLastError(false);
}

const char* cudaGetErrorName(cudaError_t error) { return ErrorName(error).name; }
const char* cudaGetErrorString(cudaError_t error) { return ErrorName(error).text; }

int paluku_emu_set(const char* name, const char* value) {
  const ApiLock lock;
  return SetSetting(name, value) ? 0 : 1;
}

size_t paluku_emu_report_count() { return ReportCount(); }
const char* paluku_emu_report(size_t index) { return ReportAt(index); }
void paluku_emu_clear_reports() { ClearReports(); }

PalukuEmuCounters paluku_emu_counters() {
  const ApiLock lock;
  PalukuEmuCounters sum{};
  for (const LaunchRecord& record : LaunchLog()) {
    const PalukuEmuCounters& c = record.counters;
    sum.launches += c.launches;
    sum.warp_instructions += c.warp_instructions;
    sum.thread_instructions += c.thread_instructions;
    sum.sectors_read += c.sectors_read;
    sum.sectors_written += c.sectors_written;
    sum.requests += c.requests;
    sum.request_sectors += c.request_sectors;
    sum.shared_requests += c.shared_requests;
    sum.shared_conflicts += c.shared_conflicts;
  }
  return sum;
}

size_t paluku_emu_launch_count() {
  const ApiLock lock;
  return LaunchLog().size();
}

PalukuEmuLaunch paluku_emu_launch(size_t index) {
  const ApiLock lock;
  PalukuEmuLaunch launch{};
  if (index >= LaunchLog().size()) return launch;
  const LaunchRecord& record = LaunchLog()[index];
  const auto copy = [](uint32_t(&to)[3], const Dim3& from) {
    to[0] = from.x;
    to[1] = from.y;
    to[2] = from.z;
  };
  launch.kernel = record.kernel;
  copy(launch.grid, record.shape.grid);
  copy(launch.block, record.shape.block);
  launch.dynamic_shared_bytes = record.shape.dynamic_shared;
  launch.counters = record.counters;
  return launch;
}

void paluku_emu_reset_counters() {
  const ApiLock lock;
  ResetLaunchLog();
  DeviceMemory::Get().ResetPeak();
}

size_t paluku_emu_memory_used() {
  const ApiLock lock;
  return DeviceMemory::Get().used();
}

size_t paluku_emu_memory_peak() {
  const ApiLock lock;
  return DeviceMemory::Get().peak();
}
}
