// Files that belong together: all there, or an error that names those that are missing.
#pragma once

#include <string>
#include <vector>

#include "engine/base/error.h"

namespace paluku {

// Error: kFileNotFound, its subject the missing ones of `names` in `directory`.
Status RequireFiles(const std::string& directory, const std::vector<std::string>& names);

}  // namespace paluku
