// The models a person added: where each file lies and when it was used. The files themselves are
// never touched. Paths and names stand in clear, as they do on the disk. Owned by Storage, used on
// its thread only. Errors as in conversation_store.h; kNotFound: the id is unknown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "storage/clock.h"
#include "storage/records.h"

namespace paluku {

class Database;

class ModelStore {
 public:
  ModelStore(Database& database, Clock clock);

  // Adds the file, or updates name and size when its path is known already (the id stays).
  Result<ModelRecord> Add(const std::string& path, const std::string& name,
                          std::int64_t size_bytes);
  Result<ModelRecord> Get(const std::string& id);
  Result<std::optional<ModelRecord>> FindByPath(const std::string& path);
  // Last used first, then last added.
  Result<std::vector<ModelRecord>> List();
  Status Rename(const std::string& id, const std::string& name);
  // Notes that the model was used now.
  Status MarkUsed(const std::string& id);
  // Forgets the model; its file stays.
  Status Remove(const std::string& id);

 private:
  Database& database_;
  Clock clock_;
};

}  // namespace paluku
