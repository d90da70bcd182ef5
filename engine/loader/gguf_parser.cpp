#include "engine/loader/gguf_parser.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "engine/base/checked.h"

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
std::uint64_t NumberBytes(GgufType type) {
  switch (type) {
    case GgufType::kU8:
    case GgufType::kI8:
    case GgufType::kBool:
      return 1;
    case GgufType::kU16:
    case GgufType::kI16:
      return 2;
    case GgufType::kU32:
    case GgufType::kI32:
    case GgufType::kF32:
      return 4;
    case GgufType::kU64:
    case GgufType::kI64:
    case GgufType::kF64:
      return 8;
    case GgufType::kString:
    case GgufType::kArray:
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

GgufParser::GgufParser(std::shared_ptr<const MappedFile> file)
    : out_(new GgufFile), bytes_(file->bytes()) {
  out_->file_ = std::move(file);
}

tl::unexpected<Error> GgufParser::Truncated() const {
  return Fail(ErrorCode::kFileTruncated, out_->path(), context_);
}

tl::unexpected<Error> GgufParser::Limit(std::string what) const {
  return Fail(ErrorCode::kLimitExceeded, out_->path(), context_ + ": " + std::move(what));
}

tl::unexpected<Error> GgufParser::Damaged(std::string what) const {
  return Fail(ErrorCode::kFileDamaged, out_->path(), context_ + ": " + std::move(what));
}

Result<std::shared_ptr<const GgufFile>> GgufParser::Parse() {
  PALUKU_TRY(ReadHeader());
  for (std::uint64_t i = 0; i < entry_count_; ++i) PALUKU_TRY(ReadEntry(i));
  PALUKU_TRY(ReadAlignment());
  for (std::uint64_t i = 0; i < tensor_count_; ++i) PALUKU_TRY(ReadTensorInfo(i));
  PALUKU_TRY(PlaceTensors());
  if (out_->damaged()) return Fail(ErrorCode::kFileTruncated, out_->path(), "while it was read");
  return std::shared_ptr<const GgufFile>(std::move(out_));
}

Result<std::span<const std::byte>> GgufParser::Take(std::uint64_t count) {
  if (count > remaining()) return Truncated();
  if (position_ + count > kGgufLimits.metadata_bytes) return Limit("too much metadata");
  const auto taken = bytes_.subspan(position_, count);
  position_ += count;
  return taken;
}

Status GgufParser::ReadHeader() {
  if (bytes_.size() < kMagic.size() ||
      std::memcmp(bytes_.data(), kMagic.data(), kMagic.size()) != 0) {
    return Fail(ErrorCode::kNotAModelFile, out_->path());
  }
  position_ = kMagic.size();
  PALUKU_ASSIGN_OR_RETURN(out_->version_, Read<std::uint32_t>());
  if (out_->version_ != 2 && out_->version_ != 3) {
    return Fail(ErrorCode::kUnsupportedVersion, out_->path(), std::to_string(out_->version_));
  }
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
  PALUKU_ASSIGN_OR_RETURN(GgufValue value, ReadValue(static_cast<GgufType>(type)));
  if (!out_->entries_.emplace(std::move(key), std::move(value)).second) {
    return Damaged("it is there twice");
  }
  return {};
}

template <class Stored, class Kept>
Result<GgufValue> GgufParser::ReadScalar() {
  PALUKU_ASSIGN_OR_RETURN(const Stored value, Read<Stored>());
  return GgufValue(std::in_place_type<Kept>, static_cast<Kept>(value));
}

Result<GgufValue> GgufParser::ReadValue(GgufType type) {
  switch (type) {
    case GgufType::kU8:
      return ReadScalar<std::uint8_t, std::uint64_t>();
    case GgufType::kI8:
      return ReadScalar<std::int8_t, std::int64_t>();
    case GgufType::kU16:
      return ReadScalar<std::uint16_t, std::uint64_t>();
    case GgufType::kI16:
      return ReadScalar<std::int16_t, std::int64_t>();
    case GgufType::kU32:
      return ReadScalar<std::uint32_t, std::uint64_t>();
    case GgufType::kI32:
      return ReadScalar<std::int32_t, std::int64_t>();
    case GgufType::kU64:
      return ReadScalar<std::uint64_t, std::uint64_t>();
    case GgufType::kI64:
      return ReadScalar<std::int64_t, std::int64_t>();
    case GgufType::kF32:
      return ReadScalar<float, double>();
    case GgufType::kF64:
      return ReadScalar<double, double>();
    case GgufType::kBool: {
      PALUKU_ASSIGN_OR_RETURN(const std::uint8_t value, Read<std::uint8_t>());
      if (value > 1) return Damaged("neither true nor false");
      return GgufValue(std::in_place_type<bool>, value == 1);
    }
    case GgufType::kString: {
      PALUKU_ASSIGN_OR_RETURN(const std::string_view text, ReadString());
      return GgufValue(text);
    }
    case GgufType::kArray:
      return ReadArray();
  }
  return Damaged("unknown kind of value");
}

Result<GgufValue> GgufParser::ReadArray() {
  PALUKU_ASSIGN_OR_RETURN(const std::uint32_t type_id, Read<std::uint32_t>());
  PALUKU_ASSIGN_OR_RETURN(const std::uint64_t count, Read<std::uint64_t>());
  if (count > kGgufLimits.array_elements) return Limit("the array is too long");
  const auto type = static_cast<GgufType>(type_id);
  if (const std::uint64_t bytes = NumberBytes(type); bytes != 0) {
    PALUKU_ASSIGN_OR_RETURN(const auto raw, Take(count * bytes));
    return GgufValue(GgufNumberArray{type, raw, count});
  }
  if (type != GgufType::kString) return Damaged("unknown kind of array");
  if (count * sizeof(std::uint64_t) > remaining()) return Truncated();
  strings_ += count;
  if (strings_ > kGgufLimits.strings) return Limit("too many texts");
  std::vector<std::string_view> texts;
  texts.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    PALUKU_ASSIGN_OR_RETURN(const std::string_view text, ReadString());
    texts.push_back(text);
  }
  return GgufValue(std::move(texts));
}

Status GgufParser::ReadAlignment() {
  context_ = "general.alignment";
  if (!out_->Has(context_)) return {};
  PALUKU_ASSIGN_OR_RETURN(alignment_, out_->Integer(context_, kLeastAlignment, kGreatestAlignment));
  if (!std::has_single_bit(alignment_)) return Damaged("not a power of two");
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
  if (out_->tensors_.contains(name) || out_->foreign_.contains(name)) {
    return Damaged("it is there twice");
  }
  const std::optional<DType> dtype = DTypeFromGguf(type);
  if (!dtype) {
    extents_.push_back({offset, 1, name});  // its size is unknown, its first byte is there
    out_->foreign_.emplace(name, GgufForeignTensor{type, std::move(shape)});
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
  if (!(bytes <= Checked<std::uint64_t>(bytes_.size()))) return Truncated();
  Tensor tensor;
  tensor.dtype = *dtype;
  tensor.rank = static_cast<int>(shape.size());
  std::copy(shape.begin(), shape.end(), tensor.shape.begin());
  extents_.push_back({offset, *bytes.Get(), name});
  out_->tensors_.emplace(name, tensor);
  return {};
}

// Gives every tensor its address, once the start of the weights is known.
Status GgufParser::PlaceTensors() {
  if (extents_.empty()) return {};
  const std::uint64_t weights = (position_ + alignment_ - 1) / alignment_ * alignment_;
  std::sort(extents_.begin(), extents_.end(),
            [](const Extent& a, const Extent& b) { return a.offset < b.offset; });
  Checked<std::uint64_t> previous_end = 0;
  for (const Extent& extent : extents_) {
    context_ = extent.name;
    const Checked<std::uint64_t> begin = extent.offset;
    if (!(previous_end <= begin)) return Damaged("it overlaps another tensor");
    previous_end = begin + extent.bytes;
    if (!(previous_end + weights <= Checked<std::uint64_t>(bytes_.size()))) return Truncated();
    if (const auto it = out_->tensors_.find(extent.name); it != out_->tensors_.end()) {
      it->second.data = const_cast<std::byte*>(bytes_.data() + weights + extent.offset);
    }
  }
  return {};
}

}  // namespace paluku
