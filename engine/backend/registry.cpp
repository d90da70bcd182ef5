#include "engine/backend/registry.h"

#include <cstdlib>
#include <utility>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/cuda/cuda_plugin.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/base/log.h"

namespace paluku {

std::vector<std::string> BackendNames() { return {"cpu", "reference", "cuda"}; }

std::string RequestedBackend(const BackendOptions& options) {
  if (!options.name.empty() && options.name != "auto") return options.name;
  const char* forced = std::getenv("PALUKU_BACKEND");
  return forced != nullptr && *forced != '\0' ? forced : "auto";
}

Result<std::unique_ptr<Backend>> CreateBackend(const BackendOptions& options,
                                               std::optional<Error>* no_card) {
  std::string name = RequestedBackend(options);
  if (name == "cuda") return OpenCudaBackend(options.threads);
  if (name == "auto") {
    auto card = OpenCudaBackend(options.threads);
    if (card) return card;
    Log(LogLevel::kInfo, "computing on the CPU: " + card.error().detail);
    if (no_card != nullptr) *no_card = card.error();
    name = "cpu";
  }
  if (name == "reference") return std::make_unique<ReferenceBackend>();
  if (name == "cpu") {
    PALUKU_ASSIGN_OR_RETURN(auto backend, CpuBackend::Create(options.threads, "auto"));
    return backend;
  }
  return Fail(ErrorCode::kInvalidArgument, name, "there is no backend of this name");
}

}  // namespace paluku
