// Reader of GGUF files, versions 2 and 3, little endian, whole or split over several files.
//
// The file is hostile until read: every size is a Checked<uint64_t>, limits are those of
// kGgufLimits, and an error names the file and the key or tensor. A pure function of the file.
// Format: the GGUF specification of ggml (version 3).
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "engine/base/error.h"
#include "engine/loader/model_file.h"

namespace paluku {

struct GgufLimits {
  std::uint64_t entries = 65'536;  // metadata entries
  std::uint64_t tensors = 65'536;
  std::uint64_t key_bytes = 256;
  std::uint64_t string_bytes = 16u << 20;
  std::uint64_t array_elements = 16u << 20;
  std::uint64_t metadata_bytes = 128u << 20;  // everything before the weights
  std::uint64_t strings = 4u << 20;           // strings in all arrays together
  std::uint64_t dimension = 1ull << 31;
};
inline constexpr GgufLimits kGgufLimits;

// Any part of a split set (name-00002-of-00004.gguf) opens all of it. Errors: kFileNotFound with
// the names of missing parts, those of MappedFile::Open, kNotAModelFile, kUnsupportedVersion,
// kFileTruncated, kLimitExceeded, kFileDamaged, kBadValue, kCancelled.
Result<std::shared_ptr<const ModelFile>> OpenGguf(const std::string& path,
                                                  const std::stop_token& stop = {});

}  // namespace paluku
