// Where Paluku keeps its files: the places of the XDG Base Directory Specification, or everything
// under one folder of the person's choice. Pure functions of the environment; any thread.
#pragma once

#include <string>

#include "engine/base/error.h"

namespace paluku {

// Absolute paths without a slash at the end.
struct Paths {
  std::string config;  // plain settings
  std::string data;    // database, added models' records
  std::string cache;   // what may vanish without harm
  std::string state;   // logs
};

// The places for this user: $XDG_CONFIG_HOME/paluku and so on (a relative value of such a variable
// is ignored, as the specification asks); with `data_dir` not empty D/config, D/data, D/cache,
// D/state. Errors: kInvalidArgument when no home directory can be found.
Result<Paths> ResolvePaths(const std::string& data_dir = {});

// Creates the four directories, and missing parents, readable by the user only (0700).
// Errors: kFileNotReadable (permission), kDiskFull, kIo, kInvalidArgument (a file is in the way).
Status CreatePaths(const Paths& paths);

// Creates `directory` and its missing parents with mode 0700 and takes group and other rights away
// from `directory` itself. Errors as CreatePaths.
Status CreatePrivateDirectory(const std::string& directory);

}  // namespace paluku
