// Reports of the emulator, for the selftests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/cuda_emulator/cuda_emulator.h"

namespace paluku::selftest {

// Takes what was reported since the last call.
inline std::vector<std::string> TakeReports() {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < paluku_emu_report_count(); ++i)
    lines.emplace_back(paluku_emu_report(i));
  paluku_emu_clear_reports();
  return lines;
}

inline void ExpectReport(const std::string& kind) {
  const std::vector<std::string> lines = TakeReports();
  bool found = false;
  std::string all;
  for (const std::string& line : lines) {
    found |= line.compare(0, kind.size(), kind) == 0;
    all += "\n  " + line;
  }
  EXPECT_TRUE(found) << "no report of " << kind << ", but:" << all;
}

inline void ExpectNoReports() {
  for (const std::string& line : TakeReports()) ADD_FAILURE() << line;
}

// Puts a setting back at the end of a test.
class ScopedSetting {
 public:
  ScopedSetting(const char* name, const char* value, const char* after)
      : name_(name), after_(after) {
    EXPECT_EQ(paluku_emu_set(name, value), 0) << name << "=" << value;
  }
  ~ScopedSetting() { paluku_emu_set(name_, after_); }
  ScopedSetting(const ScopedSetting&) = delete;
  ScopedSetting& operator=(const ScopedSetting&) = delete;

 private:
  const char* name_;
  const char* after_;
};

// A planted report should not fill the terminal.
class Quiet {
 public:
  Quiet() { paluku_emu_set("verbose", "0"); }
  ~Quiet() { paluku_emu_set("verbose", "20"); }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;
};

// The architecture that the kernels were compiled for, x 10.
int Arch();

}  // namespace paluku::selftest
