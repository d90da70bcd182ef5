// WorkerPool: every piece exactly once, stop between pieces, many short jobs in a row.
#include "engine/backend/cpu/worker_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace paluku {
namespace {

TEST(WorkerPool, RunsEveryPieceOnce) {
  for (const int threads : {1, 2, 5}) {
    WorkerPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (const int pieces : {0, 1, 2, 3, 100, 1000}) {
      std::vector<std::atomic<int>> counts(static_cast<std::size_t>(pieces));
      std::atomic<bool> worker_in_range{true};
      EXPECT_TRUE(pool.Run(pieces, {}, [&](int piece, int worker) {
        counts[static_cast<std::size_t>(piece)].fetch_add(1);
        if (worker < 0 || worker >= threads) worker_in_range = false;
      }));
      EXPECT_TRUE(worker_in_range);
      EXPECT_TRUE(
          std::all_of(counts.begin(), counts.end(), [](const auto& n) { return n.load() == 1; }));
    }
  }
}

TEST(WorkerPool, ManyShortJobsAfterEachOther) {
  WorkerPool pool(3);
  std::int64_t sum = 0;
  for (int job = 0; job < 20'000; ++job) {
    std::atomic<int> done{0};
    pool.Run(1 + job % 5, {}, [&](int piece, int) { done.fetch_add(piece + 1); });
    sum += done.load();
  }
  EXPECT_EQ(sum, 20'000 / 5 * (1 + 3 + 6 + 10 + 15));
}

TEST(WorkerPool, SleepersWakeForTheNextJob) {
  WorkerPool pool(2);
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(
        std::chrono::milliseconds(20));  // long enough for the worker to sleep
    std::atomic<int> seen_by_worker{0};
    // The caller waits inside its piece until the other thread has taken one: both must be at work.
    std::atomic<int> started{0};
    EXPECT_TRUE(pool.Run(2, {}, [&](int, int worker) {
      started.fetch_add(1);
      while (started.load() < 2) std::this_thread::yield();
      if (worker == 1) seen_by_worker.fetch_add(1);
    }));
    EXPECT_EQ(seen_by_worker.load(), 1);
  }
}

TEST(WorkerPool, StopSkipsTheRest) {
  WorkerPool pool(2);
  std::stop_source source;
  std::atomic<int> done{0};
  EXPECT_FALSE(pool.Run(1000, source.get_token(), [&](int, int) {
    if (done.fetch_add(1) == 10) source.request_stop();
  }));
  EXPECT_LE(done.load(), 13);
  EXPECT_TRUE(pool.Run(4, {}, [&](int, int) { done.fetch_add(1); }));
}

TEST(WorkerPool, FindsPhysicalCores) {
  EXPECT_GE(PhysicalCores(), 1);
  EXPECT_LE(PhysicalCores(), static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace
}  // namespace paluku
