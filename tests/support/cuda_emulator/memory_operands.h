// What the opcodes that touch memory share: spaces, cache hints, addresses.
#pragma once

#include <cstdint>

#include "tests/support/cuda_emulator/decoder.h"
#include "tests/support/cuda_emulator/warp.h"

namespace paluku::emulator {

// Consumes the state space; generic when there is none.
Space TakeSpace(Decoder& d);
// Consumes hints about caches, which change nothing here. True when an operand with a policy
// follows.
bool TakeCacheHints(Decoder& d);
// The 32 addresses of a memory operand whose register is in reg[slot].
void LaneAddresses(Warp& warp, const Instruction& in, int slot, std::uint64_t* out);

}  // namespace paluku::emulator
