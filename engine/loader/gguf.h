// Reader of GGUF files, versions 2 and 3, little endian: metadata, tensor table, weights in place.
//
// The file is hostile until read: every size is a Checked<uint64_t>, limits are those of
// kGgufLimits, and an error names the file and the key or tensor. After Open the object is const
// and safe on any thread. Format: the GGUF specification of ggml (version 3).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/mapped_file.h"
#include "engine/tensor/tensor.h"

namespace paluku {

struct GgufLimits {
  std::uint64_t entries = 65'536;  // metadata entries
  std::uint64_t tensors = 65'536;
  std::uint64_t key_bytes = 256;
  std::uint64_t string_bytes = 16u << 20;
  std::uint64_t array_elements = 16u << 20;
  std::uint64_t metadata_bytes = 512u << 20;  // everything before the weights
  std::uint64_t strings = 16u << 20;          // strings in all arrays together
  std::uint64_t dimension = 1ull << 31;
};
inline constexpr GgufLimits kGgufLimits;

// Value types of the format; the numbers are the file's.
enum class GgufType : std::uint32_t {
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kF32,
  kBool,
  kString,
  kArray,
  kU64,
  kI64,
  kF64,
};

// An array of numbers stays in the mapping (unaligned, little endian); an array of strings is an
// index of views.
struct GgufNumberArray {
  GgufType type;
  std::span<const std::byte> bytes;
  std::size_t count = 0;
};
using GgufValue = std::variant<std::uint64_t, std::int64_t, double, bool, std::string_view,
                               GgufNumberArray, std::vector<std::string_view>>;

// A tensor of an element type that Paluku cannot read: known by name and shape, without data.
struct GgufForeignTensor {
  std::uint32_t gguf_type = 0;
  std::vector<std::int64_t> shape;  // outermost first
};

class GgufFile {
 public:
  // Reads the header of `path`; touches no weight. Errors: those of MappedFile::Open,
  // kNotAModelFile, kUnsupportedVersion, kFileTruncated, kLimitExceeded, kFileDamaged, kBadValue. A
  // tensor of an unknown type is no error here, so that such a file can still be inspected:
  // RequireTensor refuses it.
  static Result<std::shared_ptr<const GgufFile>> Open(const std::string& path);

  const std::string& path() const { return file_->path(); }
  std::uint64_t size_bytes() const { return file_->bytes().size(); }
  std::uint32_t version() const { return version_; }
  // True once a page was lost under us; see MappedFile.
  bool damaged() const { return file_->damaged(); }
  const MappedFile& mapping() const { return *file_; }

  bool Has(std::string_view key) const { return Find(key) != nullptr; }
  const GgufValue* Find(std::string_view key) const;

  // Typed access. An absent key is kMissingKey; a value of another kind or outside [min, max] is
  // kBadValue. Integers are accepted from every integer type of the format, signed ones when they
  // are not negative.
  Result<std::uint64_t> Integer(std::string_view key, std::uint64_t min, std::uint64_t max) const;
  Result<double> Number(std::string_view key) const;  // any numeric type, finite
  Result<bool> Bool(std::string_view key) const;
  Result<std::string_view> String(std::string_view key) const;
  Result<std::span<const std::string_view>> Strings(std::string_view key) const;
  Result<std::vector<std::int64_t>> Integers(std::string_view key) const;
  Result<std::vector<float>> Floats(std::string_view key) const;
  // The same, with a default for an absent key.
  Result<std::uint64_t> IntegerOr(std::string_view key, std::uint64_t fallback, std::uint64_t min,
                                  std::uint64_t max) const;
  Result<double> NumberOr(std::string_view key, double fallback) const;
  Result<bool> BoolOr(std::string_view key, bool fallback) const;
  Result<std::string_view> StringOr(std::string_view key, std::string_view fallback) const;

  // Weights by name, shapes outermost first (the file stores them fastest first); nullptr when
  // absent.
  const Tensor* FindTensor(std::string_view name) const;
  Result<Tensor> RequireTensor(
      std::string_view name) const;  // kMissingTensor, kUnsupportedTensorType
  const std::map<std::string, Tensor, std::less<>>& tensors() const { return tensors_; }
  const std::map<std::string, GgufForeignTensor, std::less<>>& foreign_tensors() const {
    return foreign_;
  }
  const std::map<std::string, GgufValue, std::less<>>& entries() const { return entries_; }

 private:
  friend class GgufParser;
  std::shared_ptr<const MappedFile> file_;
  std::uint32_t version_ = 0;
  std::map<std::string, GgufValue, std::less<>> entries_;
  std::map<std::string, Tensor, std::less<>> tensors_;
  std::map<std::string, GgufForeignTensor, std::less<>> foreign_;
};

}  // namespace paluku
