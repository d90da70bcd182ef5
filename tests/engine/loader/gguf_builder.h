// GgufBuilder: GGUF files made in code, right ones and wrong ones. Bytes are written as the format
// has them, so that a test can say anything a hostile file can.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/loader/model_file.h"

namespace paluku::test {

// Little-endian bytes in the making.
class ByteWriter {
 public:
  template <class T>
  ByteWriter& Number(T value) {
    return Raw(std::as_bytes(std::span(&value, 1)));
  }
  ByteWriter& U32(std::uint32_t value) { return Number(value); }
  ByteWriter& U64(std::uint64_t value) { return Number(value); }
  ByteWriter& Raw(std::span<const std::byte> raw);
  ByteWriter& Chars(std::string_view text) { return Raw(std::as_bytes(std::span(text))); }
  ByteWriter& Text(std::string_view text) { return U64(text.size()).Chars(text); }
  void PadTo(std::size_t alignment) {
    while (bytes_.size() % alignment != 0) bytes_.push_back(std::byte{0});
  }
  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

class GgufBuilder {
 public:
  // Metadata.
  GgufBuilder& U32(std::string_view key, std::uint32_t value) {
    return Entry(key, ValueType::kU32, ByteWriter().U32(value));
  }
  GgufBuilder& F32(std::string_view key, float value) {
    return Entry(key, ValueType::kF32, ByteWriter().Number(value));
  }
  GgufBuilder& Bool(std::string_view key, bool value) {
    return Entry(key, ValueType::kBool, ByteWriter().Number<std::uint8_t>(value ? 1 : 0));
  }
  GgufBuilder& Text(std::string_view key, std::string_view value) {
    return Entry(key, ValueType::kString, ByteWriter().Text(value));
  }
  GgufBuilder& Texts(std::string_view key, const std::vector<std::string>& values);
  GgufBuilder& Entry(std::string_view key, ValueType type, const ByteWriter& value);

  // A tensor, shape outermost first. Without data: zeros.
  GgufBuilder& Tensor(std::string_view name, const std::vector<std::int64_t>& shape,
                      std::span<const std::byte> data = {}, DType dtype = DType::kF32);
  // One with any type number and any place; data must be given with Tail.
  GgufBuilder& RawTensor(std::string_view name,
                         const std::vector<std::uint64_t>& dims_fastest_first, std::uint32_t type,
                         std::uint64_t offset);
  // Bytes behind the weights.
  GgufBuilder& Tail(std::size_t bytes);

  std::uint32_t version = 3;
  std::size_t alignment = 32;

  std::vector<std::byte> Bytes() const;
  // WriteFile of Bytes().
  std::string Write(const std::string& name) const;

 private:
  ByteWriter entries_;
  ByteWriter infos_;
  ByteWriter weights_;
  std::uint64_t entry_count_ = 0;
  std::uint64_t tensor_count_ = 0;
};

// Writes `bytes` to a file called `name` in a folder that is removed when the program ends; its
// path.
std::string WriteFile(const std::string& name, std::span<const std::byte> bytes);

}  // namespace paluku::test
