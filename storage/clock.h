// The one source of wall-clock time in storage, so that tests can set it.
#pragma once

#include <cstdint>
#include <functional>

namespace paluku {

// Milliseconds since 1970-01-01 UTC. Called on the storage thread.
using Clock = std::function<std::int64_t()>;

std::int64_t SystemNowMs();

}  // namespace paluku
