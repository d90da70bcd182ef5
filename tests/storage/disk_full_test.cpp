// A full or broken disk at every single write and sync: what was acknowledged stays, what failed
// left nothing, and when there is space again work goes on without a restart.
#include <gtest/gtest.h>

#include <functional>
#include <iostream>
#include <limits>
#include <map>
#include <memory>

#include "storage/database_opener.h"
#include "tests/storage/fault_vfs.h"
#include "tests/storage/storage_test_util.h"

namespace paluku {
namespace {

// A day with Paluku, in which any step may fail once or for a while. Every step is retried after a
// failure, when the disk works again.
class Day {
 public:
  explicit Day(std::string data_dir) : data_dir_(std::move(data_dir)) {}

  void Live() {
    Open();
    const auto chat = Step([](ConversationStore& s) { return s.Create({.title = "chat"}); });
    const auto gone = Step([](ConversationStore& s) { return s.Create({.title = "gone"}); });
    titles_ = {{chat.id, "chat"}, {gone.id, "gone"}};
    std::string leaf;
    for (int i = 0; i < 3; ++i) leaf = LiveTurn(chat.id, leaf, "q" + std::to_string(i));
    Step([&](ConversationStore& s) { return s.Rename(chat.id, "renamed"); });
    titles_[chat.id] = "renamed";
    LiveTurn(gone.id, "", "to be erased");
    Step([&](ConversationStore& s) { return s.MarkDeleted(gone.id); });
    titles_.erase(gone.id);
    ExpectEverything(chat.id);
    Purge();
    ExpectEverything(chat.id);
    storage_.reset();  // closing checkpoints; a failure there must lose nothing either
    ClearFaults();
    Open();
    ExpectEverything(chat.id);
    storage_.reset();
    EXPECT_EQ(IntegrityCheck(data_dir_ + "/paluku.db"), "ok");
  }

 private:
  void ExpectDiskError(const Error& error) {
    EXPECT_TRUE(error.code == ErrorCode::kDiskFull || error.code == ErrorCode::kIo)
        << error.Message();
    ClearFaults();  // somebody made space
  }

  void Open() {
    StorageOptions options;
    options.data_dir = data_dir_;
    options.vfs = FaultVfsName();
    auto opened = Storage::Open(options);
    if (!opened) {
      ExpectDiskError(opened.error());
      opened = Storage::Open(options);
    }
    ASSERT_TRUE(opened.has_value()) << opened.error().Message();
    EXPECT_TRUE((*opened)->notices().empty());
    storage_ = std::move(*opened);
  }

  // Runs one verb; when it fails, everything is as before, and the second try succeeds.
  template <class Verb>
  using ValueOf = typename std::invoke_result_t<Verb&, ConversationStore&>::value_type;
  template <class Verb>
  ValueOf<Verb> Step(Verb verb) {
    const auto job = [&verb](Stores& stores) { return verb(stores.conversations); };
    auto result = Do(*storage_, job);
    if (!result) {
      ExpectDiskError(result.error());
      ExpectMessages();
      result = Do(*storage_, job);
    }
    if (!result) throw std::runtime_error(result.error().Message());
    if constexpr (!std::is_void_v<ValueOf<Verb>>) return *result;
  }

  // Erasing is one transaction, emptying the log after it another: the second can fail alone.
  void Purge() {
    std::erase_if(texts_, [](const auto& entry) { return entry.second == "to be erased"; });
    std::erase_if(texts_, [](const auto& entry) { return entry.second == "re: to be erased"; });
    const auto purge = [](Stores& s) {
      return s.conversations.PurgeDeleted(std::numeric_limits<std::int64_t>::max());
    };
    const auto purged = Do(*storage_, purge);
    if (purged) return;
    ExpectDiskError(purged.error());
    EXPECT_TRUE(Do(*storage_, purge).has_value());
  }

  std::string LiveTurn(const std::string& conversation, const std::string& parent,
                       const std::string& text) {
    const Turn turn = Step([&](ConversationStore& s) {
      return s.BeginTurn({.conversation = conversation, .parent = parent, .text = text});
    });
    texts_[turn.user.id] = text;
    texts_[turn.reply.id] = "";
    const std::string half(6000, 'h');  // more than a page
    Step([&](ConversationStore& s) { return s.Checkpoint(turn.reply.id, half, std::nullopt); });
    texts_[turn.reply.id] = half;
    Step([&](ConversationStore& s) { return s.Finish(turn.reply.id, {.text = "re: " + text}); });
    texts_[turn.reply.id] = "re: " + text;
    return turn.reply.id;
  }

  // What was acknowledged is there, and nothing else.
  void ExpectMessages() {
    std::map<std::string, std::string> found;
    for (const auto& [conversation, title] : titles_) {
      const auto messages =
          Do(*storage_, [&](Stores& s) { return s.conversations.Messages(conversation); });
      ASSERT_TRUE(messages.has_value()) << messages.error().Message();
      for (const MessageRecord& message : *messages) found[message.id] = message.text;
    }
    std::map<std::string, std::string> expected = texts_;
    // Those of a conversation marked as deleted are not asked for.
    std::erase_if(expected, [&](const auto& entry) {
      return found.count(entry.first) == 0 && entry.second.ends_with("to be erased");
    });
    EXPECT_TRUE(found == expected);
  }

  void ExpectEverything(const std::string& chat) {
    ExpectMessages();
    const auto list = Must(Do(*storage_, [](Stores& s) { return s.conversations.List(); }));
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(list[0].id, chat);
    EXPECT_EQ(list[0].title, "renamed");
  }

  std::string data_dir_;
  std::unique_ptr<Storage> storage_;
  std::map<std::string, std::string> titles_;  // of conversations that are listed
  std::map<std::string, std::string> texts_;   // acknowledged text of each message
};

class DiskFullTest : public testing::TestWithParam<FaultKind> {};

TEST_P(DiskFullTest, LosesNothingWhicheverCallFails) {
  for (const bool persistent : {false, true}) {
    int n = 1;
    for (;; ++n) {
      SCOPED_TRACE("call " + std::to_string(n) + (persistent ? " and all after it" : ""));
      TempDir dir;
      PlanFault(GetParam(), n, persistent);
      Day day(dir / "data");
      ASSERT_NO_THROW(day.Live());
      const bool clean = FaultsFired() == 0;
      ClearFaults();
      if (clean || HasFailure()) break;
    }
    std::cout << "0 lost at " << n - 1
              << (persistent ? " points of a lasting fault\n" : " points of a single fault\n");
    EXPECT_GT(n, 10);  // the faults did reach the work
  }
}

// Calls `attempt` with the n-th write or sync failing, n = 1, 2, ..., until no call failed; returns
// how many points there were.
int SweepFaults(FaultKind kind, const std::function<void()>& attempt) {
  for (int n = 1;; ++n) {
    SCOPED_TRACE("call " + std::to_string(n));
    PlanFault(kind, n, /*persistent=*/true);
    attempt();
    const bool clean = FaultsFired() == 0;
    ClearFaults();
    if (clean || testing::Test::HasFailure()) return n - 1;
  }
}

// Opens in the presence of a fault and, when that fails, again when the disk works.
template <class OpenFunction>
auto OpenTwice(OpenFunction open) {
  auto opened = open();
  if (!opened) {
    const ErrorCode code = opened.error().code;
    EXPECT_TRUE(code == ErrorCode::kDiskFull || code == ErrorCode::kIo) << opened.error().Message();
    ClearFaults();
    opened = open();
    EXPECT_TRUE(opened.has_value());
  }
  return opened;
}

TEST_P(DiskFullTest, ARepairThatFailsIsDoneAgain) {
  TempDir sample_dir;
  MustOpen(sample_dir / "data").reset();
  {
    const auto storage = MustOpen(sample_dir / "data");
    Must(Do(*storage, [](Stores& s) { return s.conversations.Create({.title = "kept"}); }));
  }
  std::string damaged = ReadBytes(sample_dir / "data/paluku.db");
  damaged.replace(0, 100, std::string(100, 'J'));
  const int points = SweepFaults(GetParam(), [&damaged] {
    TempDir dir;
    const std::string path = dir / "paluku.db";
    WriteBytes(path, damaged);
    StorageOptions options;
    options.data_dir = dir.path();
    options.vfs = FaultVfsName();
    const auto storage = OpenTwice([&options] { return Storage::Open(options); });
    ASSERT_TRUE(storage.has_value());
    const auto list = Must(Do(**storage, [](Stores& s) { return s.conversations.List(); }));
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(list[0].title, "kept");
    const auto set_aside = FilesWithPrefix(dir.path(), "paluku.db.damaged-");
    ASSERT_EQ(set_aside.size(), 1U);
    EXPECT_TRUE(ReadBytes(dir / set_aside[0]) == damaged);
  });
  EXPECT_GT(points, 3);
}

TEST_P(DiskFullTest, AMigrationThatFailsIsDoneAgain) {
  const std::string frozen =
      ReadBytes(std::string(PALUKU_SOURCE_DIR) + "/tests/storage/data/v1.db");
  std::vector<Migration> migrations(EmbeddedMigrations().begin(), EmbeddedMigrations().end());
  migrations.push_back({static_cast<int>(migrations.size()) + 1,
                        "CREATE TABLE copies (seq INTEGER PRIMARY KEY, text BLOB) STRICT;"
                        "INSERT INTO copies (text) SELECT text FROM messages;"});
  const int points = SweepFaults(GetParam(), [&] {
    TempDir dir;
    WriteBytes(dir / "paluku.db", frozen);
    const OpenRequest request{dir.path(), FaultVfsName(), SystemNowMs, migrations};
    const auto opened = OpenTwice([&request] { return OpenForWriting(request); });
    ASSERT_TRUE(opened.has_value());
    EXPECT_TRUE(opened->notices.empty());
    const auto copies = opened->database->Read([](SQLite::Database& connection) -> Result<int> {
      return connection.execAndGet("SELECT count(*) FROM copies").getInt();
    });
    EXPECT_EQ(Must(copies), 2);
    EXPECT_GE(FileNames(dir / "backups").size(), 1U);
  });
  EXPECT_GT(points, 3);
}

INSTANTIATE_TEST_SUITE_P(Kinds, DiskFullTest, testing::ValuesIn(kAllFaults));

// The same on a real, tiny disk in a mount namespace of its own.
class RealDisk : public testing::Test {
 protected:
  void SetUp() override {
    Child probe({"unshare", "-Urm", "sh", "-c", mount_});
    if (probe.Finish() != 0) GTEST_SKIP() << "no mount namespaces here";
  }

  // What `commands` print, with the test child in $child and the disk's folder in $disk.
  std::string Print(const std::string& commands) {
    Child child(
        {"unshare", "-Urm", "sh", "-ec",
         mount_ + "; child=" + PALUKU_STORAGE_CHILD + "; disk=" + dir_.path() + "; " + commands});
    std::string printed = child.ReadAll();
    EXPECT_EQ(child.Finish(), 0);
    return printed;
  }

 private:
  TempDir dir_;
  std::string mount_ = "mount -t tmpfs -o size=1m tmpfs " + dir_.path();
};

TEST_F(RealDisk, RunsFullAndRecovers) { EXPECT_EQ(Print("$child fill $disk"), "recovered\n"); }

// State 5 is kInterrupted. The notice comes once, and what was put off is done when there is space.
const std::string kSeenFull = "kept: question/1 half an answer/5 notice " +
                              std::to_string(static_cast<int>(ErrorCode::kDiskFull)) +
                              "\nrenamed: question/1 half an answer/5\n";

TEST_F(RealDisk, OpensWhenItIsFull) {
  EXPECT_EQ(Print("$child leave $disk; $child reopen-full $disk"), kSeenFull);
}

TEST_F(RealDisk, OpensWhenItIsFullAndTheSharedIndexIsGone) {
  EXPECT_EQ(Print("$child leave $disk; rm $disk/*-shm; $child reopen-full $disk"), kSeenFull);
}

}  // namespace
}  // namespace paluku
