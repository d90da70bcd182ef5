// GgufParser: turns the bytes of a mapped file into a ModelFile, believing none of them.
//
// Used once per file, by OpenGguf. The cursor never passes the end of the file; counts are held
// against the bytes that remain before anything is reserved for them. Rules: CVE-2024-21802 and its
// family (n_dims, counts and sizes that wrap) and CVE-2026-7482 (tensors that reach beyond the
// file).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/loader/gguf.h"

namespace paluku {

class GgufParser {
 public:
  // `stop` is looked at whenever something is read.
  explicit GgufParser(std::shared_ptr<const MappedFile> file, std::stop_token stop = {});
  Result<ModelFile::Contents> Parse();

 private:
  // Where a tensor lies, relative to the first byte of the weights.
  struct Extent {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    std::string name;
  };

  std::uint64_t remaining() const { return bytes_.size() - position_; }
  tl::unexpected<Error> Truncated() const;
  tl::unexpected<Error> Limit(std::string what) const;
  tl::unexpected<Error> Damaged(std::string what) const;

  // The next `count` bytes.
  Result<std::span<const std::byte>> Take(std::uint64_t count);
  template <class T>
  Result<T> Read() {
    PALUKU_ASSIGN_OR_RETURN(const std::span<const std::byte> raw, Take(sizeof(T)));
    T value;
    std::memcpy(&value, raw.data(), sizeof value);
    return value;
  }
  template <class Stored, class Kept>
  Result<MetadataValue> ReadScalar();

  Status ReadHeader();
  Status ReadEntry(std::uint64_t index);
  Result<std::string_view> ReadString();
  Result<std::string> ReadName(std::uint64_t limit);
  Result<MetadataValue> ReadValue(ValueType type);
  Result<MetadataValue> ReadArray();
  Status ReadAlignment();
  Status ReadTensorInfo(std::uint64_t index);
  Result<std::vector<std::int64_t>> ReadShape();
  Status AddTensor(const std::string& name, std::uint32_t type, std::vector<std::int64_t> shape,
                   std::uint64_t offset);
  Status PlaceTensors();

  std::stop_token stop_;
  ModelFile::Contents out_;
  std::span<const std::byte> bytes_;
  std::uint64_t position_ = 0;
  std::uint64_t tensor_count_ = 0;
  std::uint64_t entry_count_ = 0;
  std::uint64_t strings_ = 0;
  std::uint64_t alignment_ = 32;
  std::string context_ = "header";  // what is being read, for errors
  std::vector<Extent> extents_;
};

}  // namespace paluku
