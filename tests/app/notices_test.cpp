// Banner and toast, one of each.
#include "app/notices.h"

#include <gtest/gtest.h>

#include "tests/app/app_test_util.h"

namespace paluku {
namespace {

const Error kFull{.code = ErrorCode::kDiskFull, .subject = "paluku.db", .detail = {}};

TEST(Notices, ABannerStaysUntilItsCauseIsGone) {
  Notices notices;
  notices.showProblem(kFull);
  EXPECT_EQ(notices.bannerText(), u"The disk is full: “paluku.db” could not be written."_qs);
  EXPECT_EQ(notices.bannerKind(), Notices::Problem);
  notices.clearProblem(ErrorCode::kIo);
  EXPECT_FALSE(notices.bannerText().isEmpty());
  notices.clearProblem(ErrorCode::kDiskFull);
  EXPECT_TRUE(notices.bannerText().isEmpty());
}

TEST(Notices, AFailedCardOffersARestart) {
  Notices notices;
  QSignalSpy restart(&notices, &Notices::restartWanted);
  notices.showProblem({.code = ErrorCode::kIo, .subject = "a", .detail = "b"});
  EXPECT_EQ(notices.bannerAction(), QString());
  notices.act();
  EXPECT_EQ(restart.count(), 0);
  notices.showProblem({.code = ErrorCode::kDeviceFailed, .subject = "RTX", .detail = "gone"});
  EXPECT_EQ(
      notices.bannerText(),
      u"The device “RTX” failed: gone. The processor computes until Paluku is started again."_qs);
  EXPECT_EQ(notices.bannerAction(), u"Restart Paluku"_qs);
  notices.act();
  EXPECT_EQ(restart.count(), 1);
  EXPECT_EQ(notices.bannerText(), QString());
}

TEST(Notices, ANewerDatabaseIsNoHarm) {
  Notices notices;
  notices.showProblem({.code = ErrorCode::kNewerSchema, .subject = "x", .detail = "9"});
  EXPECT_EQ(notices.bannerKind(), Notices::Information);
}

TEST(Notices, UndoRunsOnceAndStaysPossibleAfterTheToast) {
  Notices notices;
  int undone = 0;
  notices.showToast(u"deleted"_qs, [&undone] { ++undone; });
  EXPECT_TRUE(notices.toastHasUndo());
  notices.dismissToast();
  EXPECT_TRUE(notices.toastText().isEmpty());
  EXPECT_TRUE(notices.canUndo());
  notices.undo();
  notices.undo();
  EXPECT_EQ(undone, 1);
  EXPECT_FALSE(notices.canUndo());
}

TEST(Notices, AnUndoMayShowAToastOfItsOwn) {
  Notices notices;
  notices.showToast(u"one"_qs, [&notices] { notices.showToast(u"two"_qs); });
  notices.undo();
  EXPECT_EQ(notices.toastText(), u"two"_qs);
}

TEST(Notices, TheNextToastTakesThePlace) {
  Notices notices;
  bool undone = false;
  notices.showToast(u"one"_qs, [&undone] { undone = true; });
  notices.showToast(u"two"_qs);
  EXPECT_EQ(notices.toastText(), u"two"_qs);
  EXPECT_FALSE(notices.toastHasUndo());
  notices.undo();
  EXPECT_FALSE(undone);
}

}  // namespace
}  // namespace paluku
