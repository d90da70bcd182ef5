#include "tests/support/cuda_emulator/report.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <set>

#include "tests/support/cuda_emulator/settings.h"

namespace paluku::emulator {
namespace {

constexpr std::size_t kMostReports = 400;

struct Reports {
  std::mutex mutex;
  std::deque<std::string> lines;  // a deque: pointers handed out stay valid while it grows
  std::set<std::string> seen;
};

Reports& reports() {
  static auto* the_reports = new Reports;  // outlives every other static, for AtExit
  return *the_reports;
}

void AtExit() {
  const std::size_t count = ReportCount();
  if (count == 0 || !settings().fail) return;
  std::fprintf(stderr, "[cuda emulator] %zu reports that nobody cleared\n", count);
  std::fflush(nullptr);
  _exit(97);
}

}  // namespace

void Report(const std::string& kind, const std::string& detail) {
  Reports& all = reports();
  const std::lock_guard lock(all.mutex);
  static const bool registered = std::atexit(AtExit) == 0;
  std::string line = kind + ": " + detail;
  if (!registered || all.lines.size() >= kMostReports || !all.seen.insert(line).second) return;
  if (all.lines.size() < settings().verbose) {
    std::fprintf(stderr, "[cuda emulator] %s\n", line.c_str());
  }
  all.lines.push_back(std::move(line));
}

std::size_t ReportCount() {
  const std::lock_guard lock(reports().mutex);
  return reports().lines.size();
}

const char* ReportAt(std::size_t index) {
  const std::lock_guard lock(reports().mutex);
  return index < reports().lines.size() ? reports().lines[index].c_str() : "";
}

void ClearReports() {
  const std::lock_guard lock(reports().mutex);
  reports().lines.clear();
  reports().seen.clear();
}

}  // namespace paluku::emulator
