// The CUDA runtime: registration of modules, launches, attributes of kernels, occupancy.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/cuda_emulator/api_state.h"
#include "tests/support/cuda_emulator/architecture.h"
#include "tests/support/cuda_emulator/device_memory.h"
#include "tests/support/cuda_emulator/fat_binary.h"
#include "tests/support/cuda_emulator/launch.h"
#include "tests/support/cuda_emulator/module.h"
#include "tests/support/cuda_emulator/report.h"

#pragma GCC visibility push(default)

using namespace paluku::emulator;  // this file is nothing but the outside of that namespace

namespace {

struct CallConfiguration {
  dim3 grid;
  dim3 block;
  std::size_t shared;
  cudaStream_t stream;
};

thread_local std::vector<CallConfiguration> configurations;

// Dynamic shared memory that cudaFuncSetAttribute allowed, by kernel.
std::map<const Kernel*, std::size_t>& AllowedShared() {
  static auto* allowed = new std::map<const Kernel*, std::size_t>;
  return *allowed;
}

// A module as the program's registration calls see it.
struct Handle {
  std::vector<LoadedModule*> modules;
};

cudaError_t RefuseLaunch(const Kernel& kernel, const std::string& why, cudaError_t error) {
  Report("LAUNCH", "kernel " + kernel.name + ": " + why);
  return Remember(error);
}

cudaError_t CheckLimits(const Kernel& kernel, dim3 grid, dim3 block, std::size_t shared) {
  const ArchitectureLimits limits = LimitsOf(ModuleRegistry::Get().arch());
  const std::uint64_t threads = std::uint64_t{block.x} * block.y * block.z;
  if (threads == 0 || threads > 1024 || block.x > 1024 || block.y > 1024 || block.z > 64) {
    return RefuseLaunch(kernel, "a block of " + std::to_string(threads) + " threads",
                        cudaErrorInvalidConfiguration);
  }
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.x > 0x7FFFFFFF || grid.y > 65535 ||
      grid.z > 65535) {
    return RefuseLaunch(kernel, "a grid that is empty or too large", cudaErrorInvalidConfiguration);
  }
  if (kernel.max_threads != 0 && threads > kernel.max_threads) {
    return RefuseLaunch(kernel, "more threads than its launch bounds say",
                        cudaErrorInvalidConfiguration);
  }
  if (kernel.required_threads != 0 && threads != kernel.required_threads) {
    return RefuseLaunch(kernel, "another number of threads than it requires",
                        cudaErrorInvalidConfiguration);
  }
  const auto allowed = AllowedShared().find(&kernel);
  const std::size_t most = std::max(
      limits.shared_per_block,
      allowed == AllowedShared().end() ? std::size_t{0} : allowed->second + kernel.shared_bytes);
  if (kernel.shared_bytes + shared > most) {
    return RefuseLaunch(kernel,
                        std::to_string(kernel.shared_bytes + shared) +
                            " bytes of shared memory, allowed are " + std::to_string(most) +
                            " (cudaFuncSetAttribute)",
                        cudaErrorInvalidValue);
  }
  return cudaSuccess;
}

cudaError_t Launch(const void* stub, dim3 grid, dim3 block, void** arguments, std::size_t shared,
                   cudaStream_t stream) {
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  const Kernel* kernel = ModuleRegistry::Get().FindKernel(stub);
  if (kernel == nullptr) return Remember(cudaErrorInvalidDeviceFunction);
  if (!Streams::Get().Exists(ToStream(stream))) return Remember(cudaErrorInvalidResourceHandle);
  if (const cudaError_t error = CheckLimits(*kernel, grid, block, shared); error != cudaSuccess)
    return error;
  // Arguments are copied now; the launch happens later.
  const auto parameters = std::make_shared<std::vector<std::byte>>(kernel->parameter_bytes + 16);
  for (std::size_t i = 0; i < kernel->parameters.size(); ++i) {
    std::memcpy(parameters->data() + kernel->parameters[i].offset, arguments[i],
                kernel->parameters[i].size);
  }
  LaunchShape shape;
  shape.grid = {grid.x, grid.y, grid.z};
  shape.block = {block.x, block.y, block.z};
  shape.dynamic_shared = static_cast<std::uint32_t>(shared);
  EnqueueWork(stream, Work{Work::Kind::kKernel, [=]() mutable {
                             if (Broken() != cudaSuccess) return;
                             if (const cudaError_t fault = TakeLaunchFault(); fault != cudaSuccess)
                               return Break(fault);
                             shape.parameters = parameters->data();
                             if (!RunLaunch(*kernel, shape)) Break(cudaErrorIllegalAddress);
                           }});
  return Remember(Broken());
}

}  // namespace

extern "C" {

void** __cudaRegisterFatBinary(void* wrapper) {
  const ApiLock lock;
  auto handle = std::make_unique<Handle>();
  std::string error;
  for (std::string& ptx : ExtractPtx(wrapper, error)) {
    handle->modules.push_back(ModuleRegistry::Get().Load(std::move(ptx)));
  }
  if (!error.empty()) Report("REFUSED", error);
  return reinterpret_cast<void**>(handle.release());
}

void __cudaRegisterFatBinaryEnd(void**) {}

void __cudaUnregisterFatBinary(void** pointer) {
  const ApiLock lock;
  const std::unique_ptr<Handle> handle(reinterpret_cast<Handle*>(pointer));
  Streams::Get().DrainAll();
  for (const LoadedModule* module : handle->modules) ModuleRegistry::Get().Unload(module);
}

void __cudaRegisterFunction(void** pointer, const char* stub, char*, const char* name, int, uint3*,
                            uint3*, dim3*, dim3*, int*) {
  const ApiLock lock;
  for (LoadedModule* module : reinterpret_cast<Handle*>(pointer)->modules) {
    ModuleRegistry::Get().AddKernel(module, stub, name);
  }
}

void __cudaRegisterVar(void** pointer, char* stub, char*, const char* name, int, size_t size, int,
                       int) {
  const ApiLock lock;
  for (LoadedModule* module : reinterpret_cast<Handle*>(pointer)->modules) {
    ModuleRegistry::Get().AddVariable(module, stub, name, size);
  }
}

char __cudaInitModule(void**) { return 0; }

unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared, CUstream_st* stream) {
  configurations.push_back({grid, block, shared, stream});
  return 0;
}

cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, size_t* shared, void* stream) {
  if (configurations.empty()) return Remember(cudaErrorMissingConfiguration);
  const CallConfiguration last = configurations.back();
  configurations.pop_back();
  *grid = last.grid;
  *block = last.block;
  *shared = last.shared;
  std::memcpy(stream, &last.stream, sizeof(last.stream));
  return cudaSuccess;
}

// Handles of kernels are the stubs themselves.
cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* stub) {
  *kernel = reinterpret_cast<cudaKernel_t>(const_cast<void*>(stub));
  return cudaSuccess;
}

cudaError_t cudaLaunchKernel(const void* stub, dim3 grid, dim3 block, void** arguments,
                             size_t shared, cudaStream_t stream) {
  const ApiLock lock;
  return Launch(stub, grid, block, arguments, shared, stream);
}

cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void** arguments,
                               size_t shared, cudaStream_t stream) {
  return cudaLaunchKernel(reinterpret_cast<const void*>(kernel), grid, block, arguments, shared,
                          stream);
}

// Attributes that only change timing are taken; clusters and cooperative launches are not emulated.
cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* stub,
                                void** arguments) {
  const ApiLock lock;
  for (unsigned i = 0; i < config->numAttrs; ++i) {
    const cudaLaunchAttributeID id = config->attrs[i].id;
    const bool harmless = id == cudaLaunchAttributeProgrammaticStreamSerialization ||
                          id == cudaLaunchAttributePriority ||
                          id == cudaLaunchAttributeAccessPolicyWindow ||
                          id == cudaLaunchAttributeIgnore;
    if (!harmless) return Remember(cudaErrorNotSupported);
  }
  return Launch(stub, config->gridDim, config->blockDim, arguments, config->dynamicSmemBytes,
                config->stream);
}

cudaError_t cudaFuncSetAttribute(const void* stub, cudaFuncAttribute attribute, int value) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  const Kernel* kernel = ModuleRegistry::Get().FindKernel(stub);
  if (kernel == nullptr) return Remember(cudaErrorInvalidDeviceFunction);
  if (attribute == cudaFuncAttributePreferredSharedMemoryCarveout) return cudaSuccess;
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize)
    return Remember(cudaErrorInvalidValue);
  const std::size_t most = LimitsOf(ModuleRegistry::Get().arch()).shared_optin;
  if (value < 0 || static_cast<std::size_t>(value) + kernel->shared_bytes > most)
    return Remember(cudaErrorInvalidValue);
  AllowedShared()[kernel] = static_cast<std::size_t>(value);
  return cudaSuccess;
}

cudaError_t cudaFuncSetCacheConfig(const void*, cudaFuncCache) {
  const ApiLock lock;
  return Usable();
}

// Registers are unknown before the assembler; the rest is.
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* stub) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  const Kernel* kernel = ModuleRegistry::Get().FindKernel(stub);
  if (kernel == nullptr) return Remember(cudaErrorInvalidDeviceFunction);
  std::memset(attributes, 0, sizeof(*attributes));
  attributes->sharedSizeBytes = kernel->shared_bytes;
  attributes->localSizeBytes = kernel->local_bytes;
  attributes->maxThreadsPerBlock =
      kernel->max_threads != 0 ? static_cast<int>(kernel->max_threads) : 1024;
  attributes->numRegs = 64;
  const int arch = ModuleRegistry::Get().arch();
  attributes->ptxVersion = attributes->binaryVersion = arch;
  const auto allowed = AllowedShared().find(kernel);
  attributes->maxDynamicSharedSizeBytes = static_cast<int>(
      allowed != AllowedShared().end() ? allowed->second
                                       : LimitsOf(arch).shared_per_block - kernel->shared_bytes);
  return cudaSuccess;
}

// Bounded by threads, blocks and shared memory; registers are not known.
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, const void* stub,
                                                                   int threads, size_t shared,
                                                                   unsigned) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  const Kernel* kernel = ModuleRegistry::Get().FindKernel(stub);
  if (kernel == nullptr) return Remember(cudaErrorInvalidDeviceFunction);
  const ArchitectureLimits limits = LimitsOf(ModuleRegistry::Get().arch());
  if (threads <= 0 || threads > 1024) {
    *blocks = 0;
    return Remember(threads <= 0 ? cudaErrorInvalidValue : cudaSuccess);
  }
  const int warps = (threads + kWarpSize - 1) / kWarpSize;
  const std::size_t bytes = kernel->shared_bytes + shared + limits.shared_reserved;
  int most =
      std::min(limits.blocks_per_processor, limits.threads_per_processor / (warps * kWarpSize));
  if (bytes > 0) most = std::min(most, static_cast<int>(limits.shared_per_processor / bytes));
  *blocks = most;
  return cudaSuccess;
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* stub,
                                                          int threads, size_t shared) {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, stub, threads, shared, 0);
}
}
