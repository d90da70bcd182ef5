// The settings that must be known before the database can be read, language and theme above all: a
// small JSON object of strings in the config directory, in clear. Never put anything private here.
//
// A value object without a thread of its own: load, change, save. Saving replaces the file as a
// whole (temporary file, fsync, rename), so a crash leaves the old or the new one, never half of
// it. Keys unknown to this version are kept.
#pragma once

#include <map>
#include <string>

#include "engine/base/error.h"

namespace paluku {

class PlainSettings {
 public:
  // A missing file is an empty set of settings. A file that cannot be understood is renamed to
  // `path`.damaged and the result is empty. Errors: kFileNotReadable, kIo.
  static Result<PlainSettings> Load(const std::string& path);

  // Writes the file with mode 0600. On an error the old file is untouched. Errors: kDiskFull,
  // kFileNotReadable, kFileNotFound (no such directory), kIo.
  Status Save() const;

  // The value, or `fallback` when the key was never set.
  std::string Get(const std::string& key, const std::string& fallback = {}) const;
  void Set(const std::string& key, const std::string& value);
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::map<std::string, std::string> values_;
};

}  // namespace paluku
