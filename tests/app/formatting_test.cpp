// Figures in both languages, and the switch between them.
#include "app/platform/formatting.h"

#include <gtest/gtest.h>

#include <QCoreApplication>
#include <QLocale>

#include "app/error_text.h"
#include "app/platform/language.h"
#include "tests/app/app_test_util.h"

namespace paluku {
namespace {

class FormattingTest : public testing::Test {
 protected:
  ~FormattingTest() override { QLocale::setDefault(before_); }
  const QLocale before_;
};

TEST_F(FormattingTest, MemoryHasThreeDigits) {
  EXPECT_EQ(formatMemory(193'280'256), u"184 MiB"_qs);
  EXPECT_EQ(formatMemory(1'718'046'720), u"1.60 GiB"_qs);
  EXPECT_EQ(formatMemory(31'104), u"30.4 KiB"_qs);
  EXPECT_EQ(formatMemory(0), u"0 KiB"_qs);
  EXPECT_EQ(formatMemory(1023 * 1024 * 1024LL), u"1.00 GiB"_qs);
}

TEST_F(FormattingTest, FilesAreDecimal) {
  EXPECT_EQ(formatFileSize(10'360'000'000), u"10.4 GB"_qs);
  EXPECT_EQ(formatFileSize(24'400'000), u"24 MB"_qs);
  EXPECT_EQ(formatFileSize(999'600'000), u"1.0 GB"_qs);
}

TEST_F(FormattingTest, ParametersAndSpeeds) {
  EXPECT_EQ(formatParameters(15'706'484'224), u"16B"_qs);
  EXPECT_EQ(formatParameters(2'400'000'000), u"2.4B"_qs);
  EXPECT_EQ(formatParameters(5'200'000), u"5.2M"_qs);
  EXPECT_EQ(formatSpeed(18.42), u"18.4 tokens/s"_qs);
  EXPECT_EQ(formatSpeed(1234.4), u"1,234 tokens/s"_qs);
}

TEST_F(FormattingTest, PercentAndTimeNeverPromiseTooMuch) {
  EXPECT_EQ(formatPercent(0.999), u"99"_qs);
  EXPECT_EQ(formatPercent(2), u"100"_qs);
  EXPECT_EQ(formatRemaining(8.2), u"about 9 s"_qs);
  EXPECT_EQ(formatRemaining(0), u"about 1 s"_qs);
  EXPECT_EQ(formatRemaining(61), u"about 2 min"_qs);
}

TEST_F(FormattingTest, ShortNames) {
  EXPECT_EQ(shortModelName(u"DeepSeek-V2-Lite-Chat"_qs), u"V2-Lite"_qs);
  EXPECT_EQ(shortModelName(u"Moonlight-16B-A3B-Instruct"_qs), u"Moonlight-16B-A3B"_qs);
  EXPECT_EQ(shortModelName(u"DeepSeek-"_qs), u"DeepSeek-"_qs);
}

TEST_F(FormattingTest, TeluguGroupsAndKeepsLatinDigits) {
  Language language;
  language.set(u"te"_qs);
  EXPECT_EQ(language.code(), u"te"_qs);
  EXPECT_EQ(formatCount(1'234'567), u"12,34,567"_qs);
  language.set(u"en"_qs);
  EXPECT_EQ(formatCount(1'234'567), u"1,234,567"_qs);
}

TEST_F(FormattingTest, SwitchingTheLanguageSwitchesTheWords) {
  Language language;
  QSignalSpy changed(&language, &Language::changed);
  const Error error{.code = ErrorCode::kNoModel, .subject = {}, .detail = {}};
  language.set(u"en"_qs);
  const QString english = errorText(error);
  language.set(u"te"_qs);
  const QString telugu = errorText(error);
  EXPECT_EQ(changed.count(), 2);
  EXPECT_EQ(english, u"No model is loaded."_qs);
  EXPECT_NE(telugu, english);
  EXPECT_EQ(telugu[0].script(), QChar::Script_Telugu) << telugu.toStdString();
  language.set(u"te"_qs);
  EXPECT_EQ(changed.count(), 2);
  language.set(u"en"_qs);
  EXPECT_EQ(errorText(error), english);
}

TEST_F(FormattingTest, AnUnknownLanguageIsTheSystems) {
  Language language;
  language.set(u"fr"_qs);
  EXPECT_EQ(language.code(), Language::systemCode());
}

}  // namespace
}  // namespace paluku
