#include "app/conversation/job_queue.h"

#include <utility>

namespace paluku {

JobQueue::JobQueue(std::chrono::milliseconds idle_interval, std::function<bool()> idle)
    : idle_interval_(idle_interval), idle_(std::move(idle)), thread_([this] { Run(); }) {}

JobQueue::~JobQueue() {
  {
    const std::scoped_lock lock(mutex_);
    closing_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void JobQueue::Post(std::function<void()> job) {
  {
    const std::scoped_lock lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
}

bool JobQueue::Take(std::function<void()>& job, bool idle_wanted) {
  std::unique_lock lock(mutex_);
  const auto ready = [this] { return closing_ || !jobs_.empty(); };
  if (idle_wanted) {
    changed_.wait_for(lock, idle_interval_, ready);
  } else {
    changed_.wait(lock, ready);
  }
  job = nullptr;
  if (!jobs_.empty()) {
    job = std::move(jobs_.front());
    jobs_.pop_front();
    return true;
  }
  return !closing_;
}

void JobQueue::Run() {
  bool idle_wanted = false;
  std::function<void()> job;
  while (Take(job, idle_wanted)) {
    if (job) {
      job();
      idle_wanted = true;
    } else {
      idle_wanted = idle_();
    }
  }
}

}  // namespace paluku
