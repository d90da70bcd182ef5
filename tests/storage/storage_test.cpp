// The storage thread and the lock: order of jobs, closing, one writer, readers beside it.
#include "storage/storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "storage/files.h"
#include "tests/storage/storage_test_util.h"

namespace paluku {
namespace {

using testing::ElementsAre;

unsigned ModeOf(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 0777;
}

std::string CodeText(ErrorCode code) { return std::to_string(static_cast<int>(code)); }

TEST(Storage, RunsJobsInTheOrderTheyCame) {
  TempDir dir;
  std::vector<int> order;
  {
    const auto storage = MustOpen(dir / "data");
    for (int i = 0; i < 100; ++i) {
      storage->Post([i](Stores&) { return i; }, [&order](int done) { order.push_back(done); });
    }
  }  // the destructor waits for all of them
  ASSERT_EQ(order.size(), 100U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(Storage, TakesJobsFromManyThreadsAndFromJobs) {
  TempDir dir;
  const auto storage = MustOpen(dir / "data");
  std::atomic<int> completed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&storage, &completed, t] {
      for (int i = 0; i < 20; ++i) {
        const std::string key = std::to_string(t) + "." + std::to_string(i);
        storage->Post([key](Stores& s) { return s.settings.Set(key, key); },
                      [&](const Status& status) {
                        if (status)
                          storage->Post([](Stores&) { return 0; },
                                        [&completed](int) { ++completed; });
                      });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Must(Do(*storage, [](Stores& s) { return s.settings.All(); })).size(), 80U);
  Do(*storage, [](Stores&) { return 0; });
  EXPECT_EQ(completed, 80);
}

TEST(Storage, FilesArePrivate) {
  TempDir dir;
  const auto storage = MustOpen(dir / "data");
  Must(Do(*storage, [](Stores& s) { return s.settings.Set("a", "b"); }));
  EXPECT_EQ(ModeOf(dir / "data"), 0700U);
  for (const std::string& name : FileNames(dir / "data")) {
    EXPECT_EQ(ModeOf(dir / "data" + "/" + name), 0600U) << name;
  }
  EXPECT_THAT(FileNames(dir / "data"), testing::Contains("paluku.db-wal"));
}

TEST(Storage, TakesRightsAwayThatOthersHad) {
  TempDir dir;
  MustOpen(dir / "data").reset();
  chmod((dir / "data").c_str(), 0755);
  chmod((dir / "data/paluku.db").c_str(), 0644);
  MustOpen(dir / "data").reset();
  EXPECT_EQ(ModeOf(dir / "data"), 0700U);
  EXPECT_EQ(ModeOf(dir / "data/paluku.db"), 0600U);
}

TEST(Storage, AFreshStartHasNothingToTell) {
  TempDir dir;
  const auto storage = MustOpen(dir / "data");
  EXPECT_TRUE(storage->notices().empty());
  EXPECT_TRUE(storage->writable().has_value());
  EXPECT_EQ(storage->path(), dir / "data/paluku.db");
}

TEST(Storage, ASecondWriterIsRefused) {
  TempDir dir;
  const auto storage = MustOpen(dir / "data");
  StorageOptions options;
  options.data_dir = dir / "data";
  const auto second = Storage::Open(options);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kAlreadyOpen);
  Child other({PALUKU_STORAGE_CHILD, "try-write", dir / "data"});
  EXPECT_EQ(other.ReadLine(), CodeText(ErrorCode::kAlreadyOpen));
}

TEST(Storage, ALockDiesWithItsHolder) {
  TempDir dir;
  Child holder({PALUKU_STORAGE_CHILD, "hold", dir / "data"});
  ASSERT_EQ(holder.ReadLine(), "open");
  StorageOptions options;
  options.data_dir = dir / "data";
  const auto refused = Storage::Open(options);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kAlreadyOpen);
  holder.Kill();
  holder.Finish();
  EXPECT_TRUE(Storage::Open(options).has_value());
}

// Many at once: exactly one gets the lock, the others say why not.
TEST(Storage, OfManyStartsOneWins) {
  TempDir dir;
  MustOpen(dir / "data").reset();
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < 12; ++i) {
    children.push_back(std::make_unique<Child>(
        std::vector<std::string>{PALUKU_STORAGE_CHILD, "hold", dir / "data"}));
  }
  int winners = 0;
  for (const auto& child : children) {
    const std::string line = child->ReadLine();
    if (line == "open") {
      ++winners;
    } else {
      EXPECT_THAT(line, testing::HasSubstr("already open"));
    }
  }
  EXPECT_EQ(winners, 1);
}

TEST(Storage, AReaderBesideTheWriterSeesEverythingAndChangesNothing) {
  TempDir dir;
  const auto storage = MustOpen(dir / "data");
  Must(Do(*storage, [](Stores& s) { return s.conversations.Create({.title = "one"}); }));
  const std::string database = ReadBytes(dir / "data/paluku.db");
  const std::string log = ReadBytes(dir / "data/paluku.db-wal");
  Child reader({PALUKU_STORAGE_CHILD, "list", dir / "data"});
  EXPECT_EQ(reader.ReadAll(), "one\n");
  EXPECT_EQ(reader.Finish(), 0);
  EXPECT_TRUE(ReadBytes(dir / "data/paluku.db") == database);
  EXPECT_TRUE(ReadBytes(dir / "data/paluku.db-wal") == log);
  Must(Do(*storage, [](Stores& s) { return s.conversations.Create({.title = "two"}); }));
  Child later({PALUKU_STORAGE_CHILD, "list", dir / "data"});
  EXPECT_EQ(later.ReadAll(), "two\none\n");
}

TEST(Storage, AReaderRefusesToWrite) {
  TempDir dir;
  MustOpen(dir / "data").reset();
  const auto reader = MustOpen(dir / "data", StorageAccess::kReadOnly);
  const auto created =
      Do(*reader, [](Stores& s) { return s.conversations.Create({.title = "no"}); });
  ASSERT_FALSE(created.has_value());
  EXPECT_EQ(created.error().code, ErrorCode::kAlreadyOpen);
  ASSERT_FALSE(reader->writable().has_value());
  // It holds no lock: a writer can come.
  const auto writer = MustOpen(dir / "data");
  Must(Do(*writer, [](Stores& s) { return s.conversations.Create({.title = "yes"}); }));
  EXPECT_EQ(Must(Do(*reader, [](Stores& s) { return s.conversations.Count(); })), 1);
}

TEST(Storage, AReaderDoesNotTouchAReplyInProgress) {
  TempDir dir;
  const auto writer = MustOpen(dir / "data");
  const auto made =
      Must(Do(*writer, [](Stores& s) { return s.conversations.Create({.title = "t"}); }));
  const Turn turn = Must(Do(*writer, [&](Stores& s) {
    return s.conversations.BeginTurn({.conversation = made.id, .text = "q"});
  }));
  const auto reader = MustOpen(dir / "data", StorageAccess::kReadOnly);
  const auto seen =
      Must(Do(*reader, [&](Stores& s) { return s.conversations.Message(turn.reply.id); }));
  EXPECT_EQ(seen.state, MessageState::kStreaming);
  Must(Do(*writer, [&](Stores& s) { return s.conversations.Finish(turn.reply.id, {}); }));
}

TEST(Storage, ReadingWithoutADatabaseSaysSo) {
  TempDir dir;
  StorageOptions options;
  options.data_dir = dir / "data";
  options.access = StorageAccess::kReadOnly;
  const auto reader = Storage::Open(options);
  ASSERT_FALSE(reader.has_value());
  EXPECT_EQ(reader.error().code, ErrorCode::kFileNotFound);
  EXPECT_TRUE(FileNames(dir.path()).empty());
}

TEST(Storage, AFileInPlaceOfTheDirectoryIsOneClearSentence) {
  TempDir dir;
  WriteBytes(dir / "data", "not a folder");
  StorageOptions options;
  options.data_dir = dir / "data";
  const auto storage = Storage::Open(options);
  ASSERT_FALSE(storage.has_value());
  EXPECT_EQ(storage.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(ReadBytes(dir / "data"), "not a folder");
}

TEST(Storage, ADirectoryInPlaceOfTheDatabaseIsOneClearSentence) {
  TempDir dir;
  MustOpen(dir / "data").reset();
  remove((dir / "data/paluku.db").c_str());
  mkdir((dir / "data/paluku.db").c_str(), 0700);
  StorageOptions options;
  options.data_dir = dir / "data";
  const auto storage = Storage::Open(options);
  ASSERT_FALSE(storage.has_value());
  EXPECT_EQ(storage.error().code, ErrorCode::kNotARegularFile);
}

TEST(Files, NetworkFileSystemsAreKnown) {
  EXPECT_STREQ(UnsuitableFileSystem(0x6969), "NFS");
  EXPECT_STREQ(UnsuitableFileSystem(0xff534d42), "CIFS");
  EXPECT_STREQ(UnsuitableFileSystem(static_cast<std::int32_t>(0xfe534d42)), "CIFS");
  EXPECT_STREQ(UnsuitableFileSystem(0x65735546), "FUSE");
  EXPECT_EQ(UnsuitableFileSystem(0xef53), nullptr);      // ext4
  EXPECT_EQ(UnsuitableFileSystem(0x01021994), nullptr);  // tmpfs
  EXPECT_EQ(UnsuitableFileSystem(0x9123683e), nullptr);  // btrfs
}

}  // namespace
}  // namespace paluku
