#include "engine/loader/gguf_parser.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>
#include <utility>

#include "engine/base/checked.h"
#include "engine/loader/gguf_types.h"

namespace paluku {
namespace {

constexpr std::string_view kMagic = "GGUF";
// Least bytes that one item takes in a file: key length + 1 + type + 1; name length + rank + one
// dimension + type + offset.
constexpr std::uint64_t kLeastEntryBytes = 13;
constexpr std::uint64_t kLeastTensorBytes = 24;
constexpr std::uint64_t kMaxTensorName = 256;
constexpr std::uint64_t kLeastAlignment = 8;
constexpr std::uint64_t kGreatestAlignment = 65'536;

// Bytes of an array element, 0 for types that are not numbers.
std::uint64_t NumberBytes(ValueType type) {
  switch (type) {
    case ValueType::kU8:
    case ValueType::kI8:
    case ValueType::kBool:
      return 1;
    case ValueType::kU16:
    case ValueType::kI16:
      return 2;
    case ValueType::kU32:
    case ValueType::kI32:
    case ValueType::kF32:
      return 4;
    case ValueType::kU64:
    case ValueType::kI64:
    case ValueType::kF64:
      return 8;
    case ValueType::kString:
    case ValueType::kArray:
      break;
  }
  return 0;
}

// Names end up in error sentences and terminals: printable ASCII only.
bool IsPlainName(std::string_view name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

GgufParser::GgufParser(std::shared_ptr<const MappedFile> file, std::stop_token stop)
    : stop_(std::move(stop)), bytes_(file->bytes()) {
  out_.path = file->path();
  out_.mappings.push_back(std::move(file));
}

tl::unexpected<Error> GgufParser::Truncated() const {
  return Fail(ErrorCode::kFileTruncated, out_.path, context_);
}

tl::unexpected<Error> GgufParser::Limit(std::string what) const {
  return Fail(ErrorCode::kLimitExceeded, out_.path, context_ + ": " + std::move(what));
}

tl::unexpected<Error> GgufParser::Damaged(std::string what) const {
  return Fail(ErrorCode::kFileDamaged, out_.path, context_ + ": " + std::move(what));
}

Result<ModelFile::Contents> GgufParser::Parse() {
  PALUKU_TRY(ReadHeader());
  for (std::uint64_t i = 0; i < entry_count_; ++i) PALUKU_TRY(ReadEntry(i));
  PALUKU_TRY(ReadAlignment());
  for (std::uint64_t i = 0; i < tensor_count_; ++i) PALUKU_TRY(ReadTensorInfo(i));
  PALUKU_TRY(PlaceTensors());
  if (out_.mappings.front()->damaged()) {
    return Fail(ErrorCode::kFileTruncated, out_.path, "while it was read");
  }
  return std::move(out_);
}

Result<std::span<const std::byte>> GgufParser::Take(std::uint64_t count) {
  if (stop_.stop_requested()) return Fail(ErrorCode::kCancelled);
  if (count > remaining()) return Truncated();
  if (position_ + count > kGgufLimits.metadata_bytes) return Limit("too much metadata");
  const auto taken = bytes_.subspan(position_, count);
  position_ += count;
  return taken;
}

Status GgufParser::ReadHeader() {
  if (bytes_.size() < kMagic.size() ||
      std::memcmp(bytes_.data(), kMagic.data(), kMagic.size()) != 0) {
    return Fail(ErrorCode::kNotAModelFile, out_.path);
  }
  position_ = kMagic.size();
  PALUKU_ASSIGN_OR_RETURN(const std::uint32_t version, Read<std::uint32_t>());
  if (version != 2 && version != 3) {
    return Fail(ErrorCode::kUnsupportedVersion, out_.path, std::to_string(version));
  }
  out_.format = "GGUF " + std::to_string(version);
  PALUKU_ASSIGN_OR_RETURN(tensor_count_, Read<std::uint64_t>());
  PALUKU_ASSIGN_OR_RETURN(entry_count_, Read<std::uint64_t>());
  if (tensor_count_ > kGgufLimits.tensors) return Limit("too many tensors");
  if (entry_count_ > kGgufLimits.entries) return Limit("too many metadata entries");
  // Both counts are small now, so that neither product can wrap.
  if (tensor_count_ * kLeastTensorBytes > remaining()) return Truncated();
  if (entry_count_ * kLeastEntryBytes > remaining()) return Truncated();
  return {};
}

Result<std::string_view> GgufParser::ReadString() {
  PALUKU_ASSIGN_OR_RETURN(const std::uint64_t length, Read<std::uint64_t>());
  if (length > kGgufLimits.string_bytes) return Limit("a text is too long");
  PALUKU_ASSIGN_OR_RETURN(const auto raw, Take(length));
  return std::string_view(reinterpret_cast<const char*>(raw.data()), raw.size());
}

Result<std::string> GgufParser::ReadName(std::uint64_t limit) {
  PALUKU_ASSIGN_OR_RETURN(const std::uint64_t length, Read<std::uint64_t>());
  if (length > limit) return Limit("the name is too long");
  PALUKU_ASSIGN_OR_RETURN(const auto raw, Take(length));
  std::string name(reinterpret_cast<const char*>(raw.data()), raw.size());
  if (!IsPlainName(name)) return Damaged("the name is not readable");
  return name;
}

Status GgufParser::ReadEntry(std::uint64_t index) {
  context_ = "metadata entry " + std::to_string(index);
  PALUKU_ASSIGN_OR_RETURN(std::string key, ReadName(kGgufLimits.key_bytes));
  context_ = key;
  PALUKU_ASSIGN_OR_RETURN(const std::uint32_t type, Read<std::uint32_t>());
  PALUKU_ASSIGN_OR_RETURN(MetadataValue value, ReadValue(static_cast<ValueType>(type)));
  if (!out_.entries.emplace(std::move(key), std::move(value)).second) {
    return Damaged("it is there twice");
  }
  return {};
}

template <class Stored, class Kept>
Result<MetadataValue> GgufParser::ReadScalar() {
  PALUKU_ASSIGN_OR_RETURN(const Stored value, Read<Stored>());
  return MetadataValue(std::in_place_type<Kept>, static_cast<Kept>(value));
}

Result<MetadataValue> GgufParser::ReadValue(ValueType type) {
  switch (type) {
    case ValueType::kU8:
      return ReadScalar<std::uint8_t, std::uint64_t>();
    case ValueType::kI8:
      return ReadScalar<std::int8_t, std::int64_t>();
    case ValueType::kU16:
      return ReadScalar<std::uint16_t, std::uint64_t>();
    case ValueType::kI16:
      return ReadScalar<std::int16_t, std::int64_t>();
    case ValueType::kU32:
      return ReadScalar<std::uint32_t, std::uint64_t>();
    case ValueType::kI32:
      return ReadScalar<std::int32_t, std::int64_t>();
    case ValueType::kU64:
      return ReadScalar<std::uint64_t, std::uint64_t>();
    case ValueType::kI64:
      return ReadScalar<std::int64_t, std::int64_t>();
    case ValueType::kF32:
      return ReadScalar<float, double>();
    case ValueType::kF64:
      return ReadScalar<double, double>();
    case ValueType::kBool: {
      PALUKU_ASSIGN_OR_RETURN(const std::uint8_t value, Read<std::uint8_t>());
      if (value > 1) return Damaged("neither true nor false");
      return MetadataValue(std::in_place_type<bool>, value == 1);
    }
    case ValueType::kString: {
      PALUKU_ASSIGN_OR_RETURN(const std::string_view text, ReadString());
      return MetadataValue(text);
    }
    case ValueType::kArray:
      return ReadArray();
  }
  return Damaged("unknown kind of value");
}

Result<MetadataValue> GgufParser::ReadArray() {
  PALUKU_ASSIGN_OR_RETURN(const std::uint32_t type_id, Read<std::uint32_t>());
  PALUKU_ASSIGN_OR_RETURN(const std::uint64_t count, Read<std::uint64_t>());
  if (count > kGgufLimits.array_elements) return Limit("the array is too long");
  const auto type = static_cast<ValueType>(type_id);
  if (const std::uint64_t bytes = NumberBytes(type); bytes != 0) {
    PALUKU_ASSIGN_OR_RETURN(const auto raw, Take(count * bytes));
    return MetadataValue(NumberArray{type, raw, count});
  }
  if (type != ValueType::kString) return Damaged("unknown kind of array");
  if (count * sizeof(std::uint64_t) > remaining()) return Truncated();
  strings_ += count;
  if (strings_ > kGgufLimits.strings) return Limit("too many texts");
  std::vector<std::string_view> texts;
  texts.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    PALUKU_ASSIGN_OR_RETURN(const std::string_view text, ReadString());
    texts.push_back(text);
  }
  return MetadataValue(std::move(texts));
}

Status GgufParser::ReadAlignment() {
  context_ = "general.alignment";
  const auto entry = out_.entries.find(context_);
  if (entry == out_.entries.end()) return {};
  const auto* value = std::get_if<std::uint64_t>(&entry->second);
  if (value == nullptr || *value < kLeastAlignment || *value > kGreatestAlignment) {
    return Fail(ErrorCode::kBadValue, out_.path, context_);
  }
  if (!std::has_single_bit(*value)) return Damaged("not a power of two");
  alignment_ = *value;
  return {};
}

Status GgufParser::ReadTensorInfo(std::uint64_t index) {
  context_ = "tensor " + std::to_string(index);
  PALUKU_ASSIGN_OR_RETURN(const std::string name, ReadName(kMaxTensorName));
  context_ = name;
  PALUKU_ASSIGN_OR_RETURN(std::vector<std::int64_t> shape, ReadShape());
  PALUKU_ASSIGN_OR_RETURN(const std::uint32_t type, Read<std::uint32_t>());
  PALUKU_ASSIGN_OR_RETURN(const std::uint64_t offset, Read<std::uint64_t>());
  if (offset % alignment_ != 0) return Damaged("its place is not aligned");
  return AddTensor(name, type, std::move(shape), offset);
}

Result<std::vector<std::int64_t>> GgufParser::ReadShape() {
  PALUKU_ASSIGN_OR_RETURN(const std::uint32_t rank, Read<std::uint32_t>());
  if (rank < 1 || rank > Tensor::kMaxRank) return Damaged(std::to_string(rank) + " dimensions");
  std::vector<std::int64_t> shape(rank);
  for (std::int64_t& dimension : shape) {
    PALUKU_ASSIGN_OR_RETURN(const std::uint64_t value, Read<std::uint64_t>());
    if (value < 1) return Damaged("an empty dimension");
    if (value > kGgufLimits.dimension) return Limit("a dimension is too large");
    dimension = static_cast<std::int64_t>(value);
  }
  std::reverse(shape.begin(), shape.end());  // the file has the fastest dimension first
  return shape;
}

Status GgufParser::AddTensor(const std::string& name, std::uint32_t type,
                             std::vector<std::int64_t> shape, std::uint64_t offset) {
  if (out_.tensors.contains(name) || out_.foreign_tensors.contains(name)) {
    return Damaged("it is there twice");
  }
  const std::optional<DType> dtype = DTypeFromGguf(type);
  if (!dtype) {
    extents_.push_back({offset, 1, name});  // its size is unknown, its first byte is there
    out_.foreign_tensors.emplace(name, ForeignTensor{GgufTypeName(type), std::move(shape)});
    return {};
  }
  const DTypeInfo& info = Info(*dtype);
  if (shape.back() % info.block_elements != 0) {
    return Damaged("its rows are no whole blocks of " + std::string(info.name));
  }
  Checked<std::uint64_t> bytes = static_cast<std::uint64_t>(info.block_bytes);
  bytes = bytes * static_cast<std::uint64_t>(shape.back() / info.block_elements);
  for (std::size_t i = 0; i + 1 < shape.size(); ++i) {
    bytes = bytes * static_cast<std::uint64_t>(shape[i]);
  }
  const std::optional<std::uint64_t> size = bytes.Get();
  if (!size || *size > bytes_.size()) return Truncated();
  Tensor tensor;
  tensor.dtype = *dtype;
  tensor.rank = static_cast<int>(shape.size());
  std::copy(shape.begin(), shape.end(), tensor.shape.begin());
  extents_.push_back({offset, *size, name});
  out_.tensors.emplace(name, tensor);
  return {};
}

// Gives every tensor its address, once the start of the weights is known. Tensors follow one
// another with nothing but padding between them, as every writer of the format has them: so a
// changed size, type or place of one is seen.
Status GgufParser::PlaceTensors() {
  if (extents_.empty()) return {};
  const std::uint64_t weights = (position_ + alignment_ - 1) / alignment_ * alignment_;
  std::sort(extents_.begin(), extents_.end(),
            [](const Extent& a, const Extent& b) { return a.offset < b.offset; });
  std::uint64_t previous_end = 0;
  bool known_end = true;  // not behind a tensor of a foreign type
  for (const Extent& extent : extents_) {
    context_ = extent.name;
    if (extent.offset < previous_end) return Damaged("it overlaps another tensor");
    const Checked<std::uint64_t> end = Checked<std::uint64_t>(extent.offset) + extent.bytes;
    if (!(end + weights <= Checked<std::uint64_t>(bytes_.size()))) return Truncated();
    if (known_end && extent.offset - previous_end >= alignment_) {
      return Damaged("there is a gap before it");
    }
    previous_end = extent.offset + extent.bytes;  // no wrap: it ends in the file
    const auto it = out_.tensors.find(extent.name);
    known_end = it != out_.tensors.end();
    if (known_end) {
      it->second.data = const_cast<std::byte*>(bytes_.data() + weights + extent.offset);
    }
  }
  return {};
}

}  // namespace paluku
