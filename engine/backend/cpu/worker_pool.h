// WorkerPool: spreads the pieces of one operation over threads and waits for them.
//
// Pieces are taken one at a time from a shared counter, so that a worker that loses its core to
// another program holds up one piece, not a share. The caller works too. Idle workers spin for a
// moment, because the next operation usually follows at once, then sleep; a worker that wakes late
// finds nothing to do and is not waited for. Workers have a lower priority than the thread that
// made the pool (the interface stays smooth). Run() is called by one thread at a time; it never
// allocates.
#pragma once

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <thread>
#include <type_traits>
#include <vector>

namespace paluku {

class WorkerPool {
 public:
  // `threads` counts the caller; 0 means one per physical core this process may use.
  explicit WorkerPool(int threads);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  static constexpr int kMaxPieces = (1 << 20) - 1;

  // Calls body(piece, worker) for every piece in [0, pieces), worker in [0, threads()), and returns
  // when all are done. After `stop` was requested the remaining pieces are skipped; returns false
  // if any was.
  template <class Body>
  bool Run(int pieces, const std::stop_token& stop, const Body& body) {
    static_assert(std::is_invocable_v<const Body&, int, int>);
    return RunJob(pieces, stop, &body, [](const void* context, int piece, int worker) {
      (*static_cast<const Body*>(context))(piece, worker);
    });
  }

 private:
  using Function = void (*)(const void* context, int piece, int worker);
  bool RunJob(int pieces, const std::stop_token& stop, const void* context, Function function);
  void WorkerLoop(const std::stop_token& quit, int worker);
  // Takes and computes pieces of the current job until none is left.
  void Work(int worker);
  void WakeWorkers();

  // The current job. A piece is claimed by advancing `next` in ticket_ (layout: 24 bits job number,
  // 20 bits pieces, 20 bits next); the other fields are stable while a piece of the job is
  // unfinished.
  std::atomic<std::uint64_t> ticket_{0};
  const std::stop_token* stop_ = nullptr;
  const void* context_ = nullptr;
  Function function_ = nullptr;
  std::atomic<bool> skipped_{false};
  alignas(64) std::atomic<int> finished_{0};
  alignas(64) std::atomic<std::uint32_t> epoch_{0};  // bumped per job; workers sleep on it
  std::atomic<int> sleeping_{0};
  std::vector<std::jthread> workers_;
};

// Physical cores among the processors this process may run on; at least 1.
int PhysicalCores();

}  // namespace paluku
