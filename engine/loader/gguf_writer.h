// GgufWriter: writes a GGUF file, version 3, tensor by tensor, so that the file is there whole or
// not at all.
//
// The bytes go to PATH.part, which Finish makes durable and renames; a writer that is destroyed
// before removes it, and what a killed process leaves there is written over by the next one. Two
// writers of one path exclude each other by a lock. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/loader/model_file.h"
#include "engine/tensor/dtype.h"

namespace paluku {

struct GgufTensorInfo {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::int64_t> shape;  // outermost first

  std::int64_t rows() const;
  std::int64_t columns() const { return shape.back(); }
  std::int64_t bytes() const { return rows() * RowBytes(dtype, columns()); }
};

class GgufWriter {
 public:
  // Writes everything before the weights. Values are written in the types that readers of GGUF
  // expect: whole numbers as u32 or i32 where they fit, fractions as f32, arrays as they are.
  // Errors: kInvalidArgument when `path` exists, kAlreadyOpen, kDiskFull (also when the file system
  // has no room for the whole file), kIo.
  static Result<GgufWriter> Create(const std::string& path,
                                   const std::map<std::string, MetadataValue, std::less<>>& entries,
                                   const std::vector<GgufTensorInfo>& tensors);
  GgufWriter(GgufWriter&& other) noexcept;
  GgufWriter& operator=(GgufWriter&&) = delete;
  ~GgufWriter();

  // The next bytes of the weights: those of the tensors in the order of Create, in any pieces.
  // Padding between them is the writer's. Errors: kDiskFull, kIo.
  Status Write(std::span<const std::byte> bytes);
  // After the last byte: the file is on the disk under its own name. Its bytes. Errors: as above.
  Result<std::int64_t> Finish();

 private:
  explicit GgufWriter(std::string path) : path_(std::move(path)) {}
  std::string part() const { return path_ + ".part"; }
  Status Open(std::uint64_t size);
  Status Put(std::span<const std::byte> bytes);
  Status Pad();

  std::string path_;
  int fd_ = -1;
  std::vector<std::int64_t> sizes_;  // of the tensors
  std::size_t tensor_ = 0;           // the one being written
  std::int64_t left_ = 0;            // bytes it still lacks
  std::uint64_t position_ = 0;       // in the file
};

}  // namespace paluku
