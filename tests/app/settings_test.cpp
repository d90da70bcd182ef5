// Settings apply at once, are stored at once, and come back.
#include <gtest/gtest.h>

#include <QFile>

#include "app/settings/settings_controller.h"
#include "tests/app/app_test_util.h"

namespace paluku {
namespace {

class SettingsTest : public testing::Test {
 protected:
  ~SettingsTest() override { storage_.close(); }

  SettingsController* make() {
    auto plain = PlainSettings::Load(plainPath());
    made_.push_back(std::make_unique<SettingsController>(std::move(*plain), u"/data"_qs));
    made_.back()->attach(*storage_);
    storage_.settle();
    return made_.back().get();
  }
  std::string plainPath() const { return storage_.folder().toStdString() + "/settings.json"; }

  std::vector<std::unique_ptr<SettingsController>> made_;  // outlive the storage
  TestStorage storage_;
};

TEST_F(SettingsTest, DefaultsAreThoseOfTheSampler) {
  SettingsController* const settings = make();
  const SamplingParams defaults;
  const SamplingParams params = settings->sampling();
  EXPECT_FLOAT_EQ(params.temperature, defaults.temperature);
  EXPECT_FLOAT_EQ(params.top_p, defaults.top_p);
  EXPECT_EQ(params.top_k, defaults.top_k);
  EXPECT_TRUE(settings->enterSends());
  EXPECT_EQ(settings->textSizePercent(), 100);
  EXPECT_EQ(settings->look(), Appearance::Look::System);
}

TEST_F(SettingsTest, EverythingComesBack) {
  {
    SettingsController* const settings = make();
    settings->setLanguageIndex(2);
    settings->setLook(Appearance::Look::Dark);
    settings->setHighContrast(true);
    settings->setReduceMotion(true);
    settings->setTextSizePercent(130);
    settings->setSidebarWidth(301);
    EXPECT_TRUE(settings->windowSize().isEmpty());
    settings->setWindowSize({900, 700});
    settings->setEnterSends(false);
    settings->setInstruction(u"తెలుగులో చెప్పు"_qs);
    settings->setTemperature(1.25);
    settings->setTopK(40);
    settings->setSeed(u"18446744073709551615"_qs);
    settings->setContextTokens(4096);
    storage_.settle();
  }
  storage_.open();
  SettingsController* const settings = make();
  EXPECT_EQ(settings->language(), u"te"_qs);
  EXPECT_EQ(settings->wishes(), (Appearance::Wishes{Appearance::Look::Dark, true, true, 1.3}));
  EXPECT_EQ(settings->sidebarWidth(), 301);
  EXPECT_EQ(settings->windowSize(), QSize(900, 700));
  EXPECT_FALSE(settings->enterSends());
  EXPECT_EQ(settings->instruction(), u"తెలుగులో చెప్పు"_qs);
  EXPECT_FLOAT_EQ(settings->sampling().temperature, 1.25F);
  EXPECT_EQ(settings->sampling().top_k, 40);
  EXPECT_EQ(settings->sampling().seed, 18446744073709551615ULL);
  EXPECT_EQ(settings->contextTokens(), 4096);
}

TEST_F(SettingsTest, ValuesStayInTheirBounds) {
  SettingsController* const settings = make();
  settings->setTemperature(99);
  EXPECT_DOUBLE_EQ(settings->temperature(), 2);
  settings->setTextSizePercent(1000);
  EXPECT_EQ(settings->textSizePercent(), 160);
  settings->setThreads(100'000);
  EXPECT_EQ(settings->threads(), settings->threadsMax());
  settings->setSeed(u"not a number"_qs);
  EXPECT_EQ(settings->seed(), QString());
  settings->setLanguageIndex(77);
  EXPECT_EQ(settings->languageIndex(), 0);
}

TEST_F(SettingsTest, WithoutASeedEveryAnswerHasItsOwn) {
  SettingsController* const settings = make();
  EXPECT_NE(settings->sampling().seed, settings->sampling().seed);
}

TEST_F(SettingsTest, DefaultsComeBackPerSection) {
  SettingsController* const settings = make();
  settings->setTemperature(2);
  settings->setInstruction(u"x"_qs);
  settings->setTextSizePercent(120);
  settings->restoreDefaults(SettingsController::Answers);
  EXPECT_DOUBLE_EQ(settings->temperature(), 0.6);
  EXPECT_EQ(settings->instruction(), QString());
  EXPECT_EQ(settings->textSizePercent(), 120) << "another section";
  settings->restoreDefaults(SettingsController::Looks);
  EXPECT_EQ(settings->textSizePercent(), 100);
}

TEST_F(SettingsTest, DamagedValuesFallBackToDefaults) {
  storage_.run([](Stores& stores) { return stores.settings.Set("sampling.top_p", "abc"); });
  EXPECT_NEAR(make()->topP(), SamplingParams().top_p, 1e-6);
}

TEST_F(SettingsTest, WhatIsSetBeforeTheStorageIsOpenStays) {
  auto plain = PlainSettings::Load(plainPath());
  SettingsController settings(std::move(*plain), u"/data"_qs);
  settings.setTemperature(1.5);
  settings.attach(*storage_);
  storage_.settle();
  EXPECT_DOUBLE_EQ(settings.temperature(), 1.5);
  const auto stored =
      storage_.run([](Stores& stores) { return stores.settings.Get("sampling.temperature"); });
  EXPECT_EQ(*stored, std::optional<std::string>("1.5"));
  storage_.close();
}

TEST_F(SettingsTest, FailuresAreTold) {
  storage_.open(StorageAccess::kReadOnly);
  SettingsController* const settings = make();
  QSignalSpy failed(settings, &SettingsController::failed);
  settings->setTemperature(1);
  storage_.settle();
  EXPECT_EQ(failed.count(), 1);
}

TEST_F(SettingsTest, TextsAreFormatted) {
  SettingsController* const settings = make();
  settings->setTemperature(0.7);
  EXPECT_EQ(settings->temperatureText(), u"0.70"_qs);
  EXPECT_EQ(settings->topKText(), u"off"_qs);
  settings->setTopK(40);
  EXPECT_EQ(settings->topKText(), u"40"_qs);
  EXPECT_EQ(settings->threadsText(), u"automatic"_qs);
  EXPECT_EQ(settings->languageNames().at(2), u"తెలుగు"_qs);
}

}  // namespace
}  // namespace paluku
