// The CUDA runtime: memory.
#include <cuda_runtime_api.h>

#include <cstring>
#include <memory>
#include <vector>

#include "tests/support/cuda_emulator/api_state.h"
#include "tests/support/cuda_emulator/device_memory.h"
#include "tests/support/cuda_emulator/module.h"
#include "tests/support/cuda_emulator/report.h"

#pragma GCC visibility push(default)

using namespace paluku::emulator;  // this file is nothing but the outside of that namespace

namespace {

std::uint64_t Number(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

cudaError_t AllocateInto(void** pointer, std::size_t bytes, Allocation::Kind kind) {
  if (pointer == nullptr) return Remember(cudaErrorInvalidValue);
  *pointer = nullptr;
  if (bytes == 0) return cudaSuccess;
  const std::uint64_t address = DeviceMemory::Get().Allocate(bytes, kind);
  if (address == 0) return Remember(cudaErrorMemoryAllocation);
  *pointer = reinterpret_cast<void*>(address);
  return cudaSuccess;
}

void FillNow(void* to, int value, std::size_t bytes) {
  if (bytes == 0) return;
  std::byte* target = DeviceRange(to, bytes, "cudaMemset", false, true);
  if (target == nullptr) return Break(cudaErrorInvalidValue);
  std::memset(target, value, bytes);
}

// Host memory that is not pinned is staged: read at the call, and a copy into it waits.
cudaError_t CopyAsync(void* to, const void* from, std::size_t bytes, Stream* stream) {
  if (bytes == 0) return cudaSuccess;
  const bool staged = !IsDeviceMemory(from) && !IsPinned(from);
  const bool waits = !IsDeviceMemory(to) && !IsPinned(to);
  if (waits && stream->capture != nullptr) return Remember(cudaErrorStreamCaptureUnsupported);
  Work work{Work::Kind::kCopy, {}};
  if (staged && stream->capture == nullptr) {
    const auto* begin = static_cast<const std::byte*>(from);
    const auto kept = std::make_shared<std::vector<std::byte>>(begin, begin + bytes);
    work.run = [=] { CopyNow(to, kept->data(), bytes, "cudaMemcpyAsync"); };
  } else {
    work.run = [=] { CopyNow(to, from, bytes, "cudaMemcpyAsync"); };
  }
  Streams::Get().Enqueue(stream, std::move(work));
  if (waits) Streams::Get().Drain(stream);
  return Remember(Broken());
}

// A copy that returns when it is done.
cudaError_t CopySync(const char* what, void* to, const void* from, std::size_t bytes) {
  if (Streams::Get().Capturing()) return Remember(cudaErrorStreamCaptureImplicit);
  Streams& streams = Streams::Get();
  streams.Enqueue(streams.Default(),
                  Work{Work::Kind::kCopy, [=] { CopyNow(to, from, bytes, what); }});
  streams.Drain(streams.Default());
  return Remember(Broken());
}

void* SymbolAddress(const void* symbol, std::size_t offset, std::size_t bytes) {
  const auto [address, size] = ModuleRegistry::Get().FindVariable(symbol);
  if (address == 0 || offset > size || bytes > size - offset) return nullptr;
  return reinterpret_cast<void*>(address + offset);
}

cudaError_t Copy2D(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                   std::size_t width, std::size_t height, Stream* stream) {
  if (width > to_pitch || width > from_pitch) return Remember(cudaErrorInvalidPitchValue);
  for (std::size_t row = 0; row < height; ++row) {
    const cudaError_t error =
        CopyAsync(static_cast<std::byte*>(to) + row * to_pitch,
                  static_cast<const std::byte*>(from) + row * from_pitch, width, stream);
    if (error != cudaSuccess) return error;
  }
  return cudaSuccess;
}

}  // namespace

extern "C" {

cudaError_t cudaMalloc(void** pointer, size_t bytes) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  return AllocateInto(pointer, bytes, Allocation::Kind::kDevice);
}

cudaError_t cudaFree(void* pointer) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  if (pointer == nullptr) return cudaSuccess;
  Streams::Get().DrainAll();
  if (!DeviceMemory::Get().Free(Number(pointer), Allocation::Kind::kDevice)) {
    Report("BAD FREE",
           "cudaFree of something that cudaMalloc did not return, or that is freed already");
    return Remember(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}

// Memory is there at once; it goes when the stream comes to the free.
cudaError_t cudaMallocAsync(void** pointer, size_t bytes, cudaStream_t stream) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  if (ToStream(stream)->capture != nullptr) return Remember(cudaErrorNotSupported);
  return AllocateInto(pointer, bytes, Allocation::Kind::kDevice);
}

cudaError_t cudaMallocFromPoolAsync(void** pointer, size_t bytes, cudaMemPool_t,
                                    cudaStream_t stream) {
  return cudaMallocAsync(pointer, bytes, stream);
}

cudaError_t cudaFreeAsync(void* pointer, cudaStream_t stream) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  if (ToStream(stream)->capture != nullptr) return Remember(cudaErrorNotSupported);
  if (DeviceMemory::Get().Find(Number(pointer), 1) == nullptr)
    return Remember(cudaErrorInvalidValue);
  EnqueueWork(stream,
              Work{Work::Kind::kAllocation, [=] {
                     if (!DeviceMemory::Get().Free(Number(pointer), Allocation::Kind::kDevice)) {
                       Report("BAD FREE", "cudaFreeAsync of memory that is freed already");
                     }
                   }});
  return cudaSuccess;
}

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  static char the_pool;
  *pool = reinterpret_cast<cudaMemPool_t>(&the_pool);
  return cudaSuccess;
}

cudaError_t cudaDeviceGetMemPool(cudaMemPool_t* pool, int device) {
  return cudaDeviceGetDefaultMemPool(pool, device);
}

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) {
  const ApiLock lock;
  return Usable();  // attributes steer reuse, and nothing is ever reused here
}

cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, size_t) {
  const ApiLock lock;
  return Usable();
}

cudaError_t cudaMallocHost(void** pointer, size_t bytes) {
  return cudaHostAlloc(pointer, bytes, cudaHostAllocDefault);
}

cudaError_t cudaHostAlloc(void** pointer, size_t bytes, unsigned) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  return AllocateInto(pointer, bytes, Allocation::Kind::kPinned);
}

cudaError_t cudaFreeHost(void* pointer) {
  const ApiLock lock;
  if (pointer == nullptr) return cudaSuccess;
  Streams::Get().DrainAll();
  return Remember(DeviceMemory::Get().Free(Number(pointer), Allocation::Kind::kPinned)
                      ? cudaSuccess
                      : cudaErrorInvalidValue);
}

cudaError_t cudaHostRegister(void* pointer, size_t bytes, unsigned) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  const bool fresh = DeviceMemory::Get().Register(pointer, bytes);
  return Remember(fresh ? cudaSuccess : cudaErrorHostMemoryAlreadyRegistered);
}

cudaError_t cudaHostUnregister(void* pointer) {
  const ApiLock lock;
  Streams::Get().DrainAll();
  return Remember(DeviceMemory::Get().Unregister(pointer) ? cudaSuccess
                                                          : cudaErrorHostMemoryNotRegistered);
}

cudaError_t cudaHostGetDevicePointer(void** device, void* host, unsigned) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  if (!IsPinned(host)) return Remember(cudaErrorInvalidValue);
  *device = host;
  return cudaSuccess;
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  std::memset(attributes, 0, sizeof(*attributes));
  attributes->type = IsDeviceMemory(pointer) ? cudaMemoryTypeDevice
                     : IsPinned(pointer)     ? cudaMemoryTypeHost
                                             : cudaMemoryTypeUnregistered;
  if (attributes->type != cudaMemoryTypeUnregistered)
    attributes->devicePointer = const_cast<void*>(pointer);
  if (attributes->type != cudaMemoryTypeDevice)
    attributes->hostPointer = const_cast<void*>(pointer);
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* available, size_t* total) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  const DeviceMemory& memory = DeviceMemory::Get();
  *total = memory.capacity();
  *available = memory.used() < *total ? *total - memory.used() : 0;
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  return CopySync("cudaMemcpy", to, from, bytes);
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind,
                            cudaStream_t stream) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  return CopyAsync(to, from, bytes, ToStream(stream));
}

cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch,
                              size_t width, size_t height, cudaMemcpyKind, cudaStream_t stream) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  return Copy2D(to, to_pitch, from, from_pitch, width, height, ToStream(stream));
}

cudaError_t cudaMemcpy2D(void* to, size_t to_pitch, const void* from, size_t from_pitch,
                         size_t width, size_t height, cudaMemcpyKind) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  if (Streams::Get().Capturing()) return Remember(cudaErrorStreamCaptureImplicit);
  const cudaError_t error =
      Copy2D(to, to_pitch, from, from_pitch, width, height, Streams::Get().Default());
  Streams::Get().Drain(Streams::Get().Default());
  return error;
}

cudaError_t cudaMemset(void* to, int value, size_t bytes) {
  return cudaMemsetAsync(to, value, bytes, nullptr);
}

cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  EnqueueWork(stream, Work{Work::Kind::kFill, [=] { FillNow(to, value, bytes); }});
  return Remember(Broken());
}

cudaError_t cudaMemset2DAsync(void* to, size_t pitch, int value, size_t width, size_t height,
                              cudaStream_t stream) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  EnqueueWork(stream, Work{Work::Kind::kFill, [=] {
                             for (size_t row = 0; row < height; ++row) {
                               FillNow(static_cast<std::byte*>(to) + row * pitch, value, width);
                             }
                           }});
  return Remember(Broken());
}

cudaError_t cudaMemcpyToSymbol(const void* symbol, const void* from, size_t bytes, size_t offset,
                               cudaMemcpyKind) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  void* to = SymbolAddress(symbol, offset, bytes);
  return to == nullptr ? Remember(cudaErrorInvalidSymbol)
                       : CopySync("cudaMemcpyToSymbol", to, from, bytes);
}

cudaError_t cudaMemcpyToSymbolAsync(const void* symbol, const void* from, size_t bytes,
                                    size_t offset, cudaMemcpyKind, cudaStream_t stream) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  void* to = SymbolAddress(symbol, offset, bytes);
  return to == nullptr ? Remember(cudaErrorInvalidSymbol)
                       : CopyAsync(to, from, bytes, ToStream(stream));
}

cudaError_t cudaMemcpyFromSymbol(void* to, const void* symbol, size_t bytes, size_t offset,
                                 cudaMemcpyKind) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  const void* from = SymbolAddress(symbol, offset, bytes);
  return from == nullptr ? Remember(cudaErrorInvalidSymbol)
                         : CopySync("cudaMemcpyFromSymbol", to, from, bytes);
}

cudaError_t cudaGetSymbolAddress(void** pointer, const void* symbol) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  *pointer = SymbolAddress(symbol, 0, 0);
  return Remember(*pointer == nullptr ? cudaErrorInvalidSymbol : cudaSuccess);
}

cudaError_t cudaGetSymbolSize(size_t* size, const void* symbol) {
  const ApiLock lock;
  if (const cudaError_t error = Usable(); error != cudaSuccess) return error;
  *size = ModuleRegistry::Get().FindVariable(symbol).second;
  return Remember(*size == 0 ? cudaErrorInvalidSymbol : cudaSuccess);
}
}
