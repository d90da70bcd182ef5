#include "engine/loader/safetensors/table.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/base/checked.h"

namespace paluku {
namespace {

struct TypeBits {
  std::string_view name;
  int bits;
};
constexpr std::array<TypeBits, 16> kTypes = {{{"BOOL", 8},
                                              {"U8", 8},
                                              {"I8", 8},
                                              {"F8_E5M2", 8},
                                              {"F8_E4M3", 8},
                                              {"F8_E8M0", 8},
                                              {"I16", 16},
                                              {"U16", 16},
                                              {"F16", 16},
                                              {"BF16", 16},
                                              {"I32", 32},
                                              {"U32", 32},
                                              {"F32", 32},
                                              {"F64", 64},
                                              {"I64", 64},
                                              {"U64", 64}}};

// Names end up in error sentences and terminals: printable ASCII only.
bool IsPlainName(std::string_view name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

// One tensor as the JSON tells it.
struct Entry {
  std::string name;
  std::string type;
  std::vector<std::uint64_t> shape;
  std::vector<std::uint64_t> offsets;  // begin and end, from the first byte of the weights
};

// Takes the events of the JSON parser; anything that is not
// {"__metadata__": {text: text}, name: {"dtype": text, "shape": [..], "data_offsets": [a, b]}}
// ends it. Nothing is kept of the metadata.
class TableReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::vector<Entry> entries;
  // Why the table is no right one; the code tells damage from a limit.
  ErrorCode code = ErrorCode::kFileDamaged;
  std::string problem;

  bool null() override { return Bad("null"); }
  bool boolean(bool) override { return Bad("true or false"); }
  bool number_integer(number_integer_t) override { return Bad("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { return Bad("a fraction"); }
  bool binary(binary_t&) override { return Bad("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (array_ == nullptr) return Bad("a number in a wrong place");
    const bool shape = array_ == &entries.back().shape;
    if (array_->size() >= (shape ? kSafetensorsLimits.rank : 2)) {
      return Bad(shape ? "too many dimensions" : "more than two data_offsets");
    }
    array_->push_back(value);
    return true;
  }

  bool string(string_t& value) override {
    if (depth_ == 2 && in_metadata_) return true;
    if (depth_ != 2 || field_ != kType || array_ != nullptr) return Bad("a text");
    if (value.size() > 32 || !IsPlainName(value)) return Bad("dtype");
    entries.back().type = value;
    return true;
  }

  bool start_object(std::size_t) override {
    if (array_ != nullptr || depth_ == 2) return Bad("an object in a wrong place");
    ++depth_;
    return true;
  }

  bool key(string_t& name) override {
    if (depth_ == 2) return in_metadata_ || TakeField(name);
    in_metadata_ = name == "__metadata__";
    if (in_metadata_) return true;
    if (name.size() > kSafetensorsLimits.name_bytes) return Limit("a name is too long");
    if (!IsPlainName(name)) return Bad("a name is not readable");
    if (entries.size() == kSafetensorsLimits.file_tensors) return Limit("too many tensors");
    entries.push_back({.name = name, .type = {}, .shape = {}, .offsets = {}});
    seen_ = 0;
    return true;
  }

  bool end_object() override {
    --depth_;
    if (depth_ == 0 || in_metadata_) return true;
    return seen_ == (kType | kShape | kOffsets) || Bad("dtype, shape or data_offsets is missing");
  }

  bool start_array(std::size_t) override {
    if (depth_ != 2 || in_metadata_ || array_ != nullptr) return Bad("an array in a wrong place");
    if (field_ == kShape) array_ = &entries.back().shape;
    if (field_ == kOffsets) array_ = &entries.back().offsets;
    return array_ != nullptr || Bad("dtype");
  }

  bool end_array() override {
    array_ = nullptr;
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    return Bad("its table is no JSON");
  }

 private:
  enum Field : unsigned { kType = 1, kShape = 2, kOffsets = 4 };

  bool TakeField(std::string_view name) {
    if (name == "dtype") {
      field_ = kType;
    } else if (name == "shape") {
      field_ = kShape;
    } else if (name == "data_offsets") {
      field_ = kOffsets;
    } else {
      return Bad("an unknown field");
    }
    if ((seen_ & field_) != 0) return Bad("a field is there twice");
    seen_ |= field_;
    return true;
  }

  bool Fails(ErrorCode why, std::string_view what) {
    if (!problem.empty()) return false;
    code = why;
    if (!entries.empty()) problem = entries.back().name + ": ";
    problem += what;
    return false;
  }
  bool Bad(std::string_view what) { return Fails(ErrorCode::kFileDamaged, what); }
  bool Limit(std::string_view what) { return Fails(ErrorCode::kLimitExceeded, what); }

  int depth_ = 0;
  bool in_metadata_ = false;
  Field field_ = kType;
  unsigned seen_ = 0;  // fields of the current tensor
  std::vector<std::uint64_t>* array_ = nullptr;
};

// The header and the weights behind it.
struct Sections {
  std::string_view table;
  std::span<const std::byte> weights;
};

Result<Sections> FindSections(const MappedFile& file) {
  const std::span<const std::byte> bytes = file.bytes();
  std::uint64_t length = 0;
  if (bytes.size() < sizeof length) return Fail(ErrorCode::kNotAModelFile, file.path());
  std::memcpy(&length, bytes.data(), sizeof length);
  const auto rest = bytes.subspan(sizeof length);
  // What is no table at all is another kind of file, not a broken one.
  if (rest.empty() || rest[0] != std::byte{'{'}) {
    return Fail(ErrorCode::kNotAModelFile, file.path());
  }
  if (length > kSafetensorsLimits.header_bytes) {
    return Fail(ErrorCode::kLimitExceeded, file.path(), "header: it is too long");
  }
  if (length > rest.size()) return Fail(ErrorCode::kFileTruncated, file.path(), "header");
  return Sections{{reinterpret_cast<const char*>(rest.data()), length}, rest.subspan(length)};
}

// The number of bytes that type and shape ask for; nothing for a type of unknown size and for
// shapes beyond the limits.
std::optional<std::uint64_t> BytesOf(const Entry& entry) {
  const int bits = SafetensorsBits(entry.type);
  if (bits == 0) return std::nullopt;
  Checked<std::uint64_t> bytes = static_cast<std::uint64_t>(bits / 8);
  for (const std::uint64_t dimension : entry.shape) bytes = bytes * dimension;
  return bytes.Get();
}

Status CheckEntry(const Entry& entry, std::size_t weights, const std::string& path) {
  const auto damaged = [&](std::string_view what) {
    return Fail(ErrorCode::kFileDamaged, path, entry.name + ": " + std::string(what));
  };
  if (entry.offsets.size() != 2) return damaged("data_offsets");
  for (const std::uint64_t dimension : entry.shape) {
    if (dimension < 1) return damaged("an empty dimension");
    if (dimension > kSafetensorsLimits.dimension) {
      return Fail(ErrorCode::kLimitExceeded, path, entry.name + ": a dimension is too large");
    }
  }
  const std::uint64_t begin = entry.offsets[0], end = entry.offsets[1];
  if (begin > end) return damaged("it ends before it begins");
  if (end > weights) return Fail(ErrorCode::kFileTruncated, path, entry.name);
  const bool sized = SafetensorsBits(entry.type) != 0;
  if (sized && BytesOf(entry) != end - begin) return damaged("its size is not that of its shape");
  return {};
}

// The tensors follow one another from the first byte of the weights to the last.
Status CheckOrder(std::vector<Entry>& entries, std::size_t weights, const std::string& path) {
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.offsets < b.offsets; });
  std::uint64_t end = 0;
  for (const Entry& entry : entries) {
    if (entry.offsets[0] != end) {
      return Fail(ErrorCode::kFileDamaged, path,
                  entry.name + (entry.offsets[0] < end ? ": it overlaps another tensor"
                                                       : ": a gap lies before it"));
    }
    end = entry.offsets[1];
  }
  if (end != weights) return Fail(ErrorCode::kFileDamaged, path, "bytes behind the last tensor");
  return {};
}

}  // namespace

int SafetensorsBits(std::string_view type) {
  const auto* const found = std::find_if(kTypes.begin(), kTypes.end(),
                                         [&](const TypeBits& known) { return known.name == type; });
  return found == kTypes.end() ? 0 : found->bits;
}

Result<SafetensorsTable> ReadSafetensorsTable(const MappedFile& file) {
  PALUKU_ASSIGN_OR_RETURN(const Sections sections, FindSections(file));
  TableReader reader;
  if (!nlohmann::json::sax_parse(sections.table, &reader)) {
    return Fail(reader.code, file.path(), reader.problem);
  }
  for (const Entry& entry : reader.entries) {
    PALUKU_TRY(CheckEntry(entry, sections.weights.size(), file.path()));
  }
  PALUKU_TRY(CheckOrder(reader.entries, sections.weights.size(), file.path()));
  SafetensorsTable table;
  for (Entry& entry : reader.entries) {
    SafetensorsTensor tensor{
        std::move(entry.type),
        {entry.shape.begin(), entry.shape.end()},
        sections.weights.subspan(entry.offsets[0], entry.offsets[1] - entry.offsets[0])};
    if (!table.emplace(entry.name, std::move(tensor)).second) {
      return Fail(ErrorCode::kFileDamaged, file.path(), entry.name + ": it is there twice");
    }
  }
  if (file.damaged()) return Fail(ErrorCode::kFileTruncated, file.path(), "while it was read");
  return table;
}

}  // namespace paluku
