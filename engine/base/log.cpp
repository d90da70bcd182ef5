#include "engine/base/log.h"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>

namespace paluku {
namespace {

constexpr std::size_t kMaxLogBytes = 1 << 20;
std::mutex log_mutex;
std::shared_ptr<spdlog::logger> logger;

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

Status OpenLog(const std::string& path) {
  try {
    auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(path, kMaxLogBytes, 1);
    auto opened = std::make_shared<spdlog::logger>("paluku", std::move(sink));
    opened->flush_on(spdlog::level::info);
    const std::scoped_lock lock(log_mutex);
    logger = std::move(opened);
  } catch (const spdlog::spdlog_ex& exception) {
    return Fail(ErrorCode::kIo, path, exception.what());
  }
  return {};
}

void Log(LogLevel level, std::string_view message) {
  std::shared_ptr<spdlog::logger> current;
  {
    const std::scoped_lock lock(log_mutex);
    current = logger;
  }
  if (current) current->log(ToSpdlog(level), message);
}

}  // namespace paluku
