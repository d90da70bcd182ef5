// Writing of blocks: f32 values to the types that Paluku writes. Reached through the table of
// dtype.h (DTypeInfo::quantise); callers outside this folder use that.
//
// Every function takes `count` finite values, a multiple of the type's block, and writes the blocks
// one after another. The same values give the same bytes on every machine and for any division of
// the work: plain f32 arithmetic in a fixed order, and a block knows nothing of its neighbours.
// A value that is not finite stays what it is in the float types and spoils its own block, no
// other, in the rest; nothing else happens to it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace paluku {

// Nearest value, ties to even.
void QuantiseF32(const float* values, std::byte* blocks, std::int64_t count);
void QuantiseF16(const float* values, std::byte* blocks, std::int64_t count);
void QuantiseBF16(const float* values, std::byte* blocks, std::int64_t count);

// One scale from the largest magnitude (with a minimum: from the range) and the nearest codes: bit
// for bit what the gguf package writes.
void QuantiseQ8_0(const float* values, std::byte* blocks, std::int64_t count);
void QuantiseQ4_0(const float* values, std::byte* blocks, std::int64_t count);
void QuantiseQ5_0(const float* values, std::byte* blocks, std::int64_t count);
void QuantiseQ4_1(const float* values, std::byte* blocks, std::int64_t count);
void QuantiseQ5_1(const float* values, std::byte* blocks, std::int64_t count);

// Least squares: see quantise_search.h.
void QuantiseQ4_K(const float* values, std::byte* blocks, std::int64_t count);
void QuantiseQ5_K(const float* values, std::byte* blocks, std::int64_t count);
void QuantiseQ6_K(const float* values, std::byte* blocks, std::int64_t count);
void QuantiseIQ4_NL(const float* values, std::byte* blocks, std::int64_t count);
void QuantiseIQ4_XS(const float* values, std::byte* blocks, std::int64_t count);

}  // namespace paluku
