// Which file a model's name means: the path itself, a name in the library, or the model that ships
// with Paluku. Plain functions; the stores are used on the storage thread by the caller.
#pragma once

#include <string>

#include "engine/base/error.h"
#include "storage/model_store.h"

namespace paluku {

// Where the model that ships lies: share/paluku beside the folder of the running program, in an
// installation and in a build folder alike. The file may be missing.
std::string StarterModelPath();

// Absolute path for `model`. Empty: the starter. A text with a slash or the ending .gguf is a path;
// anything else is looked up by name in `store` (nullptr: there is no library). Error: kNotFound.
Result<std::string> ResolveModel(const std::string& model, ModelStore* store);

}  // namespace paluku
