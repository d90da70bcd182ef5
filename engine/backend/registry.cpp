#include "engine/backend/registry.h"

#include <cstdlib>
#include <utility>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/reference/reference_backend.h"

namespace paluku {

std::vector<std::string> BackendNames() { return {"cpu", "reference"}; }

Result<std::unique_ptr<Backend>> CreateBackend(const BackendOptions& options) {
  std::string name = options.name;
  if (name.empty() || name == "auto") {
    const char* forced = std::getenv("PALUKU_BACKEND");
    name = forced != nullptr && *forced != '\0' ? forced : "cpu";
  }
  if (name == "reference") return std::make_unique<ReferenceBackend>();
  if (name == "cpu") {
    PALUKU_ASSIGN_OR_RETURN(auto backend, CpuBackend::Create(options.threads, "auto"));
    return backend;
  }
  return Fail(ErrorCode::kInvalidArgument, name, "there is no backend of this name");
}

}  // namespace paluku
