// Opens the database of a data directory whatever state it is in: missing, older (backup, then
// migrate), newer (read-only), damaged (set aside and salvaged). The steps and their order follow
// the rule that no byte of a person's conversations is ever deleted.
// Used by Storage while opening, by the thread that opens.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "storage/clock.h"
#include "storage/database.h"
#include "storage/migrator.h"

namespace paluku {

struct OpenRequest {
  std::string data_dir;
  std::string vfs;
  Clock clock;
  std::span<const Migration> migrations;
};

struct OpenedDatabase {
  std::unique_ptr<Database> database;
  std::vector<Error> notices;  // see Storage::notices()
};

std::string DatabasePath(const std::string& data_dir);

// The caller holds the lock of the data directory. Errors: kFileNotReadable, kDiskFull, kIo,
// kInternal.
Result<OpenedDatabase> OpenForWriting(const OpenRequest& request);

// Beside another program that may be writing. Errors: kFileNotFound, kUnsupportedVersion (older
// schema, or none yet), kFileNotReadable, kIo.
Result<OpenedDatabase> OpenForReading(const OpenRequest& request);

}  // namespace paluku
