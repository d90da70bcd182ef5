// Limits of the emulated architectures, and names of the runtime's errors.
#pragma once

#include <driver_types.h>

#include <cstddef>

namespace paluku::emulator {

// From the CUDA C++ programming guide, "Technical specifications per compute capability".
struct ArchitectureLimits {
  int major;
  int minor;
  std::size_t shared_per_block;  // without asking
  std::size_t shared_optin;      // with cudaFuncSetAttribute
  std::size_t shared_per_processor;
  std::size_t shared_reserved;
  int threads_per_processor;
  int blocks_per_processor;
};

// arch: compute capability x 10.
ArchitectureLimits LimitsOf(int arch);

struct ErrorWords {
  const char* name;
  const char* text;
};
ErrorWords ErrorName(cudaError_t error);

}  // namespace paluku::emulator
