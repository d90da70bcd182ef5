// Choice of a backend by name.
#pragma once

#include <memory>
#include <optional>
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
// Where "auto" comes to the CPU, `no_card` says why. Errors: kInvalidArgument for an unknown name,
// kDeviceFailed for "cuda" without a card, its detail the reason in words.
Result<std::unique_ptr<Backend>> CreateBackend(const BackendOptions& options,
                                               std::optional<Error>* no_card = nullptr);

}  // namespace paluku
