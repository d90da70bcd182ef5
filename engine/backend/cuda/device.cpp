#include "engine/backend/cuda/device.h"

#include <utility>

namespace paluku::cuda {
namespace {

Error DeviceError(const std::string& card, const std::string& what, cudaError_t result) {
  return {ErrorCode::kDeviceFailed, card.empty() ? "CUDA" : card,
          what + ": " + cudaGetErrorString(result)};
}

// Why there is no card, in words. Without a driver the runtime reports a driver that is too old.
std::string NoCardReason(cudaError_t result) {
  switch (result) {
    case cudaErrorNoDevice:
      return "there is no NVIDIA card";
    case cudaErrorInsufficientDriver:
      return "the NVIDIA driver is missing or too old";
    default:
      return cudaGetErrorString(result);
  }
}

constexpr int kOldestArchitecture = 75;

}  // namespace

Result<Device> Device::Open() {
  int count = 0;  // left untouched by a failing call
  const cudaError_t found = cudaGetDeviceCount(&count);
  if (found != cudaSuccess || count == 0) {
    cudaGetLastError();  // forget it
    return Fail(ErrorCode::kDeviceFailed, "CUDA",
                NoCardReason(found == cudaSuccess ? cudaErrorNoDevice : found));
  }
  Device device;
  cudaDeviceProp properties = {};
  if (!device.Check(cudaSetDevice(0), "choosing the card") ||
      !device.Check(cudaGetDeviceProperties(&properties, 0), "asking for its properties")) {
    return tl::unexpected(*device.error_);
  }
  device.card_ = properties.name;
  device.multiprocessors_ = properties.multiProcessorCount;
  device.architecture_ = 10 * properties.major + properties.minor;
  if (device.architecture_ < kOldestArchitecture) {
    return Fail(ErrorCode::kDeviceFailed, "CUDA", device.card_ + " is older than Turing");
  }
  if (!device.Check(cudaStreamCreateWithFlags(&device.stream_, cudaStreamNonBlocking),
                    "making a stream")) {
    return tl::unexpected(*device.error_);
  }
  return device;
}

Device::Device(Device&& other) noexcept
    : card_(std::move(other.card_)),
      multiprocessors_(other.multiprocessors_),
      architecture_(other.architecture_),
      stream_(std::exchange(other.stream_, nullptr)),
      error_(std::move(other.error_)) {}

Device::~Device() {
  if (stream_ != nullptr) cudaStreamDestroy(stream_);
}

std::int64_t Device::FreeBytes() const {
  std::size_t free = 0, total = 0;
  if (cudaMemGetInfo(&free, &total) == cudaSuccess) return static_cast<std::int64_t>(free);
  cudaGetLastError();
  return 0;
}

Result<Buffer> Device::Allocate(std::int64_t bytes) const {
  void* data = nullptr;
  const cudaError_t result = cudaMalloc(&data, static_cast<std::size_t>(bytes > 0 ? bytes : 1));
  if (result == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    return Fail(ErrorCode::kOutOfMemory, card_, std::to_string(bytes));
  }
  if (result != cudaSuccess) return tl::unexpected(DeviceError(card_, "allocating memory", result));
  return Buffer{.data = std::shared_ptr<std::byte>(static_cast<std::byte*>(data),
                                                   [](std::byte* at) { cudaFree(at); }),
                .bytes = bytes};
}

Result<Buffer> Device::AllocatePinned(std::int64_t bytes) {
  void* data = nullptr;
  if (cudaMallocHost(&data, static_cast<std::size_t>(bytes)) != cudaSuccess) {
    cudaGetLastError();
    return Fail(ErrorCode::kOutOfMemory, {}, std::to_string(bytes));
  }
  return Buffer{.data = std::shared_ptr<std::byte>(static_cast<std::byte*>(data),
                                                   [](std::byte* at) { cudaFreeHost(at); }),
                .bytes = bytes};
}

bool Device::Check(cudaError_t result, const char* what) {
  if (result == cudaSuccess) return true;
  cudaGetLastError();
  Remember(DeviceError(card_, what, result));
  return false;
}

void Device::Remember(Error error) {
  if (!error_) error_ = std::move(error);
}

Status Device::Synchronise() {
  Check(cudaStreamSynchronize(stream_), "waiting for the card");
  Check(cudaGetLastError(), "running a kernel");
  if (!error_) return {};
  Error error = *std::exchange(error_, std::nullopt);
  return tl::unexpected(std::move(error));
}

}  // namespace paluku::cuda
