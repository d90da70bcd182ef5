// Decodes the rows on one leaf page of a table, as far as they are sound, without a schema.
// (SQLite, "Database File Format", sections 1.6 and 2.) Used by salvage only, one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "storage/page_reader.h"

namespace paluku {

struct RawValue {
  enum class Kind : std::uint8_t { kNull, kInteger, kReal, kText, kBlob };
  Kind kind = Kind::kNull;
  std::int64_t integer = 0;
  double real = 0.0;
  std::string bytes;  // of text and blob
};

struct RawRow {
  std::int64_t rowid = 0;
  std::vector<RawValue> values;
};

// Calls `visit` for every row that can be decoded on page `number`; for a page that is not a leaf
// of a table, not at all.
void ForEachRow(const PageReader& pages, std::uint32_t number,
                const std::function<void(const RawRow&)>& visit);

}  // namespace paluku
