// kill -9 at random points of a program that writes turns and checkpoints: whatever it acknowledged
// is there afterwards, a reply that was cut is marked, and the database is sound.
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "storage/conversation_store.h"
#include "tests/storage/reply_text.h"
#include "tests/storage/storage_test_util.h"

namespace paluku {
namespace {

constexpr int kKills = 100;

// What the killed program acknowledged.
struct Acknowledged {
  std::map<std::string, int> users;     // message id -> number of its text
  std::map<std::string, int> replies;   // message id -> least length of its text
  std::map<std::string, int> finished;  // message id -> length of its text
  int writes = 0;

  // Takes the lines of one run. False when the run reported an error.
  bool Take(const std::string& output) {
    std::istringstream lines(output);
    std::string kind;
    std::string id;
    int value = 0;
    while (lines >> kind) {
      if (kind == "open") continue;
      if (kind == "error" || !(lines >> id >> value)) return false;
      ++writes;
      if (kind == "user") users[id] = value;
      if (kind == "checkpoint") replies[id] = value;
      if (kind == "finish") finished[id] = value;
    }
    return true;
  }
};

// Every message in the database.
std::map<std::string, MessageRecord> AllMessages(Storage& storage) {
  std::map<std::string, MessageRecord> all;
  const auto list = Must(
      Do(storage, [](Stores& s) { return s.conversations.List({.offset = 0, .limit = 1000}); }));
  for (const ConversationRecord& conversation : list) {
    for (MessageRecord& message :
         Must(Do(storage, [&](Stores& s) { return s.conversations.Messages(conversation.id); }))) {
      all[message.id] = std::move(message);
    }
  }
  return all;
}

void ExpectAllThere(const Acknowledged& acknowledged, Storage& storage) {
  const auto all = AllMessages(storage);
  int lost = 0;
  for (const auto& [id, number] : acknowledged.users) {
    const auto found = all.find(id);
    lost += found == all.end() || found->second.text != UserText(number) ? 1 : 0;
  }
  for (const auto& [id, length] : acknowledged.replies) {
    const auto found = all.find(id);
    if (found == all.end() || found->second.text.size() < static_cast<std::size_t>(length)) ++lost;
  }
  for (const auto& [id, length] : acknowledged.finished) {
    const auto found = all.find(id);
    if (found == all.end() || found->second.state != MessageState::kComplete ||
        found->second.text != ReplyText(id, length)) {
      ++lost;
    }
  }
  for (const auto& [id, message] : all) {
    EXPECT_NE(message.state, MessageState::kStreaming);
    if (message.role != MessageRole::kAssistant) continue;
    EXPECT_EQ(message.text, ReplyText(id, static_cast<int>(message.text.size())));
    EXPECT_TRUE(all.contains(message.parent));
  }
  EXPECT_EQ(lost, 0);
}

TEST(Crash, NothingAcknowledgedIsLost) {
  TempDir dir;
  const std::string data_dir = dir / "data";
  Acknowledged acknowledged;
  std::mt19937 random(20261123);
  for (int kill = 0; kill < kKills; ++kill) {
    SCOPED_TRACE("kill " + std::to_string(kill));
    std::string output;
    {
      Child child({PALUKU_STORAGE_CHILD, "stream", data_dir, std::to_string(random())});
      // Every fourth time at any moment of its start, otherwise in the middle of its work.
      if (kill % 4 != 0) output = child.ReadLine() + "\n";
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 60000));
      child.Kill();
      output += child.ReadAll();
      child.Finish();
    }
    ASSERT_TRUE(acknowledged.Take(output)) << output;
    if (kill % 10 != 9) continue;  // mostly the next program recovers, sometimes this one
    const auto storage = MustOpen(data_dir);
    EXPECT_TRUE(storage->notices().empty());
    ASSERT_NO_FATAL_FAILURE(ExpectAllThere(acknowledged, *storage));
  }
  EXPECT_EQ(IntegrityCheck(data_dir + "/paluku.db"), "ok");
  RecordProperty("kills", kKills);
  RecordProperty("acknowledged_writes", acknowledged.writes);
  std::cout << "0 of " << acknowledged.writes << " acknowledged writes lost in " << kKills
            << " kills\n";
  EXPECT_GT(acknowledged.writes, kKills);
}

}  // namespace
}  // namespace paluku
