// Random identifiers: version 4 UUIDs (RFC 9562, section 5.4) from the system's random source,
// which tell neither time nor machine. Thread-safe.
#pragma once

#include <string>

namespace paluku {

// 36 characters in lower case.
std::string NewUuid();

}  // namespace paluku
