// JobQueue: one thread that works off jobs in the order they came, and looks after leftovers while
// it is idle. Post() may be called from any thread. The destructor runs the jobs still waiting,
// then joins.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace paluku {

class JobQueue {
 public:
  // `idle` runs on the thread whenever nothing waited for `idle_interval`; it returns false when it
  // need not run again until a job has been done, so that an idle program sleeps.
  JobQueue(std::chrono::milliseconds idle_interval, std::function<bool()> idle);
  ~JobQueue();

  void Post(std::function<void()> job);

 private:
  void Run();
  // The next job, or an empty one after a quiet interval; false when the queue closes and is empty.
  bool Take(std::function<void()>& job, bool idle_wanted);

  const std::chrono::milliseconds idle_interval_;
  const std::function<bool()> idle_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool closing_ = false;
  std::thread thread_;  // last: starts when all else is there
};

}  // namespace paluku
