// Memory of the backends that compute on the processor.
#pragma once

#include <cstdint>

#include "engine/backend/backend.h"

namespace paluku {

// `bytes` uninitialised bytes, 64-byte aligned, with room to read 64 bytes past the end (vector
// loads of a last row). Error: kOutOfMemory.
Result<Buffer> AllocateHostMemory(std::int64_t bytes);

}  // namespace paluku
