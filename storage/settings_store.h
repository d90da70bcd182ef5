// Settings of the person as key and text value: sampling, threads, default model, drafts without a
// conversation. What must be known before the database can be read (language, theme) stands in
// PlainSettings instead. Keys are dotted lower-case words ("sampling.temperature") and are stored
// in clear; values are sealed. Owned by Storage, used on its thread only. Errors as in
// conversation_store.h.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "engine/base/error.h"

namespace paluku {

class Database;
class FieldCodec;

class SettingsStore {
 public:
  SettingsStore(Database& database, const FieldCodec& codec);

  // Nothing when the key was never set.
  Result<std::optional<std::string>> Get(const std::string& key);
  Result<std::map<std::string, std::string>> All();
  Status Set(const std::string& key, const std::string& value);
  // Several values in one transaction.
  Status SetAll(const std::map<std::string, std::string>& values);
  // Removing what is not there is no error.
  Status Remove(const std::string& key);

 private:
  Database& database_;
  const FieldCodec& codec_;
};

}  // namespace paluku
