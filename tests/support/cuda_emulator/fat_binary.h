// The container in which nvcc embeds PTX in a host object. Purpose: find the PTX texts inside it.
#pragma once

#include <string>
#include <vector>

namespace paluku::emulator {

// wrapper: what __cudaRegisterFatBinary receives. Returns the uncompressed PTX texts; on failure
// `error` says why.
std::vector<std::string> ExtractPtx(const void* wrapper, std::string& error);

}  // namespace paluku::emulator
