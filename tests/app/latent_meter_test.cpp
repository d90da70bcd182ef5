// The meter tells the figures of interface.md 1 for DeepSeek-V2-Lite.
#include "app/chat/latent_meter.h"

#include <gtest/gtest.h>

#include <QLocale>

#include "tests/app/app_test_util.h"

namespace paluku {
namespace {

// 27 layers, 16 heads, 16-bit: 27*16*(128+64+128)*2 against 27*(512+64)*2 bytes a token.
constexpr std::int64_t kOrdinary = 27 * 16 * (128 + 64 + 128) * 2;
constexpr std::int64_t kLatent = 27 * (512 + 64) * 2;
static_assert(kOrdinary == 276'480 && kLatent == 31'104);

LatentMeter::Figures figures(std::int64_t used) {
  return {.usedTokens = used,
          .limitTokens = 32'768,
          .latentBytesPerToken = kLatent,
          .ordinaryBytesPerToken = kOrdinary,
          .words = 0};
}

TEST(LatentMeter, TellsWhatTheReferenceTells) {
  LatentMeter meter;
  meter.setFigures(figures(6214));
  EXPECT_TRUE(meter.visible());
  EXPECT_EQ(meter.tokensText(), u"6,214 of 32,768 tokens"_qs);
  EXPECT_EQ(meter.tokensShort(), u"6,214 / 32,768"_qs);
  EXPECT_EQ(meter.savingText(), u"184 MiB instead of 1.60 GiB"_qs);
  EXPECT_EQ(meter.accessibleText(), u"Context: 6,214 of 32,768 tokens, 184 MiB"_qs);
  EXPECT_EQ(meter.level(), LatentMeter::Calm);
  EXPECT_TRUE(meter.nearText().isEmpty());
}

TEST(LatentMeter, TheSliverIsInTheProportionThatTheTextClaims) {
  LatentMeter meter;
  meter.setFigures(figures(16'384));
  EXPECT_DOUBLE_EQ(meter.contextFraction(), 0.5);
  EXPECT_DOUBLE_EQ(meter.latentFraction() / meter.contextFraction(), double(kLatent) / kOrdinary);
}

TEST(LatentMeter, LevelsNearTheLimit) {
  LatentMeter meter;
  meter.setFigures(figures(27'852));  // just under 85 %
  EXPECT_EQ(meter.level(), LatentMeter::Calm);
  meter.setFigures(figures(28'600));
  EXPECT_EQ(meter.level(), LatentMeter::Near);
  EXPECT_EQ(meter.nearText(), u"Context 87 % full"_qs);
  meter.setFigures(figures(32'768));
  EXPECT_EQ(meter.level(), LatentMeter::Full);
  EXPECT_EQ(meter.contextFraction(), 1.0);
}

TEST(LatentMeter, InventsNothing) {
  LatentMeter meter;
  EXPECT_FALSE(meter.visible()) << "no model";
  LatentMeter::Figures plain = figures(100);
  plain.latentBytesPerToken = 0;
  meter.setFigures(plain);
  EXPECT_FALSE(meter.visible()) << "a model without a latent cache";
  EXPECT_EQ(meter.latentFraction(), 0);
  meter.setFigures(figures(0));
  EXPECT_TRUE(meter.savingText().isEmpty()) << "no zeros";
  EXPECT_TRUE(meter.roomText().isEmpty());
}

TEST(LatentMeter, RoomIsByTheConversationsOwnRatio) {
  LatentMeter meter;
  LatentMeter::Figures known = figures(2768);
  known.words = 1384;  // two tokens a word, as Telugu has
  meter.setFigures(known);
  EXPECT_TRUE(meter.roomText().contains(u"15000"_qs)) << meter.roomText().toStdString();
}

TEST(LatentMeter, TeluguGroupsByTwo) {
  const QLocale before;
  QLocale::setDefault(QLocale(QLocale::Telugu, QLocale::India));
  LatentMeter meter;
  LatentMeter::Figures large = figures(1'234'567);
  large.limitTokens = 10'000'000;
  meter.setFigures(large);
  EXPECT_EQ(meter.tokensShort(), u"12,34,567 / 1,00,00,000"_qs);
  QLocale::setDefault(before);
}

TEST(LatentMeter, SaysOnlyWhatChanged) {
  LatentMeter meter;
  QSignalSpy changed(&meter, &LatentMeter::changed);
  meter.setFigures(figures(5));
  meter.setFigures(figures(5));
  EXPECT_EQ(changed.count(), 1);
}

}  // namespace
}  // namespace paluku
