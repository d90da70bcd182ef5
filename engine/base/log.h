// The log: one rotating file in the state directory, and warnings on stderr for terminals.
// Rule of the house: a log line never holds message text, titles, prompts or token ids.
// Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/error.h"

namespace paluku {

enum class LogLevel { kInfo, kWarning, kError };

// Starts writing to `path` (up to 2 files of 1 MiB). Before it, lines go nowhere.
Status OpenLog(const std::string& path);
void Log(LogLevel level, std::string_view message);

}  // namespace paluku
