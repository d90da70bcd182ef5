#include "tests/engine/loader/gguf_builder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace paluku::test {
namespace {

// A folder that lives as long as the process that made it, not a child of it.
class OwnFolder {
 public:
  OwnFolder() { std::filesystem::create_directories(path_); }
  ~OwnFolder() {
    std::error_code ignored;
    if (getpid() == owner_) std::filesystem::remove_all(path_, ignored);
  }
  OwnFolder(const OwnFolder&) = delete;
  OwnFolder& operator=(const OwnFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  const pid_t owner_ = getpid();
  const std::string path_ = testing::TempDir() + "paluku-" + std::to_string(owner_);
};

}  // namespace

ByteWriter& ByteWriter::Raw(std::span<const std::byte> raw) {
  bytes_.insert(bytes_.end(), raw.begin(), raw.end());
  return *this;
}

GgufBuilder& GgufBuilder::Entry(std::string_view key, ValueType type, const ByteWriter& value) {
  entries_.Text(key).U32(static_cast<std::uint32_t>(type)).Raw(value.bytes());
  ++entry_count_;
  return *this;
}

GgufBuilder& GgufBuilder::Texts(std::string_view key, const std::vector<std::string>& values) {
  ByteWriter array;
  array.U32(static_cast<std::uint32_t>(ValueType::kString)).U64(values.size());
  for (const std::string& value : values) array.Text(value);
  return Entry(key, ValueType::kArray, array);
}

GgufBuilder& GgufBuilder::Tensor(std::string_view name, const std::vector<std::int64_t>& shape,
                                 std::span<const std::byte> data, DType dtype) {
  std::int64_t rows = 1;
  for (std::size_t i = 0; i + 1 < shape.size(); ++i) rows *= shape[i];
  const auto bytes = static_cast<std::size_t>(rows * RowBytes(dtype, shape.back()));
  weights_.PadTo(alignment);
  RawTensor(name, {shape.rbegin(), shape.rend()}, Info(dtype).gguf_id, weights_.bytes().size());
  if (data.empty()) return Tail(bytes);
  EXPECT_EQ(data.size(), bytes) << name;
  weights_.Raw(data);
  return *this;
}

GgufBuilder& GgufBuilder::RawTensor(std::string_view name, const std::vector<std::uint64_t>& dims,
                                    std::uint32_t type, std::uint64_t offset) {
  infos_.Text(name).U32(static_cast<std::uint32_t>(dims.size()));
  for (const std::uint64_t dim : dims) infos_.U64(dim);
  infos_.U32(type).U64(offset);
  ++tensor_count_;
  return *this;
}

GgufBuilder& GgufBuilder::Tail(std::size_t bytes) {
  weights_.Raw(std::vector<std::byte>(bytes));
  return *this;
}

std::vector<std::byte> GgufBuilder::Bytes() const {
  ByteWriter out;
  out.Chars("GGUF").U32(version).U64(tensor_count_).U64(entry_count_);
  out.Raw(entries_.bytes()).Raw(infos_.bytes());
  if (!weights_.bytes().empty()) out.PadTo(alignment);
  return out.Raw(weights_.bytes()).bytes();
}

std::string GgufBuilder::Write(const std::string& name) const { return WriteFile(name, Bytes()); }

std::string WriteFile(const std::string& name, std::span<const std::byte> bytes) {
  static const OwnFolder folder;
  const std::string path = folder.path() + "/" + name;
  // A file that is written over would wait for the disk, and may be mapped.
  std::remove(path.c_str());
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  EXPECT_TRUE(out.good());
  return path;
}

}  // namespace paluku::test
