// Choice of a backend by name.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/base/error.h"

namespace paluku {

struct BackendOptions {
  // "auto" (the environment variable PALUKU_BACKEND, else the card, else the CPU), "cuda", "cpu" or
  // "reference".
  std::string name = "auto";
  int threads = 0;  // 0: one per physical core
};

std::vector<std::string> BackendNames();
// The name that `options` ask for, the environment considered: one of BackendNames(), "auto", or
// one that does not exist.
std::string RequestedBackend(const BackendOptions& options);
// Error: kInvalidArgument for an unknown name.
Result<std::unique_ptr<Backend>> CreateBackend(const BackendOptions& options);

}  // namespace paluku
