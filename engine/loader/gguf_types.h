// Names of the numbers that GGUF files give to element types.
#pragma once

#include <cstdint>
#include <string>

namespace paluku {

// Also of types that Paluku cannot read: "TQ1_0", "ik_llama.cpp IQ4_KS"; "type 77" of a number
// that nobody is known to use.
std::string GgufTypeName(std::uint32_t gguf_id);

}  // namespace paluku
