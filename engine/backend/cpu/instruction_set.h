// Choice of the kernels: the best set this processor has, or the one PALUKU_CPU names (scalar,
// avx2, avx512).
#pragma once

#include <string_view>
#include <vector>

#include "engine/backend/cpu/kernels/kernel_table.h"
#include "engine/base/error.h"

namespace paluku {

// Instruction sets this processor can run, slowest first; "scalar" is always there.
std::vector<std::string_view> SupportedInstructionSets();

// `name` empty or "auto": PALUKU_CPU if set, else the fastest supported.
// Error: kInvalidArgument when the name is unknown or the processor lacks it.
Result<const Kernels*> ChooseKernels(std::string_view name);

}  // namespace paluku
