// What the tests of the view models share. The QGuiApplication is made before the first test and
// lives in the offscreen platform; every storage is a real one in a folder of its own.
#pragma once

#include <QSignalSpy>
#include <QString>
#include <QTemporaryDir>
#include <functional>
#include <memory>

#include "storage/storage.h"

namespace paluku {

// gtest prints QStrings as words.
void PrintTo(const QString& text, std::ostream* stream);

// A storage in a temporary folder. Declare it before the view models, and end it first: the fixture
// calls close() in its destructor, as main.cpp does.
class TestStorage {
 public:
  TestStorage();

  Storage& operator*() { return *storage_; }
  Storage* operator->() { return storage_.get(); }
  // Lets all jobs run, then closes; open() opens it again.
  void close() { storage_.reset(); }
  void open(StorageAccess access = StorageAccess::kWrite);
  QString folder() const { return folder_.path(); }

  // Runs the job and waits for it.
  template <class Job>
  auto run(Job job) {
    return storage_->Run(std::move(job)).get();
  }
  // Waits until the jobs given so far have run and their results have reached the view models.
  void settle();

 private:
  QTemporaryDir folder_;
  std::unique_ptr<Storage> storage_;
};

// Runs the event loop until `done` or for five seconds; whether it was done.
bool waitUntil(const std::function<bool()>& done);

}  // namespace paluku

// For gtest, which looks for printers in the namespace of the type.
inline void PrintTo(const QString& text, std::ostream* stream) { paluku::PrintTo(text, stream); }
