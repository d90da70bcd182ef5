#include "tests/app/app_test_util.h"

#include <gtest/gtest.h>

#include <QCoreApplication>
#include <QGuiApplication>
#include <QLocale>
#include <QTest>
#include <ostream>

namespace paluku {
namespace {

class ApplicationEnvironment : public testing::Environment {
 public:
  void SetUp() override {
    qputenv("QT_QPA_PLATFORM", "offscreen");
    static int argc = 1;
    static char name[] = "app_test";
    static char* argv[] = {name, nullptr};
    application_ = std::make_unique<QGuiApplication>(argc, argv);
    QLocale::setDefault(QLocale(QLocale::English, QLocale::UnitedStates));
  }
  void TearDown() override { application_.reset(); }

 private:
  std::unique_ptr<QGuiApplication> application_;
};

}  // namespace

void PrintTo(const QString& text, std::ostream* stream) {
  *stream << '"' << text.toStdString() << '"';
}

TestStorage::TestStorage() {
  // Here, because every test of a view model has one; the application is gtest's to end.
  open();
}

void TestStorage::open(StorageAccess access) {
  storage_.reset();
  StorageOptions options;
  options.data_dir = folder_.path().toStdString();
  options.access = access;
  auto storage = Storage::Open(options);
  if (!storage) {
    ADD_FAILURE() << storage.error().Message();
    std::abort();
  }
  storage_ = std::move(*storage);
}

void TestStorage::settle() {
  // A result may lead to another job: three rounds are more than any view model makes.
  for (int round = 0; round < 3; ++round) {
    storage_->Run([](Stores&) { return 0; }).get();
    QCoreApplication::processEvents();
  }
}

bool waitUntil(const std::function<bool()>& done) { return QTest::qWaitFor(done, 5000); }

}  // namespace paluku

// Registered before main() runs: a static object of this file, which every test links.
[[maybe_unused]] static testing::Environment* const kApplication =
    testing::AddGlobalTestEnvironment(new paluku::ApplicationEnvironment);
