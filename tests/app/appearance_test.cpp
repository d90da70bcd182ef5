// What the person wishes wins; what they leave open comes from the desktop.
#include "app/platform/appearance.h"

#include <gtest/gtest.h>

#include <QElapsedTimer>

#include "tests/app/app_test_util.h"

namespace paluku {
namespace {

const QString kGroup = QStringLiteral("org.freedesktop.appearance");

TEST(Appearance, FollowsTheDesktop) {
  Appearance appearance;
  QSignalSpy changed(&appearance, &Appearance::changed);
  appearance.applySystemValue(kGroup, u"color-scheme"_qs, 1U);
  EXPECT_TRUE(appearance.dark());
  appearance.applySystemValue(kGroup, u"color-scheme"_qs, 2U);
  EXPECT_FALSE(appearance.dark());
  appearance.applySystemValue(kGroup, u"contrast"_qs, 1U);
  EXPECT_TRUE(appearance.highContrast());
  EXPECT_EQ(changed.count(), 3);
  appearance.applySystemValue(kGroup, u"contrast"_qs, 1U);
  appearance.applySystemValue(kGroup, u"accent-color"_qs, 5U);
  EXPECT_EQ(changed.count(), 3);
}

TEST(Appearance, TheWishOfThePersonWins) {
  Appearance appearance;
  appearance.applySystemValue(kGroup, u"color-scheme"_qs, 1U);
  appearance.setWishes({.look = Appearance::Look::Light});
  EXPECT_FALSE(appearance.dark());
  appearance.setWishes({.look = Appearance::Look::Dark});
  EXPECT_TRUE(appearance.dark());
  appearance.setWishes({});
  EXPECT_TRUE(appearance.dark()) << "back to the desktop's";
}

TEST(Appearance, EitherWayOfReducingMotionCounts) {
  Appearance appearance;
  EXPECT_FALSE(appearance.reducedMotion());
  appearance.applySystemValue(u"org.gnome.desktop.interface"_qs, u"enable-animations"_qs, false);
  EXPECT_TRUE(appearance.reducedMotion());
  appearance.applySystemValue(kGroup, u"reduced-motion"_qs, 0U);
  EXPECT_TRUE(appearance.reducedMotion());
  appearance.applySystemValue(u"org.gnome.desktop.interface"_qs, u"enable-animations"_qs, true);
  EXPECT_FALSE(appearance.reducedMotion());
}

TEST(Appearance, TextScaleHasBounds) {
  Appearance appearance;
  appearance.setWishes({.textScale = 9});
  EXPECT_DOUBLE_EQ(appearance.textScale(), 1.6);
  appearance.setWishes({.textScale = 0.1});
  EXPECT_DOUBLE_EQ(appearance.textScale(), 0.85);
}

TEST(Appearance, AMissingPortalDelaysNothing) {
  Appearance appearance;
  QElapsedTimer timer;
  timer.start();
  appearance.readSystem(200);
  EXPECT_LT(timer.elapsed(), 5000) << "a portal that never answers would hold the window for ever";
}

}  // namespace
}  // namespace paluku
