// The table at the head of one safetensors file: names, types, shapes and places of its tensors.
//
// The file is hostile until read: 8 bytes of length, a JSON object, then the weights. A right table
// names nothing twice, and its tensors cover the weights without a gap or an overlap. A pure
// function of the mapping. Format: the safetensors README of Hugging Face.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/mapped_file.h"

namespace paluku {

struct SafetensorsLimits {
  std::uint64_t header_bytes = 32u << 20;  // of a whole Kimi K2: 16 MiB
  std::size_t file_tensors = 1u << 16;
  std::size_t tensors = 1u << 18;  // of one model
  std::size_t name_bytes = 256;
  std::size_t rank = 8;
  std::uint64_t dimension = 1ull << 31;
  std::size_t shards = 512;
};
inline constexpr SafetensorsLimits kSafetensorsLimits;

struct SafetensorsTensor {
  std::string type;                  // as the file says it: "BF16"
  std::vector<std::int64_t> shape;   // outermost first; empty for a single number
  std::span<const std::byte> bytes;  // in the mapping, of any alignment
};
using SafetensorsTable = std::map<std::string, SafetensorsTensor, std::less<>>;

// Bits of one element of a type that the format names; 0 for others.
int SafetensorsBits(std::string_view type);

// Errors: kNotAModelFile, kFileTruncated, kFileDamaged, kLimitExceeded.
Result<SafetensorsTable> ReadSafetensorsTable(const MappedFile& file);

}  // namespace paluku
