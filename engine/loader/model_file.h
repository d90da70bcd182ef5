// ModelFile: a model on disk, whatever its container: typed metadata and named tensors in place.
//
// A reader (gguf.h, safetensors/safetensors.h) fills Contents; keys and tensor names are those of
// GGUF. ModelConfig, Weights, the model card and the vocabulary see a model through this class
// alone. Const after Open and safe on any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/mapped_file.h"
#include "engine/loader/tensor_pieces.h"
#include "engine/tensor/tensor.h"

namespace paluku {

// Types of metadata values; the numbers are GGUF's.
enum class ValueType : std::uint32_t {
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

// An array of numbers stays where it was found (unaligned, little endian); an array of strings is
// an index of views.
struct NumberArray {
  ValueType type;
  std::span<const std::byte> bytes;
  std::size_t count = 0;
};
using MetadataValue = std::variant<std::uint64_t, std::int64_t, double, bool, std::string_view,
                                   NumberArray, std::vector<std::string_view>>;

// A tensor of an element type that Paluku cannot read: known by name and shape, without data.
struct ForeignTensor {
  std::string type;                 // as people write it: "TQ1_0"
  std::vector<std::int64_t> shape;  // outermost first
};

class ModelFile {
 public:
  // What a reader found. Views in it point into the mappings and into `owned`.
  struct Contents {
    std::string path;
    std::string format;  // "GGUF 3", "safetensors"
    std::vector<std::shared_ptr<const MappedFile>> mappings;
    std::map<std::string, MetadataValue, std::less<>> entries;
    std::map<std::string, Tensor, std::less<>> tensors;
    std::map<std::string, ForeignTensor, std::less<>> foreign_tensors;
    // Of the tensors that stand nowhere as they are; their `data` is nullptr.
    std::map<std::string, std::vector<TensorPiece>, std::less<>> pieces;
    std::deque<std::string> owned;  // bytes that stand in no file
  };

  // Reads the header of the model at `path`; touches no weight. A tensor of an unknown type is no
  // error here, so that such a file can still be inspected: RequireTensor refuses it. `path`: a
  // GGUF file, any part of a split set, or a directory of safetensors. Errors: those of OpenGguf
  // and OpenSafetensors; kCancelled within 250 ms of the stop request.
  static Result<std::shared_ptr<const ModelFile>> Open(const std::string& path,
                                                       const std::stop_token& stop = {});

  explicit ModelFile(Contents contents) : contents_(std::move(contents)) {}

  const std::string& path() const { return contents_.path; }
  const std::string& format() const { return contents_.format; }
  std::uint64_t size_bytes() const;
  // True once a page was lost under us; see MappedFile.
  bool damaged() const;
  const std::vector<std::shared_ptr<const MappedFile>>& mappings() const {
    return contents_.mappings;
  }

  bool Has(std::string_view key) const { return Find(key) != nullptr; }
  const MetadataValue* Find(std::string_view key) const;

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

  // Weights by name, shapes outermost first; nullptr when absent. Weights that the file holds in
  // pieces have no `data` and are read by CopyRows.
  const Tensor* FindTensor(std::string_view name) const;
  Result<Tensor> RequireTensor(
      std::string_view name) const;  // kMissingTensor, kUnsupportedTensorType
  // Writes rows [first, first + count) of the tensor `name`, its outer dimensions taken together,
  // to `out`, in place or not.
  void CopyRows(std::string_view name, std::int64_t first, std::int64_t count,
                std::byte* out) const;
  const std::map<std::string, Tensor, std::less<>>& tensors() const { return contents_.tensors; }
  const std::map<std::string, ForeignTensor, std::less<>>& foreign_tensors() const {
    return contents_.foreign_tensors;
  }
  const std::map<std::string, MetadataValue, std::less<>>& entries() const {
    return contents_.entries;
  }

 private:
  Contents contents_;
};

}  // namespace paluku
