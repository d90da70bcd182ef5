// The plain settings file, and the places Paluku uses.
#include "storage/plain_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>

#include "storage/paths.h"
#include "tests/storage/storage_test_util.h"

namespace paluku {
namespace {

using testing::ElementsAre;

TEST(PlainSettings, KeepsWhatWasSet) {
  TempDir dir;
  PlainSettings settings = Must(PlainSettings::Load(dir / "settings.json"));
  EXPECT_EQ(settings.Get("language"), "");
  EXPECT_EQ(settings.Get("theme", "system"), "system");
  settings.Set("language", "te");
  settings.Set("odd \"key\"\n", "తెలుగు \\ \"");
  Must(settings.Save());
  const PlainSettings again = Must(PlainSettings::Load(dir / "settings.json"));
  EXPECT_EQ(again.Get("language", "en"), "te");
  EXPECT_EQ(again.Get("odd \"key\"\n"), "తెలుగు \\ \"");
  EXPECT_THAT(FileNames(dir.path()), ElementsAre("settings.json"));
  struct stat info {};
  stat((dir / "settings.json").c_str(), &info);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST(PlainSettings, KeysOfANewerVersionAreKept) {
  TempDir dir;
  WriteBytes(dir / "s.json", R"({"language": "en", "from.the.future": "7"})");
  PlainSettings settings = Must(PlainSettings::Load(dir / "s.json"));
  settings.Set("language", "te");
  Must(settings.Save());
  EXPECT_EQ(Must(PlainSettings::Load(dir / "s.json")).Get("from.the.future"), "7");
}

TEST(PlainSettings, ADamagedFileIsSetAside) {
  for (const std::string& bytes : {std::string(), std::string("{\"language\": \"t"),
                                   std::string("[1]"), std::string("{\"language\": 7}"),
                                   std::string(3000000, '['), std::string("\xff\0\xfe", 3)}) {
    TempDir dir;
    WriteBytes(dir / "s.json", bytes);
    PlainSettings settings = Must(PlainSettings::Load(dir / "s.json"));
    EXPECT_EQ(settings.Get("language", "en"), "en");
    EXPECT_THAT(FileNames(dir.path()), ElementsAre("s.json.damaged"));
    EXPECT_TRUE(ReadBytes(dir / "s.json.damaged") == bytes);
    settings.Set("language", "te");
    Must(settings.Save());
    EXPECT_EQ(Must(PlainSettings::Load(dir / "s.json")).Get("language"), "te");
  }
}

TEST(PlainSettings, AFailedSaveKeepsTheOldFile) {
  TempDir dir;
  PlainSettings settings = Must(PlainSettings::Load(dir / "s.json"));
  settings.Set("language", "te");
  Must(settings.Save());
  const std::string before = ReadBytes(dir / "s.json");
  settings.Set("theme", std::string(10000, 'x'));

  // No file of this process may grow beyond 4,000 bytes: the write ends in the middle.
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{4000, old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const Status saved = settings.Save();
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, old_handler);

  ASSERT_FALSE(saved.has_value());
  EXPECT_EQ(saved.error().subject, dir / "s.json");
  EXPECT_TRUE(ReadBytes(dir / "s.json") == before);
  EXPECT_THAT(FileNames(dir.path()), ElementsAre("s.json"));
  Must(settings.Save());
  EXPECT_EQ(Must(PlainSettings::Load(dir / "s.json")).Get("theme").size(), 10000U);
}

// A program killed between its steps leaves the old file, the new one, and perhaps a temporary one.
TEST(PlainSettings, ALeftTemporaryFileDoesNoHarm) {
  TempDir dir;
  WriteBytes(dir / "s.json", R"({"language": "te"})");
  WriteBytes(dir / "s.json.new", R"({"langu)");
  PlainSettings settings = Must(PlainSettings::Load(dir / "s.json"));
  EXPECT_EQ(settings.Get("language"), "te");
  Must(settings.Save());
  EXPECT_THAT(FileNames(dir.path()), ElementsAre("s.json"));
}

TEST(PlainSettings, ADirectoryInItsPlaceIsAnError) {
  TempDir dir;
  mkdir((dir / "s.json").c_str(), 0700);
  EXPECT_FALSE(PlainSettings::Load(dir / "s.json").has_value());
}

class PathsTest : public testing::Test {
 protected:
  void SetUp() override {
    setenv("HOME", "/home/someone", 1);
    for (const char* name :
         {"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"}) {
      unsetenv(name);
    }
  }
};

TEST_F(PathsTest, AreBelowHomeByDefault) {
  const Paths paths = Must(ResolvePaths());
  EXPECT_EQ(paths.config, "/home/someone/.config/paluku");
  EXPECT_EQ(paths.data, "/home/someone/.local/share/paluku");
  EXPECT_EQ(paths.cache, "/home/someone/.cache/paluku");
  EXPECT_EQ(paths.state, "/home/someone/.local/state/paluku");
}

TEST_F(PathsTest, FollowTheVariablesThatAreAbsolute) {
  setenv("XDG_DATA_HOME", "/elsewhere/", 1);
  setenv("XDG_CACHE_HOME", "relative", 1);
  setenv("XDG_STATE_HOME", "", 1);
  const Paths paths = Must(ResolvePaths());
  EXPECT_EQ(paths.data, "/elsewhere/paluku");
  EXPECT_EQ(paths.cache, "/home/someone/.cache/paluku");
  EXPECT_EQ(paths.state, "/home/someone/.local/state/paluku");
}

TEST_F(PathsTest, ADataDirectoryHoldsEverything) {
  const Paths paths = Must(ResolvePaths("/d/"));
  EXPECT_EQ(paths.config, "/d/config");
  EXPECT_EQ(paths.data, "/d/data");
  EXPECT_EQ(paths.cache, "/d/cache");
  EXPECT_EQ(paths.state, "/d/state");
  EXPECT_EQ(Must(ResolvePaths("here")).data.substr(0, 1), "/");
  EXPECT_TRUE(Must(ResolvePaths("here")).data.ends_with("/here/data"));
}

TEST_F(PathsTest, AreCreatedPrivate) {
  TempDir dir;
  const Paths paths = Must(ResolvePaths(dir / "deep/place"));
  Must(CreatePaths(paths));
  Must(CreatePaths(paths));
  for (const std::string& path : {paths.config, paths.data, paths.cache, paths.state}) {
    struct stat info {};
    ASSERT_EQ(stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700U) << path;
  }
}

}  // namespace
}  // namespace paluku
