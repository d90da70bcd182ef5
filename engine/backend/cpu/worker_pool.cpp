#include "engine/backend/cpu/worker_pool.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>

#include "engine/base/check.h"

namespace paluku {
namespace {

constexpr int kPieceBits = 20;
constexpr std::uint64_t kPieceMask = (1ull << kPieceBits) - 1;
constexpr int kWorkerNice = 2;
// About 20 to 40 microseconds: longer than the gap between two operations, short enough that an
// idle pool costs nothing.
constexpr int kIdleSpins = 1000;

std::uint64_t Ticket(std::uint32_t job, std::uint64_t pieces) {
  return static_cast<std::uint64_t>(job & 0xffffffu) << (2 * kPieceBits) | pieces << kPieceBits;
}

void Pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

int PhysicalCores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return 1;
  std::set<std::string> cores;  // siblings share the same list
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) +
                       "/topology/thread_siblings_list");
    std::string siblings;
    if (!std::getline(file, siblings)) siblings = "cpu " + std::to_string(cpu);
    cores.insert(siblings);
  }
  return std::max(1, static_cast<int>(cores.size()));
}

WorkerPool::WorkerPool(int threads) {
  const int count = threads > 0 ? threads : PhysicalCores();
  workers_.reserve(static_cast<std::size_t>(count - 1));
  for (int worker = 1; worker < count; ++worker) {
    workers_.emplace_back([this, worker](const std::stop_token& quit) {
      // Linux gives each thread its own nice value; without permission the default stays.
      (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()),
                        getpriority(PRIO_PROCESS, 0) + kWorkerNice);
      WorkerLoop(quit, worker);
    });
  }
}

WorkerPool::~WorkerPool() {
  for (std::jthread& worker : workers_) worker.request_stop();
  epoch_.fetch_add(1);
  epoch_.notify_all();
}

bool WorkerPool::RunJob(int pieces, const std::stop_token& stop, const void* context,
                        Function function) {
  PALUKU_CHECK(pieces >= 0 && pieces <= kMaxPieces);
  if (pieces == 0) return true;
  stop_ = &stop;
  context_ = context;
  function_ = function;
  skipped_.store(false, std::memory_order_relaxed);
  finished_.store(0, std::memory_order_relaxed);
  const std::uint32_t job = epoch_.load(std::memory_order_relaxed) + 1;
  ticket_.store(Ticket(job, static_cast<std::uint64_t>(pieces)), std::memory_order_release);
  epoch_.store(job);
  if (pieces > 1) WakeWorkers();
  Work(0);
  for (int spins = 0;; ++spins) {
    const int finished = finished_.load(std::memory_order_acquire);
    if (finished == pieces) break;
    if (spins < kIdleSpins) {
      Pause();
    } else {
      finished_.wait(finished, std::memory_order_acquire);
    }
  }
  return !skipped_.load(std::memory_order_relaxed);
}

void WorkerPool::WakeWorkers() {
  if (sleeping_.load() > 0) epoch_.notify_all();
}

void WorkerPool::Work(int worker) {
  while (true) {
    std::uint64_t ticket = ticket_.load(std::memory_order_acquire);
    std::uint64_t pieces, next;
    do {
      pieces = ticket >> kPieceBits & kPieceMask;
      next = ticket & kPieceMask;
      if (next >= pieces) return;
    } while (!ticket_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel));
    if (stop_->stop_requested()) {
      skipped_.store(true, std::memory_order_relaxed);
    } else {
      function_(context_, static_cast<int>(next), worker);
    }
    if (finished_.fetch_add(1, std::memory_order_acq_rel) + 1 == static_cast<int>(pieces)) {
      finished_.notify_one();
    }
  }
}

void WorkerPool::WorkerLoop(const std::stop_token& quit, int worker) {
  std::uint32_t seen = 0;
  while (!quit.stop_requested()) {
    int spins = 0;
    while (epoch_.load() == seen && spins++ < kIdleSpins) Pause();
    if (epoch_.load() == seen) {
      sleeping_.fetch_add(1);
      epoch_.wait(seen);  // returns at once when a job arrived in between
      sleeping_.fetch_sub(1);
    }
    seen = epoch_.load();
    Work(worker);
  }
}

}  // namespace paluku
