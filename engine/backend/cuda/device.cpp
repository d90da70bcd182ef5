#include "engine/backend/cuda/device.h"

#include <algorithm>
#include <cmath>
#include <cstring>
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
  device.MeasureLink();
  return device;
}

// The best of a few copies: an idle link wakes with the first. Rounded to what links have, half or
// twice of one another, so that every start on this computer finds the same number and makes the
// same plan.
void Device::MeasureLink() {
  constexpr std::int64_t kBytes = 8 << 20;
  constexpr int kCopies = 4;
  constexpr double kUsual = 12.5e9;  // PCIe 3.0 with 16 lanes
  const auto host = AllocatePinned(kBytes);
  const auto card = Allocate(kBytes);
  cudaEvent_t start = nullptr, end = nullptr;
  bool works = host && card && cudaEventCreate(&start) == cudaSuccess &&
               cudaEventCreate(&end) == cudaSuccess;
  if (works) std::memset(host->data.get(), 0, kBytes);
  float best = 0;  // milliseconds
  for (int i = 0; i < kCopies && works; ++i) {
    float time = 0;
    works = cudaEventRecord(start, stream_) == cudaSuccess &&
            cudaMemcpyAsync(card->data.get(), host->data.get(), kBytes, cudaMemcpyHostToDevice,
                            stream_) == cudaSuccess &&
            cudaEventRecord(end, stream_) == cudaSuccess &&
            cudaEventSynchronize(end) == cudaSuccess &&
            cudaEventElapsedTime(&time, start, end) == cudaSuccess;
    best = i == 0 ? time : std::min(best, time);
  }
  if (start != nullptr) cudaEventDestroy(start);
  if (end != nullptr) cudaEventDestroy(end);
  cudaGetLastError();  // without the figure the plan takes the usual one
  if (!works || best <= 0) return;
  link_speed_ = kUsual * std::exp2(std::round(std::log2(kBytes / (1e-3 * best) / kUsual)));
}

Device::Device(Device&& other) noexcept
    : card_(std::move(other.card_)),
      multiprocessors_(other.multiprocessors_),
      architecture_(other.architecture_),
      link_speed_(other.link_speed_),
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
