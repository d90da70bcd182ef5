#include "tests/support/cuda_emulator/architecture.h"

namespace paluku::emulator {

ArchitectureLimits LimitsOf(int arch) {
  constexpr std::size_t kKiB = 1024;
  ArchitectureLimits limits{arch / 10, arch % 10, 48 * kKiB, 99 * kKiB, 100 * kKiB, kKiB, 1536, 24};
  switch (arch) {
    case 75:
      limits.shared_optin = limits.shared_per_processor = 64 * kKiB;
      limits.shared_reserved = 0;
      limits.threads_per_processor = 1024;
      limits.blocks_per_processor = 16;
      break;
    case 80:
    case 87:
      limits.shared_optin = 163 * kKiB;
      limits.shared_per_processor = 164 * kKiB;
      limits.threads_per_processor = arch == 80 ? 2048 : 1536;
      limits.blocks_per_processor = arch == 80 ? 32 : 16;
      break;
    case 86:
      limits.blocks_per_processor = 16;
      break;
    case 90:
    case 100:
    case 103:
      limits.shared_optin = 227 * kKiB;
      limits.shared_per_processor = 228 * kKiB;
      limits.threads_per_processor = 2048;
      limits.blocks_per_processor = 32;
      break;
    default:  // 89 and 120 are as above
      break;
  }
  return limits;
}

ErrorWords ErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return {"cudaSuccess", "no error"};
    case cudaErrorInvalidValue:
      return {"cudaErrorInvalidValue", "invalid argument"};
    case cudaErrorMemoryAllocation:
      return {"cudaErrorMemoryAllocation", "out of memory"};
    case cudaErrorInvalidConfiguration:
      return {"cudaErrorInvalidConfiguration", "invalid configuration argument"};
    case cudaErrorInsufficientDriver:
      return {"cudaErrorInsufficientDriver",
              "CUDA driver version is insufficient for CUDA runtime version"};
    case cudaErrorInvalidDeviceFunction:
      return {"cudaErrorInvalidDeviceFunction", "invalid device function"};
    case cudaErrorNoDevice:
      return {"cudaErrorNoDevice", "no CUDA-capable device is detected"};
    case cudaErrorInvalidDevice:
      return {"cudaErrorInvalidDevice", "invalid device ordinal"};
    case cudaErrorInvalidResourceHandle:
      return {"cudaErrorInvalidResourceHandle", "invalid resource handle"};
    case cudaErrorInvalidSymbol:
      return {"cudaErrorInvalidSymbol", "invalid device symbol"};
    case cudaErrorNotReady:
      return {"cudaErrorNotReady", "device not ready"};
    case cudaErrorIllegalAddress:
      return {"cudaErrorIllegalAddress", "an illegal memory access was encountered"};
    case cudaErrorLaunchOutOfResources:
      return {"cudaErrorLaunchOutOfResources", "too many resources requested for launch"};
    case cudaErrorLaunchFailure:
      return {"cudaErrorLaunchFailure", "unspecified launch failure"};
    case cudaErrorHostMemoryAlreadyRegistered:
      return {"cudaErrorHostMemoryAlreadyRegistered",
              "part or all of the requested memory range is already mapped"};
    case cudaErrorHostMemoryNotRegistered:
      return {"cudaErrorHostMemoryNotRegistered",
              "pointer does not correspond to a registered memory region"};
    case cudaErrorNotSupported:
      return {"cudaErrorNotSupported", "operation not supported"};
    case cudaErrorStreamCaptureUnsupported:
      return {"cudaErrorStreamCaptureUnsupported",
              "operation not permitted when stream is capturing"};
    case cudaErrorStreamCaptureInvalidated:
      return {"cudaErrorStreamCaptureInvalidated",
              "operation failed due to a previous error during capture"};
    case cudaErrorGraphExecUpdateFailure:
      return {"cudaErrorGraphExecUpdateFailure",
              "the graph update was not performed because it included changes which violated "
              "constraints"};
    case cudaErrorUnknown:
      return {"cudaErrorUnknown", "unknown error"};
    default:
      return {"cudaError", "an error that the emulator has no words for"};
  }
}

}  // namespace paluku::emulator
