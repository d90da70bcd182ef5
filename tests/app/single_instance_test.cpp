// A second start hands its files to the first.
#include "app/platform/single_instance.h"

#include <gtest/gtest.h>

#include <QTemporaryDir>

#include "tests/app/app_test_util.h"

namespace paluku {
namespace {

TEST(SingleInstance, TheFirstAnswersTheSecond) {
  const QTemporaryDir folder;
  SingleInstance first(folder.path());
  EXPECT_FALSE(first.askFirst({})) << "nobody is there yet";
  first.listen();
  QSignalSpy asked(&first, &SingleInstance::asked);
  SingleInstance second(folder.path());
  EXPECT_TRUE(second.askFirst({u"/models/తెలుగు.gguf"_qs}));
  ASSERT_TRUE(waitUntil([&asked] { return asked.count() == 1; }));
  EXPECT_EQ(asked[0][0].toStringList(), QStringList{u"/models/తెలుగు.gguf"_qs});
}

TEST(SingleInstance, OtherDataIsAnotherPaluku) {
  const QTemporaryDir folder;
  const QTemporaryDir other;
  SingleInstance first(folder.path());
  first.listen();
  SingleInstance second(other.path());
  EXPECT_FALSE(second.askFirst({}));
}

}  // namespace
}  // namespace paluku
