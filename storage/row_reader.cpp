#include "storage/row_reader.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <optional>

namespace paluku {
namespace {

constexpr std::size_t kPageSize = PageReader::kPageSize;
constexpr unsigned kTableLeaf = 0x0d;
constexpr std::uint64_t kMaxPayload = std::uint64_t{80} << 20;  // above the largest row we write
constexpr std::size_t kMaxColumns = 100;

// Reads forward through bytes; every read after one that went too far gives nothing.
class Cursor {
 public:
  explicit Cursor(ByteSpan bytes) : bytes_(bytes) {}

  std::optional<std::uint64_t> Varint() {
    std::uint64_t value = 0;
    for (int i = 0; i < 9 && at_ < bytes_.size(); ++i) {
      const auto byte = std::to_integer<std::uint64_t>(bytes_[at_++]);
      if (i == 8) return value << 8 | byte;
      value = value << 7 | (byte & 0x7f);
      if ((byte & 0x80) == 0) return value;
    }
    return std::nullopt;
  }
  std::optional<ByteSpan> Take(std::uint64_t length) {
    if (length > bytes_.size() - at_) return std::nullopt;
    const ByteSpan taken = bytes_.subspan(at_, static_cast<std::size_t>(length));
    at_ += taken.size();
    return taken;
  }
  std::size_t at() const { return at_; }

 private:
  ByteSpan bytes_;
  std::size_t at_ = 0;
};

// How many bytes of a payload stand on the leaf itself; the rest is on overflow pages.
std::uint64_t LocalPayload(std::uint64_t payload) {
  constexpr std::uint64_t kMaxLocal = kPageSize - 35;
  constexpr std::uint64_t kMinLocal = (kPageSize - 12) * 32 / 255 - 23;
  if (payload <= kMaxLocal) return payload;
  const std::uint64_t local = kMinLocal + (payload - kMinLocal) % (kPageSize - 4);
  return local <= kMaxLocal ? local : kMinLocal;
}

void Append(std::vector<std::byte>& out, ByteSpan bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// The whole payload of the cell that `cursor` stands in, or nothing when a part is missing.
std::optional<std::vector<std::byte>> Payload(const PageReader& pages, Cursor& cursor,
                                              std::uint64_t length) {
  if (length > kMaxPayload) return std::nullopt;
  const auto local = cursor.Take(LocalPayload(length));
  if (!local) return std::nullopt;
  std::vector<std::byte> payload;
  Append(payload, *local);
  if (payload.size() == length) return payload;
  const auto link = cursor.Take(4);
  if (!link) return std::nullopt;
  // The length bounds this loop, even when a damaged chain runs in a circle.
  for (std::uint32_t next = ReadU32(*link, 0); payload.size() < length;) {
    const ByteSpan page = pages.Page(next);
    if (page.empty()) return std::nullopt;
    const std::size_t wanted = static_cast<std::size_t>(length) - payload.size();
    Append(payload, page.subspan(4, std::min(wanted, kPageSize - 4)));
    next = ReadU32(page, 0);
  }
  return payload;
}

std::uint64_t ContentSize(std::uint64_t serial_type) {
  static constexpr std::uint8_t kSizes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};
  return serial_type < 10 ? kSizes[serial_type] : (serial_type - 12) / 2;
}

std::int64_t SignedBigEndian(ByteSpan bytes) {
  std::uint64_t value =
      bytes.empty() || (bytes[0] & std::byte{0x80}) == std::byte{0} ? 0 : ~std::uint64_t{0};
  for (const std::byte byte : bytes) value = value << 8 | std::to_integer<std::uint64_t>(byte);
  return static_cast<std::int64_t>(value);
}

std::optional<RawValue> DecodeValue(std::uint64_t serial_type, Cursor& content) {
  if (serial_type == 10 || serial_type == 11) return std::nullopt;  // reserved
  const auto bytes = content.Take(ContentSize(serial_type));
  if (!bytes) return std::nullopt;
  RawValue value;
  if (serial_type == 0) return value;
  if (serial_type >= 12) {
    value.kind = serial_type % 2 == 0 ? RawValue::Kind::kBlob : RawValue::Kind::kText;
    value.bytes.assign(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  } else if (serial_type == 7) {
    value.kind = RawValue::Kind::kReal;
    value.real = std::bit_cast<double>(SignedBigEndian(*bytes));
  } else {
    value.kind = RawValue::Kind::kInteger;
    value.integer =
        serial_type >= 8 ? static_cast<std::int64_t>(serial_type - 8) : SignedBigEndian(*bytes);
  }
  return value;
}

// A record: a header of serial types, then the values one after the other, with nothing left over.
std::optional<std::vector<RawValue>> DecodeRecord(ByteSpan record) {
  Cursor header(record);
  const auto header_size = header.Varint();
  if (!header_size || *header_size > record.size()) return std::nullopt;
  Cursor content(record.subspan(static_cast<std::size_t>(*header_size)));
  std::vector<RawValue> values;
  while (header.at() < *header_size) {
    const auto serial_type = header.Varint();
    if (!serial_type || values.size() == kMaxColumns) return std::nullopt;
    auto value = DecodeValue(*serial_type, content);
    if (!value) return std::nullopt;
    values.push_back(std::move(*value));
  }
  if (*header_size + content.at() != record.size()) return std::nullopt;
  return values;
}

std::optional<RawRow> DecodeCell(const PageReader& pages, ByteSpan cell) {
  Cursor cursor(cell);
  const auto length = cursor.Varint();
  const auto rowid = cursor.Varint();
  if (!length || !rowid) return std::nullopt;
  const auto payload = Payload(pages, cursor, *length);
  if (!payload) return std::nullopt;
  auto values = DecodeRecord(*payload);
  if (!values) return std::nullopt;
  return RawRow{static_cast<std::int64_t>(*rowid), std::move(*values)};
}

}  // namespace

void ForEachRow(const PageReader& pages, std::uint32_t number,
                const std::function<void(const RawRow&)>& visit) {
  const ByteSpan page = pages.Page(number);
  const std::size_t start = number == 1 ? 100 : 0;  // the header of the file precedes page 1
  if (page.empty() || std::to_integer<unsigned>(page[start]) != kTableLeaf) return;
  const std::size_t cells = ReadU16(page, start + 3);
  for (std::size_t i = 0; i < cells; ++i) {
    const std::size_t pointer = start + 8 + 2 * i;
    if (pointer + 2 > kPageSize) return;
    const std::size_t cell = ReadU16(page, pointer);
    if (cell >= kPageSize) continue;
    if (const auto row = DecodeCell(pages, page.subspan(cell))) visit(*row);
  }
}

}  // namespace paluku
