// Parses PTX text (the subset that nvcc and clang write) into a PtxModule.
#pragma once

#include <string_view>

#include "tests/support/cuda_emulator/ptx_syntax.h"

namespace paluku::emulator {

// text must outlive the module. Throws PtxError.
PtxModule ParsePtx(std::string_view text);

// Width in bytes of a type name without its dot ("f32"): 0 for "pred", -1 when it is no type.
int TypeWidth(std::string_view type);

}  // namespace paluku::emulator
