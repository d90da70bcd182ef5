// Damaged databases: set aside untouched, everything on sound pages saved, work goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "storage/page_reader.h"
#include "tests/storage/reply_text.h"
#include "tests/storage/storage_test_util.h"

namespace paluku {
namespace {

constexpr int kConversations = 12;
constexpr int kTurns = 10;  // each
constexpr std::size_t kMessages = 2 * kConversations * kTurns;
constexpr std::size_t kPage = PageReader::kPageSize;

std::string Question(int conversation, int turn) { return UserText(100 * conversation + turn); }

// Some answers are short, some stand on several overflow pages.
std::string Answer(int conversation, int turn) {
  return ReplyText("answer " + std::to_string(100 * conversation + turn),
                   turn % 3 == 0 ? 9000 : 200);
}

Status FillConversation(Stores& stores, int c) {
  PALUKU_ASSIGN_OR_RETURN(const auto conversation,
                          stores.conversations.Create({.title = "title " + std::to_string(c)}));
  std::string leaf;
  for (int t = 0; t < kTurns; ++t) {
    PALUKU_ASSIGN_OR_RETURN(
        const Turn turn,
        stores.conversations.BeginTurn(
            {.conversation = conversation.id, .parent = leaf, .text = Question(c, t)}));
    PALUKU_TRY(stores.conversations.Finish(turn.reply.id, {.text = Answer(c, t)}));
    leaf = turn.reply.id;
  }
  return {};
}

// The files of a filled database, made once: closed (all in the database) and open (a log too).
struct Sample {
  std::string database;       // closed
  std::string open_database;  // with the log below
  std::string log;

  Sample() {
    TempDir dir;
    auto storage = MustOpen(dir / "data");
    for (int c = 0; c < kConversations; ++c) {
      Must(Do(*storage, [c](Stores& stores) { return FillConversation(stores, c); }));
    }
    Must(Do(*storage, [](Stores& s) { return s.settings.Set("threads", "2"); }));
    open_database = ReadBytes(dir / "data/paluku.db");
    log = ReadBytes(dir / "data/paluku.db-wal");
    storage.reset();
    database = ReadBytes(dir / "data/paluku.db");
  }
};
const Sample& TheSample() {
  static const Sample sample;
  return sample;
}

class SalvageTest : public testing::Test {
 protected:
  struct Found {
    std::size_t intact = 0;  // messages with their own text
    std::size_t titles = 0;
    bool threads = false;
    std::vector<Error> notices;
    bool writable = false;
  };

  // Opens a data directory with these files and counts what is in it.
  Found OpenDamaged(const std::string& database, const std::string& log = {}) {
    dir_ = std::make_unique<TempDir>();
    std::filesystem::create_directory(data_dir());
    if (database != kNoFile) WriteBytes(path(), database);
    if (!log.empty()) WriteBytes(path() + "-wal", log);
    StorageOptions options;
    options.data_dir = data_dir();
    auto storage = Storage::Open(options);
    Found found;
    EXPECT_TRUE(storage.has_value()) << storage.error().Message();
    if (!storage) return found;
    found.notices = (*storage)->notices();
    found.writable = (*storage)->writable().has_value();
    Count(**storage, found);
    return found;
  }

  void Count(Storage& storage, Found& found) {
    std::vector<std::string> expected;
    for (int c = 0; c < kConversations; ++c) {
      for (int t = 0; t < kTurns; ++t) {
        expected.push_back(Question(c, t));
        expected.push_back(Answer(c, t));
      }
    }
    std::sort(expected.begin(), expected.end());
    const auto list = Must(Do(storage, [](Stores& s) { return s.conversations.List(); }));
    for (const auto& conversation : list) {
      found.titles += conversation.title.starts_with("title ") ? 1 : 0;
      for (const auto& message : Must(
               Do(storage, [&](Stores& s) { return s.conversations.Messages(conversation.id); }))) {
        found.intact += std::binary_search(expected.begin(), expected.end(), message.text) ? 1 : 0;
        // The tree holds together: every branch can be shown.
        EXPECT_TRUE(
            Do(storage, [&](Stores& s) { return s.conversations.Path(message.id); }).has_value());
      }
    }
    const auto threads = Do(storage, [](Stores& s) { return s.settings.Get("threads"); });
    found.threads = threads && *threads == "2";
  }

  // The damaged bytes are kept, and the database at the old place is sound and takes writing.
  void ExpectRepaired(const Found& found, const std::string& damaged) {
    ASSERT_EQ(found.notices.size(), 1U);
    EXPECT_EQ(found.notices[0].code, ErrorCode::kDatabaseDamaged);
    if (damaged != kNoFile) {
      EXPECT_TRUE(ReadBytes(found.notices[0].detail) == damaged);
    }
    EXPECT_EQ(IntegrityCheck(path()), "ok");
    const auto storage = MustOpen(data_dir());
    EXPECT_TRUE(storage->notices().empty());
    Must(Do(*storage, [](Stores& s) { return s.conversations.Create({.title = "after"}); }));
  }

  std::string data_dir() const { return *dir_ / "data"; }
  std::string path() const { return data_dir() + "/paluku.db"; }

  static constexpr const char* kNoFile = "(no file)";
  std::unique_ptr<TempDir> dir_;
};

TEST_F(SalvageTest, ASoundDatabaseIsLeftAlone) {
  const Found found = OpenDamaged(TheSample().database);
  EXPECT_TRUE(found.notices.empty());
  EXPECT_EQ(found.intact, kMessages);
  EXPECT_EQ(found.titles, static_cast<std::size_t>(kConversations));
}

TEST_F(SalvageTest, JunkInPlaceOfTheHeaderCostsNothing) {
  std::string damaged = TheSample().database;
  damaged.replace(0, 100, std::string(100, 'J'));
  const Found found = OpenDamaged(damaged);
  EXPECT_EQ(found.intact, kMessages);
  EXPECT_EQ(found.titles, static_cast<std::size_t>(kConversations));
  EXPECT_TRUE(found.threads);
  ExpectRepaired(found, damaged);
}

TEST_F(SalvageTest, ALostFirstPageCostsNothing) {
  std::string damaged = TheSample().database;
  damaged.replace(0, kPage, std::string(kPage, '\0'));
  const Found found = OpenDamaged(damaged);
  EXPECT_EQ(found.intact, kMessages);
  EXPECT_EQ(found.titles, static_cast<std::size_t>(kConversations));
  ExpectRepaired(found, damaged);
}

TEST_F(SalvageTest, WithoutTheDatabaseItsLogIsEnough) {
  const Sample& sample = TheSample();
  for (const std::string& database : {std::string(kNoFile), std::string()}) {
    const Found found = OpenDamaged(database, sample.log);
    // The log was never checkpointed in this sample, or only its newest part is in it.
    ASSERT_EQ(found.notices.size(), 1U);
    EXPECT_EQ(found.notices[0].code, ErrorCode::kDatabaseDamaged);
    EXPECT_GT(found.intact, 0U);
    EXPECT_TRUE(ReadBytes(found.notices[0].detail + "-wal") == sample.log);
    ExpectRepaired(found, database);
  }
}

TEST_F(SalvageTest, TheLogCountsWhenTheDatabaseIsDamaged) {
  const Sample& sample = TheSample();
  std::string damaged = sample.open_database;
  damaged.replace(0, 100, std::string(100, 'J'));
  const Found found = OpenDamaged(damaged, sample.log);
  EXPECT_EQ(found.intact, kMessages);
  EXPECT_EQ(found.titles, static_cast<std::size_t>(kConversations));
  EXPECT_TRUE(found.threads);
}

TEST_F(SalvageTest, AForeignFileIsSetAside) {
  for (const std::string& junk :
       {std::string("hello"), std::string(5000, '\0'), std::string(100000, '\xff')}) {
    const Found found = OpenDamaged(junk);
    EXPECT_EQ(found.intact, 0U);
    ExpectRepaired(found, junk);
  }
}

TEST_F(SalvageTest, TwoDamagesAreKeptUnderTwoNames) {
  OpenDamaged("junk one");
  WriteBytes(path(), "junk two");
  MustOpen(data_dir()).reset();
  EXPECT_EQ(FilesWithPrefix(data_dir(), "paluku.db.damaged-").size(), 2U);
}

// A zeroed page costs at most the rows that stood on it.
TEST_F(SalvageTest, EveryZeroedPageCostsOnlyItsOwnRows) {
  const std::string& whole = TheSample().database;
  std::size_t intact = 0;
  std::size_t runs = 0;
  for (std::size_t page = 0; page < whole.size() / kPage; ++page, ++runs) {
    SCOPED_TRACE("page " + std::to_string(page + 1));
    std::string damaged = whole;
    damaged.replace(page * kPage, kPage, std::string(kPage, '\0'));
    const Found found = OpenDamaged(damaged);
    EXPECT_GE(found.intact, kMessages - 30);  // the most that one leaf of this sample holds
    intact += found.intact;
    ASSERT_TRUE(found.writable);
    if (HasFailure()) break;
  }
  // Over all pages, the loss is one page's share: every row stands on one page, long ones on three.
  EXPECT_GT(static_cast<double>(intact) / static_cast<double>(kMessages * runs), 0.97);
}

TEST_F(SalvageTest, TruncationCostsOnlyWhatWasCutOff) {
  const std::string& whole = TheSample().database;
  std::mt19937 random(7);
  for (int i = 0; i < 60; ++i) {
    const std::size_t size = 1 + random() % (whole.size() - 1);
    SCOPED_TRACE("cut at " + std::to_string(size));
    const std::string damaged = whole.substr(0, size);
    const Found found = OpenDamaged(damaged);
    // Messages were written one after the other, so the part of them kept is the part of the file
    // kept, less the pages of tables and indexes mixed among them.
    const double kept = static_cast<double>(size) / static_cast<double>(whole.size());
    EXPECT_GE(static_cast<double>(found.intact), kept * kMessages - 40.0);
    ExpectRepaired(found, damaged);
    if (HasFailure()) break;
  }
}

// integrity_check does not see a changed letter (sealing will); whatever it sees or not, one bit
// costs at most one page, and opening never fails.
TEST_F(SalvageTest, AFlippedBitNeverCostsMoreThanAPage) {
  const std::string& whole = TheSample().database;
  std::mt19937 random(11);
  int repaired = 0;
  for (int i = 0; i < 200; ++i) {
    // Half of them in the first page, where the header and the schema are.
    const std::size_t byte = i % 2 == 0 ? random() % kPage : random() % whole.size();
    const unsigned bit = random() % 8;
    SCOPED_TRACE("byte " + std::to_string(byte) + " bit " + std::to_string(bit));
    std::string damaged = whole;
    damaged[byte] = static_cast<char>(static_cast<unsigned char>(damaged[byte]) ^ (1U << bit));
    const Found found = OpenDamaged(damaged);
    EXPECT_GE(found.intact, kMessages - 30);
    if (!found.notices.empty() && found.notices[0].code == ErrorCode::kDatabaseDamaged) {
      ++repaired;
      ExpectRepaired(found, damaged);
    }
    if (HasFailure()) break;
  }
  EXPECT_GT(repaired, 0);
}

TEST_F(SalvageTest, ManyFlippedBitsDoNotStopIt) {
  const std::string& whole = TheSample().database;
  std::mt19937 random(13);
  for (int i = 0; i < 30; ++i) {
    std::string damaged = whole;
    for (int flip = 0; flip < 2000; ++flip) {
      const std::size_t byte = random() % whole.size();
      damaged[byte] = static_cast<char>(random());
    }
    const Found found = OpenDamaged(damaged);
    ExpectRepaired(found, damaged);
    if (HasFailure()) break;
  }
}

// The last step of a salvage was cut: the new database is complete, the old one has moved.
TEST_F(SalvageTest, ASalvageCutShortIsFinished) {
  OpenDamaged(TheSample().database);
  std::filesystem::rename(path(), path() + ".salvaged");
  WriteBytes(path() + ".damaged-20261123T000000Z", "the damaged one");
  const auto storage = MustOpen(data_dir());
  Found found;
  Count(*storage, found);
  EXPECT_EQ(found.intact, kMessages);
  EXPECT_EQ(ReadBytes(path() + ".damaged-20261123T000000Z"), "the damaged one");
  EXPECT_THAT(FilesWithPrefix(data_dir(), "paluku.db.salvag"), testing::IsEmpty());
}

// Damage met in the middle of work: an error now, a repair at the next start.
TEST_F(SalvageTest, DamageMetAtWorkIsRepairedAtTheNextStart) {
  OpenDamaged(TheSample().database);
  {
    const auto storage = MustOpen(data_dir());
    std::string damaged = TheSample().database;
    // Everything but the first pages, so that the open connection meets it when it reads on.
    for (std::size_t at = 2 * kPage; at < damaged.size(); at += kPage) damaged[at] = '\x7f';
    WriteBytes(path(), damaged);
    const auto list = Do(*storage, [](Stores& s) { return s.conversations.List(); });
    ASSERT_FALSE(list.has_value());
    EXPECT_EQ(list.error().code, ErrorCode::kIo);
  }
  EXPECT_TRUE(std::filesystem::exists(path() + ".check"));
  const auto storage = MustOpen(data_dir());
  ASSERT_EQ(storage->notices().size(), 1U);
  EXPECT_EQ(storage->notices()[0].code, ErrorCode::kDatabaseDamaged);
  EXPECT_FALSE(std::filesystem::exists(path() + ".check"));
}

}  // namespace
}  // namespace paluku
