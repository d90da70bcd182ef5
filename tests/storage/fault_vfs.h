// A SQLite VFS over the system's one that makes the n-th writing call fail, as a full or broken
// disk does. Everything else goes through, except that syncing is skipped: the tests that use it do
// not cut the power, and are some hundred times faster for it. One plan for the whole process; set
// it while no storage job runs.
#pragma once

namespace paluku {

enum class FaultKind {
  kDiskFull,    // write: SQLITE_FULL
  kShortWrite,  // half of the bytes are written, then SQLITE_FULL
  kWriteError,  // write: SQLITE_IOERR_WRITE
  kSyncError,   // sync: SQLITE_IOERR_FSYNC
};
constexpr FaultKind kAllFaults[] = {FaultKind::kDiskFull, FaultKind::kShortWrite,
                                    FaultKind::kWriteError, FaultKind::kSyncError};

// The name to open databases with; registered at the first call.
const char* FaultVfsName();

// The `n`-th call (from 1) of the kind's type from now on fails, and with `persistent` all after
// it.
void PlanFault(FaultKind kind, int n, bool persistent);
// From now on nothing fails ("there is space again").
void ClearFaults();
// How many calls failed since PlanFault().
int FaultsFired();

}  // namespace paluku
