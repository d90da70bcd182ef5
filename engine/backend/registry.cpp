#include "engine/backend/registry.h"

#include <cstdlib>

#include "engine/backend/reference/reference_backend.h"

namespace paluku {

std::vector<std::string> BackendNames() { return {"reference"}; }

Result<std::unique_ptr<Backend>> CreateBackend(const BackendOptions& options) {
  std::string name = options.name;
  if (name.empty() || name == "auto") {
    const char* forced = std::getenv("PALUKU_BACKEND");
    name = forced != nullptr && *forced != '\0' ? forced : "reference";
  }
  if (name == "reference") return std::make_unique<ReferenceBackend>();
  return Fail(ErrorCode::kInvalidArgument, name, "there is no backend of this name");
}

}  // namespace paluku
