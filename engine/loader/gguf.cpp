#include "engine/loader/gguf.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "engine/loader/gguf_parser.h"

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
std::optional<std::int64_t> IntegerAt(const GgufNumberArray& array, std::size_t i) {
  const std::byte* raw = array.bytes.data();
  switch (array.type) {
    case GgufType::kU8:
    case GgufType::kBool:
      return LoadUnaligned<std::uint8_t>(raw + i);
    case GgufType::kI8:
      return LoadUnaligned<std::int8_t>(raw + i);
    case GgufType::kU16:
      return LoadUnaligned<std::uint16_t>(raw + 2 * i);
    case GgufType::kI16:
      return LoadUnaligned<std::int16_t>(raw + 2 * i);
    case GgufType::kU32:
      return LoadUnaligned<std::uint32_t>(raw + 4 * i);
    case GgufType::kI32:
      return LoadUnaligned<std::int32_t>(raw + 4 * i);
    case GgufType::kI64:
      return LoadUnaligned<std::int64_t>(raw + 8 * i);
    case GgufType::kU64: {
      const auto value = LoadUnaligned<std::uint64_t>(raw + 8 * i);
      if (!std::in_range<std::int64_t>(value)) return std::nullopt;
      return static_cast<std::int64_t>(value);
    }
    default:
      return std::nullopt;
  }
}

std::optional<double> NumberAt(const GgufNumberArray& array, std::size_t i) {
  if (array.type == GgufType::kF32) return LoadUnaligned<float>(array.bytes.data() + 4 * i);
  if (array.type == GgufType::kF64) return LoadUnaligned<double>(array.bytes.data() + 8 * i);
  if (const auto integer = IntegerAt(array, i)) return static_cast<double>(*integer);
  return std::nullopt;
}

tl::unexpected<Error> Missing(const GgufFile& file, std::string_view key) {
  return Fail(ErrorCode::kMissingKey, file.path(), std::string(key));
}

tl::unexpected<Error> BadValue(const GgufFile& file, std::string_view key, std::string_view why) {
  return Fail(ErrorCode::kBadValue, file.path(), std::string(key) + ": " + std::string(why));
}

// The entry as a T, which must be one of the variant's own kinds.
template <class T>
Result<const T*> Get(const GgufFile& file, std::string_view key, std::string_view wanted) {
  const GgufValue* value = file.Find(key);
  if (value == nullptr) return Missing(file, key);
  const T* typed = std::get_if<T>(value);
  if (typed == nullptr) return BadValue(file, key, "not " + std::string(wanted));
  return typed;
}

}  // namespace

Result<std::shared_ptr<const GgufFile>> GgufFile::Open(const std::string& path) {
  PALUKU_ASSIGN_OR_RETURN(auto file, MappedFile::Open(path));
  return GgufParser(std::move(file)).Parse();
}

const GgufValue* GgufFile::Find(std::string_view key) const {
  const auto it = entries_.find(key);
  return it == entries_.end() ? nullptr : &it->second;
}

Result<std::uint64_t> GgufFile::Integer(std::string_view key, std::uint64_t min,
                                        std::uint64_t max) const {
  const GgufValue* value = Find(key);
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

Result<double> GgufFile::Number(std::string_view key) const {
  const GgufValue* value = Find(key);
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

Result<bool> GgufFile::Bool(std::string_view key) const {
  PALUKU_ASSIGN_OR_RETURN(const bool* value, Get<bool>(*this, key, "true or false"));
  return *value;
}

Result<std::string_view> GgufFile::String(std::string_view key) const {
  PALUKU_ASSIGN_OR_RETURN(const auto* value, Get<std::string_view>(*this, key, "a text"));
  return *value;
}

Result<std::span<const std::string_view>> GgufFile::Strings(std::string_view key) const {
  PALUKU_ASSIGN_OR_RETURN(const auto* value,
                          Get<std::vector<std::string_view>>(*this, key, "an array of texts"));
  return std::span<const std::string_view>(*value);
}

Result<std::vector<std::int64_t>> GgufFile::Integers(std::string_view key) const {
  PALUKU_ASSIGN_OR_RETURN(const auto* array,
                          Get<GgufNumberArray>(*this, key, "an array of numbers"));
  std::vector<std::int64_t> numbers;
  numbers.reserve(array->count);
  for (std::size_t i = 0; i < array->count; ++i) {
    const auto number = IntegerAt(*array, i);
    if (!number) return BadValue(*this, key, "not whole numbers");
    numbers.push_back(*number);
  }
  return numbers;
}

Result<std::vector<float>> GgufFile::Floats(std::string_view key) const {
  PALUKU_ASSIGN_OR_RETURN(const auto* array,
                          Get<GgufNumberArray>(*this, key, "an array of numbers"));
  std::vector<float> numbers;
  numbers.reserve(array->count);
  for (std::size_t i = 0; i < array->count; ++i) {
    const auto number = NumberAt(*array, i);
    if (!number || !std::isfinite(*number)) return BadValue(*this, key, "not numbers");
    numbers.push_back(static_cast<float>(*number));
  }
  return numbers;
}

Result<std::uint64_t> GgufFile::IntegerOr(std::string_view key, std::uint64_t fallback,
                                          std::uint64_t min, std::uint64_t max) const {
  return Has(key) ? Integer(key, min, max) : Result<std::uint64_t>(fallback);
}

Result<double> GgufFile::NumberOr(std::string_view key, double fallback) const {
  return Has(key) ? Number(key) : Result<double>(fallback);
}

Result<bool> GgufFile::BoolOr(std::string_view key, bool fallback) const {
  return Has(key) ? Bool(key) : Result<bool>(fallback);
}

Result<std::string_view> GgufFile::StringOr(std::string_view key, std::string_view fallback) const {
  return Has(key) ? String(key) : Result<std::string_view>(fallback);
}

const Tensor* GgufFile::FindTensor(std::string_view name) const {
  const auto it = tensors_.find(name);
  return it == tensors_.end() ? nullptr : &it->second;
}

Result<Tensor> GgufFile::RequireTensor(std::string_view name) const {
  if (const Tensor* tensor = FindTensor(name)) return *tensor;
  if (const auto it = foreign_.find(name); it != foreign_.end()) {
    return Fail(ErrorCode::kUnsupportedTensorType, path(),
                std::string(name) + ": " + std::string(GgufTypeName(it->second.gguf_type)));
  }
  return Fail(ErrorCode::kMissingTensor, path(), std::string(name));
}

}  // namespace paluku
