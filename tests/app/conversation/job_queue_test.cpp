#include "app/conversation/job_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace paluku {
namespace {

using std::chrono::milliseconds;

TEST(JobQueue, RunsJobsInOrderAndThoseLeftAtTheEnd) {
  std::vector<int> order;
  {
    JobQueue queue(milliseconds(1), [] { return false; });
    for (int i = 0; i < 100; ++i) queue.Post([&order, i] { order.push_back(i); });
  }
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(JobQueue, LooksAfterLeftoversUntilThereAreNone) {
  std::promise<void> third;
  std::atomic<int> calls{0};
  JobQueue queue(milliseconds(1), [&] {
    if (++calls == 3) {
      third.set_value();
      return false;
    }
    return true;
  });
  queue.Post([] {});
  ASSERT_EQ(third.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
  std::this_thread::sleep_for(milliseconds(30));
  EXPECT_EQ(calls.load(), 3);
}

}  // namespace
}  // namespace paluku
