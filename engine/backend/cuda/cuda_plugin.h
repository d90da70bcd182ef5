// Finds and opens libpaluku_cuda.so at run time. Part of paluku_engine; knows nothing of CUDA.
#pragma once

#include <memory>

#include "engine/backend/backend.h"
#include "engine/base/error.h"

namespace paluku {

// The CUDA backend on the first card. `threads`: of the processor, where it helps out. The library
// is looked for at $PALUKU_CUDA_LIBRARY, else beside the program and in ../lib/paluku of it; once
// opened it stays. Error: kDeviceFailed, its detail the reason in words (not installed, no driver,
// no card, another version).
Result<std::unique_ptr<Backend>> OpenCudaBackend(int threads);

}  // namespace paluku
