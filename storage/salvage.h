// Saves what can be read of a damaged database. Every leaf page is decoded on its own, so neither
// the header, the schema nor the inner pages of the tables have to be sound; what decodes and fits
// a table goes into a new database. The damaged files are renamed, never changed or deleted.
//
// The new database is complete on disk before the damaged one moves; a crash at any point is
// finished or repeated at the next start. The caller holds the lock of the data directory.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/base/error.h"
#include "storage/migrator.h"

namespace paluku {

struct SalvageRequest {
  std::string path;   // of the damaged database
  std::string vfs;    // to write the new one with
  std::string stamp;  // time for the name of the file set aside
  std::span<const Migration> migrations;
};

struct SalvageReport {
  std::string set_aside;  // where the damaged database is kept (its log beside it, "-wal")
  std::int64_t rows = 0;  // saved into the database now at `path`
};

// Errors: kDiskFull, kIo, kFileNotReadable; the damaged database is then still at its place.
Result<SalvageReport> SalvageDatabase(const SalvageRequest& request);

// Completes the last step of a salvage that a crash cut short; does nothing otherwise.
Status FinishInterruptedSalvage(const std::string& path, const std::string& stamp);

}  // namespace paluku
