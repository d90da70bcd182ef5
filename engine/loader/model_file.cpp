#include "engine/loader/model_file.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "engine/base/check.h"
#include "engine/loader/gguf.h"
#include "engine/loader/safetensors/safetensors.h"

namespace paluku {
namespace {

constexpr auto kAnyMaximum = std::numeric_limits<std::uint64_t>::max();

template <class T>
T LoadUnaligned(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// Element `i` of an integer array; nothing for other kinds and for values beyond int64.
std::optional<std::int64_t> IntegerAt(const NumberArray& array, std::size_t i) {
  const std::byte* raw = array.bytes.data();
  switch (array.type) {
    case ValueType::kU8:
    case ValueType::kBool:
      return LoadUnaligned<std::uint8_t>(raw + i);
    case ValueType::kI8:
      return LoadUnaligned<std::int8_t>(raw + i);
    case ValueType::kU16:
      return LoadUnaligned<std::uint16_t>(raw + 2 * i);
    case ValueType::kI16:
      return LoadUnaligned<std::int16_t>(raw + 2 * i);
    case ValueType::kU32:
      return LoadUnaligned<std::uint32_t>(raw + 4 * i);
    case ValueType::kI32:
      return LoadUnaligned<std::int32_t>(raw + 4 * i);
    case ValueType::kI64:
      return LoadUnaligned<std::int64_t>(raw + 8 * i);
    case ValueType::kU64: {
      const auto value = LoadUnaligned<std::uint64_t>(raw + 8 * i);
      if (!std::in_range<std::int64_t>(value)) return std::nullopt;
      return static_cast<std::int64_t>(value);
    }
    default:
      return std::nullopt;
  }
}

std::optional<double> NumberAt(const NumberArray& array, std::size_t i) {
  if (array.type == ValueType::kF32) return LoadUnaligned<float>(array.bytes.data() + 4 * i);
  if (array.type == ValueType::kF64) return LoadUnaligned<double>(array.bytes.data() + 8 * i);
  if (const auto integer = IntegerAt(array, i)) return static_cast<double>(*integer);
  return std::nullopt;
}

tl::unexpected<Error> Missing(const ModelFile& file, std::string_view key) {
  return Fail(ErrorCode::kMissingKey, file.path(), std::string(key));
}

tl::unexpected<Error> BadValue(const ModelFile& file, std::string_view key, std::string_view why) {
  return Fail(ErrorCode::kBadValue, file.path(), std::string(key) + ": " + std::string(why));
}

// The entry as a T, which must be one of the variant's own kinds.
template <class T>
Result<const T*> Get(const ModelFile& file, std::string_view key, std::string_view wanted) {
  const MetadataValue* value = file.Find(key);
  if (value == nullptr) return Missing(file, key);
  const T* typed = std::get_if<T>(value);
  if (typed == nullptr) return BadValue(file, key, "not " + std::string(wanted));
  return typed;
}

}  // namespace

Result<std::shared_ptr<const ModelFile>> ModelFile::Open(const std::string& path,
                                                         const std::stop_token& stop) {
  return IsSafetensorsPath(path) ? OpenSafetensors(path, stop) : OpenGguf(path, stop);
}

std::uint64_t ModelFile::size_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& mapping : contents_.mappings) bytes += mapping->bytes().size();
  return bytes;
}

bool ModelFile::damaged() const {
  return std::any_of(contents_.mappings.begin(), contents_.mappings.end(),
                     [](const auto& mapping) { return mapping->damaged(); });
}

const MetadataValue* ModelFile::Find(std::string_view key) const {
  const auto it = contents_.entries.find(key);
  return it == contents_.entries.end() ? nullptr : &it->second;
}

Result<std::uint64_t> ModelFile::Integer(std::string_view key, std::uint64_t min,
                                         std::uint64_t max) const {
  const MetadataValue* value = Find(key);
  if (value == nullptr) return Missing(*this, key);
  std::uint64_t number = 0;
  if (const auto* plain = std::get_if<std::uint64_t>(value)) {
    number = *plain;
  } else if (const auto* with_sign = std::get_if<std::int64_t>(value)) {
    if (*with_sign < 0) return BadValue(*this, key, std::to_string(*with_sign));
    number = static_cast<std::uint64_t>(*with_sign);
  } else {
    return BadValue(*this, key, "not a whole number");
  }
  if (number < min || number > max) return BadValue(*this, key, std::to_string(number));
  return number;
}

Result<double> ModelFile::Number(std::string_view key) const {
  const MetadataValue* value = Find(key);
  if (value == nullptr) return Missing(*this, key);
  if (const auto* real = std::get_if<double>(value)) {
    if (!std::isfinite(*real)) return BadValue(*this, key, "not finite");
    return *real;
  }
  if (const auto* with_sign = std::get_if<std::int64_t>(value)) {
    return static_cast<double>(*with_sign);
  }
  PALUKU_ASSIGN_OR_RETURN(const std::uint64_t integer, Integer(key, 0, kAnyMaximum));
  return static_cast<double>(integer);
}

Result<bool> ModelFile::Bool(std::string_view key) const {
  PALUKU_ASSIGN_OR_RETURN(const bool* value, Get<bool>(*this, key, "true or false"));
  return *value;
}

Result<std::string_view> ModelFile::String(std::string_view key) const {
  PALUKU_ASSIGN_OR_RETURN(const auto* value, Get<std::string_view>(*this, key, "a text"));
  return *value;
}

Result<std::span<const std::string_view>> ModelFile::Strings(std::string_view key) const {
  PALUKU_ASSIGN_OR_RETURN(const auto* value,
                          Get<std::vector<std::string_view>>(*this, key, "an array of texts"));
  return std::span<const std::string_view>(*value);
}

Result<std::vector<std::int64_t>> ModelFile::Integers(std::string_view key) const {
  PALUKU_ASSIGN_OR_RETURN(const auto* array, Get<NumberArray>(*this, key, "an array of numbers"));
  std::vector<std::int64_t> numbers;
  numbers.reserve(array->count);
  for (std::size_t i = 0; i < array->count; ++i) {
    const auto number = IntegerAt(*array, i);
    if (!number) return BadValue(*this, key, "not whole numbers");
    numbers.push_back(*number);
  }
  return numbers;
}

Result<std::vector<float>> ModelFile::Floats(std::string_view key) const {
  PALUKU_ASSIGN_OR_RETURN(const auto* array, Get<NumberArray>(*this, key, "an array of numbers"));
  std::vector<float> numbers;
  numbers.reserve(array->count);
  for (std::size_t i = 0; i < array->count; ++i) {
    const auto number = NumberAt(*array, i);
    if (!number || !std::isfinite(*number)) return BadValue(*this, key, "not numbers");
    numbers.push_back(static_cast<float>(*number));
  }
  return numbers;
}

Result<std::uint64_t> ModelFile::IntegerOr(std::string_view key, std::uint64_t fallback,
                                           std::uint64_t min, std::uint64_t max) const {
  return Has(key) ? Integer(key, min, max) : Result<std::uint64_t>(fallback);
}

Result<double> ModelFile::NumberOr(std::string_view key, double fallback) const {
  return Has(key) ? Number(key) : Result<double>(fallback);
}

Result<bool> ModelFile::BoolOr(std::string_view key, bool fallback) const {
  return Has(key) ? Bool(key) : Result<bool>(fallback);
}

Result<std::string_view> ModelFile::StringOr(std::string_view key,
                                             std::string_view fallback) const {
  return Has(key) ? String(key) : Result<std::string_view>(fallback);
}

const Tensor* ModelFile::FindTensor(std::string_view name) const {
  const auto it = contents_.tensors.find(name);
  return it == contents_.tensors.end() ? nullptr : &it->second;
}

Result<Tensor> ModelFile::RequireTensor(std::string_view name) const {
  if (const Tensor* tensor = FindTensor(name)) return *tensor;
  const auto& foreign = contents_.foreign_tensors;
  if (const auto it = foreign.find(name); it != foreign.end()) {
    return Fail(ErrorCode::kUnsupportedTensorType, path(),
                std::string(name) + ": " + it->second.type);
  }
  return Fail(ErrorCode::kMissingTensor, path(), std::string(name));
}

void ModelFile::CopyRows(std::string_view name, std::int64_t first, std::int64_t count,
                         std::byte* out) const {
  const Tensor* tensor = FindTensor(name);
  PALUKU_CHECK(tensor != nullptr);
  if (tensor->data == nullptr) {
    CopyPieces(*tensor, contents_.pieces.find(name)->second, first, count, out);
    return;
  }
  PALUKU_CHECK(first >= 0 && count >= 0 && first + count <= tensor->rows());
  std::memcpy(out, tensor->data + first * tensor->row_bytes(),
              static_cast<std::size_t>(count * tensor->row_bytes()));
}

}  // namespace paluku
