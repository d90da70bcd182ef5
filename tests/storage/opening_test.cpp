// Opening a database of another version: frozen old ones, migrations and their backup, newer ones.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "storage/database_opener.h"
#include "tests/storage/storage_test_util.h"

namespace paluku {
namespace {

using testing::ElementsAre;

// What freeze_database.cpp wrote.
void ExpectFrozenContent(Storage& storage) {
  const auto list = Must(Do(storage, [](Stores& s) { return s.conversations.List(); }));
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].title, "Frozen పలుకు");
  EXPECT_EQ(list[0].instruction, "Answer in Telugu.");
  EXPECT_EQ(list[0].draft, "unsent");
  const auto path =
      Must(Do(storage, [&](Stores& s) { return s.conversations.Path(list[0].current_leaf); }));
  ASSERT_EQ(path.size(), 2U);
  EXPECT_EQ(path[0].text, "What are you?");
  EXPECT_EQ(path[1].text, "పలుకు.");
  EXPECT_EQ(path[1].reasoning, "A short answer will do.");
  EXPECT_EQ(path[1].state, MessageState::kComplete);
  EXPECT_EQ(path[1].stats.token_count, 5);
  EXPECT_EQ(Must(Do(storage, [](Stores& s) { return s.settings.Get("threads"); })), "3");
  const auto models = Must(Do(storage, [](Stores& s) { return s.models.List(); }));
  ASSERT_EQ(models.size(), 1U);
  EXPECT_EQ(models[0].name, "Tiny");
}

class OpeningTest : public testing::Test {
 protected:
  OpeningTest() {
    std::filesystem::create_directory(data_dir_);
    std::filesystem::copy_file(std::string(PALUKU_SOURCE_DIR) + "/tests/storage/data/v1.db",
                               database_);
  }

  // Opens with a second migration of the test's own.
  Result<OpenedDatabase> OpenWith(const std::string& second_sql) {
    migrations_.assign(EmbeddedMigrations().begin(), EmbeddedMigrations().end());
    migrations_.push_back({static_cast<int>(migrations_.size()) + 1, second_sql});
    return OpenForWriting({data_dir_, "", [] { return std::int64_t{1000000000000}; }, migrations_});
  }
  int VersionOnDisk() {
    SQLite::Database connection(database_, SQLite::OPEN_READONLY);
    return connection.execAndGet("PRAGMA user_version").getInt();
  }

  TempDir dir_;
  const std::string data_dir_ = dir_ / "data";
  const std::string database_ = data_dir_ + "/paluku.db";
  std::vector<Migration> migrations_;
};

TEST_F(OpeningTest, AFrozenDatabaseOfVersion1OpensWithEverything) {
  const auto storage = MustOpen(data_dir_);
  EXPECT_TRUE(storage->notices().empty());
  ExpectFrozenContent(*storage);
  Must(Do(*storage, [](Stores& s) { return s.conversations.Create({.title = "new"}); }));
}

TEST_F(OpeningTest, AMigrationRaisesTheVersionAndKeepsABackup) {
  const std::string before = ReadBytes(database_);
  {
    const auto opened = OpenWith(
        "CREATE TABLE tags (seq INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;"
        "INSERT INTO tags (name) SELECT 'of ' || id FROM conversations;");
    ASSERT_TRUE(opened.has_value()) << opened.error().Message();
    const auto tags = opened->database->Read([](SQLite::Database& connection) -> Result<int> {
      return connection.execAndGet("SELECT count(*) FROM tags WHERE name LIKE 'of %'").getInt();
    });
    EXPECT_EQ(Must(tags), 1);
  }
  EXPECT_EQ(VersionOnDisk(), 2);
  const auto backups = FileNames(data_dir_ + "/backups");
  ASSERT_THAT(backups, ElementsAre("paluku-v1-20010909T014640Z.db"));
  // The backup is a whole database of version 1: put back, it opens with everything.
  std::filesystem::copy_file(data_dir_ + "/backups/" + backups[0], database_,
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(VersionOnDisk(), 1);
  ExpectFrozenContent(*MustOpen(data_dir_));
}

TEST_F(OpeningTest, AMigrationMayRebuildATableThatOthersReferTo) {
  const auto opened = OpenWith(
      "CREATE TABLE conversations_new (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
      " title BLOB NOT NULL) STRICT;"
      "INSERT INTO conversations_new SELECT seq, id, title FROM conversations;"
      "DROP TABLE conversations;"
      "ALTER TABLE conversations_new RENAME TO conversations;");
  ASSERT_TRUE(opened.has_value()) << opened.error().Message();
  const auto messages = opened->database->Read([](SQLite::Database& connection) -> Result<int> {
    return connection.execAndGet("SELECT count(*) FROM messages").getInt();
  });
  EXPECT_EQ(Must(messages), 2);
}

TEST_F(OpeningTest, AMigrationThatFailsChangesNothing) {
  for (const char* broken : {"CREATE TABLE half (x); SELECT * FROM no_such_table;",
                             "CREATE TABLE half (x); DELETE FROM conversations;"}) {
    const auto opened = OpenWith(broken);
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code, ErrorCode::kInternal);
    EXPECT_EQ(VersionOnDisk(), 1);
    EXPECT_EQ(FilesWithPrefix(data_dir_ + "/backups", "paluku-v1-").size(), 1U);
    const auto storage = MustOpen(data_dir_);
    ExpectFrozenContent(*storage);
  }
}

TEST_F(OpeningTest, ABackupHoldsWhatIsOnlyInTheLog) {
  // A log that was not checkpointed: the files are copied while the database is open.
  const std::string other = dir_ / "other";
  {
    const auto storage = MustOpen(data_dir_);
    Must(Do(*storage, [](Stores& s) { return s.conversations.Create({.title = "in the log"}); }));
    std::filesystem::create_directory(other);
    for (const char* name : {"paluku.db", "paluku.db-wal"}) {
      std::filesystem::copy_file(data_dir_ + "/" + name, other + "/" + name);
    }
  }
  std::vector<Migration> migrations(EmbeddedMigrations().begin(), EmbeddedMigrations().end());
  migrations.push_back({static_cast<int>(migrations.size()) + 1, "CREATE TABLE t (x) STRICT;"});
  migrations.back().sql = "CREATE TABLE t (x INTEGER) STRICT;";
  ASSERT_TRUE(OpenForWriting({other, "", [] { return std::int64_t{0}; }, migrations}).has_value());
  const auto backups = FileNames(other + "/backups");
  ASSERT_EQ(backups.size(), 1U);
  SQLite::Database backup(other + "/backups/" + backups[0]);
  EXPECT_EQ(backup.execAndGet("SELECT count(*) FROM conversations").getInt(), 2);
}

TEST_F(OpeningTest, ANewerSchemaIsReadAndNeverChanged) {
  ExecuteSql(database_,
             "PRAGMA user_version = 7; ALTER TABLE messages ADD COLUMN mood TEXT;"
             "UPDATE messages SET state = 99 WHERE role = 1; PRAGMA wal_checkpoint(TRUNCATE)");
  const std::string before = ReadBytes(database_);
  {
    const auto storage = MustOpen(data_dir_);
    ASSERT_EQ(storage->notices().size(), 1U);
    EXPECT_EQ(storage->notices()[0].code, ErrorCode::kNewerSchema);
    EXPECT_EQ(storage->notices()[0].detail, "7");
    ExpectFrozenContent(*storage);
    const auto refused =
        Do(*storage, [](Stores& s) { return s.conversations.Create({.title = "x"}); });
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kNewerSchema);
    ASSERT_FALSE(storage->writable().has_value());
    EXPECT_EQ(storage->writable().error().code, ErrorCode::kNewerSchema);
  }
  EXPECT_TRUE(ReadBytes(database_) == before);
  {
    const auto reader = MustOpen(data_dir_, StorageAccess::kReadOnly);
    ASSERT_EQ(reader->notices().size(), 1U);
    ExpectFrozenContent(*reader);
  }
  EXPECT_TRUE(ReadBytes(database_) == before);
}

TEST_F(OpeningTest, AReaderDoesNotMigrate) {
  const std::string before = ReadBytes(database_);
  std::vector<Migration> migrations(EmbeddedMigrations().begin(), EmbeddedMigrations().end());
  migrations.push_back({static_cast<int>(migrations.size()) + 1, "SELECT 1;"});
  const auto opened = OpenForReading({data_dir_, "", [] { return std::int64_t{0}; }, migrations});
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, ErrorCode::kUnsupportedVersion);
  EXPECT_TRUE(ReadBytes(database_) == before);
}

TEST_F(OpeningTest, AnEmptyFileBecomesADatabase) {
  WriteBytes(database_, "");
  const auto storage = MustOpen(data_dir_);
  EXPECT_TRUE(storage->notices().empty());
  EXPECT_EQ(Must(Do(*storage, [](Stores& s) { return s.conversations.Count(); })), 0);
}

TEST_F(OpeningTest, TheConnectionHasTheSettingsOfTheHouse) {
  const auto opened =
      Must(OpenForWriting({data_dir_, "", [] { return std::int64_t{0}; }, EmbeddedMigrations()}));
  Must(opened.database->Bare([](SQLite::Database& connection) -> Status {
    const auto pragma = [&](const char* name) {
      return connection.execAndGet(std::string("PRAGMA ") + name).getString();
    };
    EXPECT_EQ(pragma("journal_mode"), "wal");
    EXPECT_EQ(pragma("synchronous"), "2");
    EXPECT_EQ(pragma("foreign_keys"), "1");
    EXPECT_EQ(pragma("secure_delete"), "1");
    EXPECT_EQ(pragma("temp_store"), "2");
    EXPECT_EQ(pragma("trusted_schema"), "0");
    EXPECT_EQ(pragma("cell_size_check"), "1");
    EXPECT_EQ(pragma("mmap_size"), "0");
    EXPECT_EQ(pragma("page_size"), "4096");
    EXPECT_EQ(pragma("application_id"), std::to_string(Database::kApplicationId));
    EXPECT_THROW(connection.exec("ATTACH ':memory:' AS other"), SQLite::Exception);
    EXPECT_THROW(connection.exec("PRAGMA writable_schema = ON; DELETE FROM sqlite_schema"),
                 SQLite::Exception);
    return {};
  }));
}

}  // namespace
}  // namespace paluku
