// Reads the pages of a damaged database straight from its files, without SQLite: the database file
// with the committed part of its write-ahead log laid over it. Trusts nothing it reads.
// (SQLite, "Database File Format", sections 1.3 and 4.) Used by salvage only, one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>

#include "engine/base/error.h"
#include "engine/base/mapped_file.h"

namespace paluku {

using ByteSpan = std::span<const std::byte>;

// Big-endian numbers; the caller has checked that they lie inside `bytes`.
std::uint32_t ReadU16(ByteSpan bytes, std::size_t offset);
std::uint32_t ReadU32(ByteSpan bytes, std::size_t offset);

class PageReader {
 public:
  static constexpr std::size_t kPageSize = 4096;  // of every database of ours

  // Maps `path` and `path`-wal; either may be missing or empty. Errors: kFileNotReadable, kIo.
  static Result<PageReader> Open(const std::string& path);

  // Pages are numbered from 1 to page_count().
  std::uint32_t page_count() const { return page_count_; }
  // kPageSize bytes, or nothing for a number out of range or a page cut off.
  ByteSpan Page(std::uint32_t number) const;
  // user_version in the header, or 0 when the header is not one of SQLite.
  std::uint32_t SchemaVersion() const;

 private:
  PageReader() = default;
  void ReadLog();

  std::shared_ptr<const MappedFile> database_;                // null when missing
  std::shared_ptr<const MappedFile> log_;                     // null when missing
  std::unordered_map<std::uint32_t, std::size_t> log_pages_;  // page -> offset in the log
  std::uint32_t page_count_ = 0;
};

}  // namespace paluku
