// Element types of tensors: one table of block formats.
//
// A type stores `block_elements` neighbouring values of a row in `block_bytes` bytes. Adding a type
// is adding a row to the table in dtype.cpp and, for speed, kernels in the backends; everything
// else reads the table. Block layouts: blocks.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace paluku {

enum class DType : std::uint8_t {
  kF32,
  kF16,
  kBF16,
  kI32,
  kQ4_0,
  kQ5_0,
  kQ8_0,
  kQ4_K,
  kQ5_K,
  kQ6_K,
  kQ4_1,
  kQ5_1,
  kQ2_K,
  kQ3_K,
  kIQ4_NL,
  kIQ4_XS,
  kIQ2_XXS,
  kIQ2_XS,
  kIQ2_S,
  kIQ3_XXS,
  kIQ3_S,
  kIQ1_S,
  kIQ1_M,
  kMXFP4,
  kNVFP4
};
inline constexpr int kDTypeCount = 25;

struct DTypeInfo {
  DType dtype;
  std::string_view name;  // as people write it: "Q4_K"
  std::uint32_t gguf_id;  // number in a GGUF tensor table
  std::int64_t block_elements;
  std::int64_t block_bytes;
  // Writes `count` values (a multiple of block_elements) read from `blocks` to `out`.
  void (*dequantise)(const std::byte* blocks, float* out, std::int64_t count);
  // Writes the blocks of `count` finite values (a multiple of block_elements); null for the types
  // that Paluku does not write. A block depends on its own values alone, so rows may be cut
  // anywhere between blocks and spread over threads. See quantise.h.
  void (*quantise)(const float* values, std::byte* blocks, std::int64_t count) = nullptr;
};

const DTypeInfo& Info(DType dtype);
std::optional<DType> DTypeFromGguf(std::uint32_t gguf_id);

// Bytes of a row of `elements` values; `elements` is a multiple of the block.
inline std::int64_t RowBytes(DType dtype, std::int64_t elements) {
  const DTypeInfo& info = Info(dtype);
  return elements / info.block_elements * info.block_bytes;
}

}  // namespace paluku
