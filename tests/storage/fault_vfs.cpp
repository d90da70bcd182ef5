#include "tests/storage/fault_vfs.h"

#include <sqlite3.h>

#include <atomic>
#include <new>

namespace paluku {
namespace {

struct Plan {
  std::atomic<bool> active = false;
  std::atomic<FaultKind> kind = FaultKind::kDiskFull;
  std::atomic<int> calls_left = 0;
  std::atomic<bool> persistent = false;
  std::atomic<int> fired = 0;
};
Plan plan;

// Counts one call; true when it has to fail.
bool Fails(bool is_sync) {
  if (!plan.active || is_sync != (plan.kind == FaultKind::kSyncError)) return false;
  const int left = --plan.calls_left;
  if (left > 0 || (left < 0 && !plan.persistent)) return false;
  ++plan.fired;
  return true;
}

// Our file; the system's file object follows it in memory.
struct FaultFile {
  sqlite3_file base;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
sqlite3_file* Real(sqlite3_file* file) { return reinterpret_cast<FaultFile*>(file)->real(); }

int Write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  sqlite3_file* real = Real(file);
  if (!Fails(/*is_sync=*/false)) return real->pMethods->xWrite(real, bytes, size, offset);
  switch (plan.kind) {
    case FaultKind::kShortWrite:
      real->pMethods->xWrite(real, bytes, size / 2, offset);
      return SQLITE_FULL;
    case FaultKind::kWriteError:
      return SQLITE_IOERR_WRITE;
    default:
      return SQLITE_FULL;
  }
}

int Sync(sqlite3_file*, int) { return Fails(/*is_sync=*/true) ? SQLITE_IOERR_FSYNC : SQLITE_OK; }

const sqlite3_io_methods kMethods = {
    .iVersion = 2,
    .xClose = [](sqlite3_file* f) { return Real(f)->pMethods->xClose(Real(f)); },
    .xRead = [](sqlite3_file* f, void* to, int size,
                sqlite3_int64 at) { return Real(f)->pMethods->xRead(Real(f), to, size, at); },
    .xWrite = Write,
    .xTruncate = [](sqlite3_file* f,
                    sqlite3_int64 size) { return Real(f)->pMethods->xTruncate(Real(f), size); },
    .xSync = Sync,
    .xFileSize = [](sqlite3_file* f,
                    sqlite3_int64* size) { return Real(f)->pMethods->xFileSize(Real(f), size); },
    .xLock = [](sqlite3_file* f, int level) { return Real(f)->pMethods->xLock(Real(f), level); },
    .xUnlock = [](sqlite3_file* f,
                  int level) { return Real(f)->pMethods->xUnlock(Real(f), level); },
    .xCheckReservedLock =
        [](sqlite3_file* f, int* held) {
          return Real(f)->pMethods->xCheckReservedLock(Real(f), held);
        },
    .xFileControl =
        [](sqlite3_file* f, int operation, void* argument) {
          return Real(f)->pMethods->xFileControl(Real(f), operation, argument);
        },
    .xSectorSize = [](sqlite3_file* f) { return Real(f)->pMethods->xSectorSize(Real(f)); },
    .xDeviceCharacteristics =
        [](sqlite3_file* f) { return Real(f)->pMethods->xDeviceCharacteristics(Real(f)); },
    .xShmMap =
        [](sqlite3_file* f, int region, int size, int extend, void volatile** memory) {
          return Real(f)->pMethods->xShmMap(Real(f), region, size, extend, memory);
        },
    .xShmLock =
        [](sqlite3_file* f, int offset, int count, int flags) {
          return Real(f)->pMethods->xShmLock(Real(f), offset, count, flags);
        },
    .xShmBarrier = [](sqlite3_file* f) { Real(f)->pMethods->xShmBarrier(Real(f)); },
    .xShmUnmap = [](sqlite3_file* f,
                    int remove) { return Real(f)->pMethods->xShmUnmap(Real(f), remove); },
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

sqlite3_vfs* system_vfs = nullptr;

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  FaultFile* fault = new (file) FaultFile{};
  const int result = system_vfs->xOpen(system_vfs, name, fault->real(), flags, out_flags);
  // Without methods SQLite does not call xClose.
  fault->base.pMethods = fault->real()->pMethods != nullptr ? &kMethods : nullptr;
  return result;
}

}  // namespace

const char* FaultVfsName() {
  static sqlite3_vfs* const registered = [] {
    sqlite3_initialize();
    system_vfs = sqlite3_vfs_find(nullptr);
    static sqlite3_vfs vfs = *system_vfs;
    vfs.zName = "paluku-fault";
    vfs.szOsFile = static_cast<int>(sizeof(FaultFile)) + system_vfs->szOsFile;
    vfs.xOpen = Open;
    vfs.pNext = nullptr;
    sqlite3_vfs_register(&vfs, /*makeDflt=*/0);
    return &vfs;
  }();
  return registered->zName;
}

void PlanFault(FaultKind kind, int n, bool persistent) {
  plan.kind = kind;
  plan.calls_left = n;
  plan.persistent = persistent;
  plan.fired = 0;
  plan.active = true;
}

void ClearFaults() { plan.active = false; }

int FaultsFired() { return plan.fired; }

}  // namespace paluku
