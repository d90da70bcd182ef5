#include "storage/page_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace paluku {
namespace {

constexpr std::size_t kLogHeaderSize = 32;
constexpr std::size_t kFrameHeaderSize = 24;
constexpr std::size_t kFrameSize = kFrameHeaderSize + PageReader::kPageSize;
constexpr std::uint32_t kLogMagic = 0x377f0682;  // the lowest bit chooses the checksum's byte order
constexpr char kDatabaseMagic[] = "SQLite format 3";  // with its zero at the end

// The running checksum of a log: Fibonacci-weighted sums over pairs of 32-bit words.
struct LogChecksum {
  bool big_endian = false;
  std::uint32_t s0 = 0;
  std::uint32_t s1 = 0;

  std::uint32_t Word(ByteSpan bytes, std::size_t offset) const {
    const std::uint32_t word = ReadU32(bytes, offset);
    return big_endian ? word : __builtin_bswap32(word);
  }
  void Add(ByteSpan bytes) {
    for (std::size_t i = 0; i + 8 <= bytes.size(); i += 8) {
      s0 += Word(bytes, i) + s1;
      s1 += Word(bytes, i + 4) + s0;
    }
  }
  bool Matches(ByteSpan bytes, std::size_t offset) const {
    return ReadU32(bytes, offset) == s0 && ReadU32(bytes, offset + 4) == s1;
  }
};

Result<std::shared_ptr<const MappedFile>> MapIfThere(const std::string& path) {
  auto file = MappedFile::Open(path);
  if (file) return *file;
  const ErrorCode code = file.error().code;
  if (code == ErrorCode::kFileNotFound || code == ErrorCode::kFileEmpty) return nullptr;
  return tl::unexpected(file.error());
}

}  // namespace

std::uint32_t ReadU16(ByteSpan bytes, std::size_t offset) {
  return std::to_integer<std::uint32_t>(bytes[offset]) << 8 |
         std::to_integer<std::uint32_t>(bytes[offset + 1]);
}

std::uint32_t ReadU32(ByteSpan bytes, std::size_t offset) {
  return ReadU16(bytes, offset) << 16 | ReadU16(bytes, offset + 2);
}

Result<PageReader> PageReader::Open(const std::string& path) {
  PageReader reader;
  PALUKU_ASSIGN_OR_RETURN(reader.database_, MapIfThere(path));
  PALUKU_ASSIGN_OR_RETURN(reader.log_, MapIfThere(path + "-wal"));
  if (reader.database_) {
    const std::size_t pages = reader.database_->bytes().size() / kPageSize;
    reader.page_count_ = static_cast<std::uint32_t>(std::min<std::size_t>(pages, 0xfffffffe));
  }
  if (reader.log_) reader.ReadLog();
  return reader;
}

// Takes frames as SQLite's own recovery does: up to the first whose salt or checksum is wrong, and
// of those only what a commit frame closes.
void PageReader::ReadLog() {
  const ByteSpan log = log_->bytes();
  if (log.size() < kLogHeaderSize || (ReadU32(log, 0) & ~1U) != kLogMagic) return;
  LogChecksum checksum{.big_endian = (ReadU32(log, 0) & 1U) != 0};
  checksum.Add(log.first(24));
  if (!checksum.Matches(log, 24) || ReadU32(log, 8) != kPageSize) return;

  std::unordered_map<std::uint32_t, std::size_t> uncommitted;
  for (std::size_t at = kLogHeaderSize; at + kFrameSize <= log.size(); at += kFrameSize) {
    const ByteSpan frame = log.subspan(at, kFrameSize);
    if (ReadU32(frame, 8) != ReadU32(log, 16) || ReadU32(frame, 12) != ReadU32(log, 20)) return;
    checksum.Add(frame.first(8));
    checksum.Add(frame.subspan(kFrameHeaderSize));
    if (!checksum.Matches(frame, 16)) return;
    uncommitted[ReadU32(frame, 0)] = at + kFrameHeaderSize;
    if (ReadU32(frame, 4) == 0) continue;  // not a commit
    for (const auto& [number, offset] : uncommitted) {
      log_pages_[number] = offset;
      page_count_ = std::max(page_count_, number);
    }
    uncommitted.clear();
  }
}

ByteSpan PageReader::Page(std::uint32_t number) const {
  if (const auto found = log_pages_.find(number); found != log_pages_.end()) {
    return log_->bytes().subspan(found->second, kPageSize);
  }
  const std::size_t pages = database_ ? database_->bytes().size() / kPageSize : 0;
  if (number == 0 || number > pages) return {};
  return database_->bytes().subspan((number - std::size_t{1}) * kPageSize, kPageSize);
}

std::uint32_t PageReader::SchemaVersion() const {
  const ByteSpan header = Page(1);
  if (header.empty() || std::memcmp(header.data(), kDatabaseMagic, sizeof kDatabaseMagic) != 0) {
    return 0;
  }
  return ReadU32(header, 60);
}

}  // namespace paluku
