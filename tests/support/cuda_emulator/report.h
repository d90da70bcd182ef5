// What the checks found: a list of one-line reports, and the promise that nobody overlooks them.
//
// Equal reports are kept once. A process that ends with reports that nobody cleared exits with 97
// (setting "fail").
#pragma once

#include <cstddef>
#include <string>

namespace paluku::emulator {

// kind in capitals ("RACE"), detail in words with kernel, thread and source line.
void Report(const std::string& kind, const std::string& detail);
std::size_t ReportCount();
// The report, or "" beyond the end. Valid until ClearReports.
const char* ReportAt(std::size_t index);
void ClearReports();

}  // namespace paluku::emulator
