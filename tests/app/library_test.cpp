// The library: what can be used is listed, what cannot says why, and files are never touched.
#include <gtest/gtest.h>

#include <QFile>
#include <QFileInfo>

#include "app/library/library_controller.h"
#include "tests/app/app_test_util.h"
#include "tests/app/fake_host.h"

namespace paluku {
namespace {

const QString kTiny = QStringLiteral(PALUKU_SOURCE_DIR "/tests/data/narrow-q8_0.gguf");

class LibraryTest : public testing::Test {
 protected:
  LibraryTest() {
    QFile::copy(kTiny, starter_);
    QFile::copy(kTiny, own_);
  }
  ~LibraryTest() override { storage_.close(); }

  void attach() {
    library_.attach(*storage_, host_, starter_);
    storage_.settle();
  }
  void add(const QString& path) {
    library_.add(QUrl::fromLocalFile(path));
    storage_.settle();
    storage_.settle();
  }
  QString write(const QString& name, const QByteArray& bytes) {
    const QString path = files_.filePath(name);
    QFile file(path);
    EXPECT_TRUE(file.open(QIODevice::WriteOnly));
    file.write(bytes);
    return path;
  }
  QVariant at(int row, int role) {
    return library_.models()->data(library_.models()->index(row), role);
  }
  int rowOf(const QString& path) {
    for (int row = 0; row < library_.models()->count(); ++row) {
      if (at(row, ModelListModel::PathRole).toString() == path) return row;
    }
    return -1;
  }

  QTemporaryDir files_;
  const QString starter_ = files_.filePath(u"starter.gguf"_qs);
  const QString own_ = files_.filePath(u"own.gguf"_qs);
  TestStorage storage_;
  Notices notices_;
  FakeHost host_{&*storage_};
  LibraryController library_{notices_};
};

TEST_F(LibraryTest, TheStarterIsLoadedAtFirst) {
  attach();
  ASSERT_EQ(library_.models()->count(), 1);
  EXPECT_TRUE(at(0, ModelListModel::StarterRole).toBool());
  EXPECT_TRUE(at(0, ModelListModel::UsableRole).toBool())
      << at(0, ModelListModel::ProblemRole).toString().toStdString();
  EXPECT_TRUE(at(0, ModelListModel::DetailsRole).toString().contains(u"Q8_0"_qs));
  EXPECT_EQ(host_.loaded, QStringList{starter_});
  EXPECT_EQ(library_.currentId(), u"starter"_qs);
  EXPECT_TRUE(library_.loading());
}

TEST_F(LibraryTest, WhatWasAssumedOfAFileIsTold) {
  const QString path = files_.filePath(u"kimi.gguf"_qs);
  QFile::copy(QStringLiteral(PALUKU_SOURCE_DIR "/tests/data/kimi-k2.gguf"), path);
  attach();
  add(path);
  const QStringList notes = at(rowOf(path), ModelListModel::NotesRole).toStringList();
  ASSERT_EQ(notes.size(), 2);
  EXPECT_EQ(notes[0],
            u"The file lacks “deepseek2.rope.scaling.yarn_beta_fast”; 1 (Kimi K2) is assumed."_qs);
}

TEST_F(LibraryTest, AnAddedModelIsListedInPlace) {
  attach();
  host_.makeReady();
  add(own_);
  ASSERT_EQ(library_.models()->count(), 2);
  const int row = rowOf(own_);
  ASSERT_GE(row, 0);
  EXPECT_FALSE(at(row, ModelListModel::InUseRole).toBool()) << "the loaded one stays";
  library_.use(at(row, ModelListModel::ModelIdRole).toString());
  EXPECT_EQ(host_.loaded.last(), own_);
  EXPECT_TRUE(at(rowOf(own_), ModelListModel::InUseRole).toBool());
}

TEST_F(LibraryTest, TheLastUsedModelIsLoadedAtTheNextStart) {
  attach();
  host_.makeReady();
  add(own_);
  library_.use(at(rowOf(own_), ModelListModel::ModelIdRole).toString());
  storage_.settle();
  FakeHost host(&*storage_);
  LibraryController again(notices_);
  again.attach(*storage_, host, starter_);
  storage_.settle();
  EXPECT_EQ(host.loaded, QStringList{own_});
  storage_.close();
}

TEST_F(LibraryTest, AModelThatIsGoneGivesWayToTheStarter) {
  attach();
  host_.makeReady();
  add(own_);
  library_.use(at(rowOf(own_), ModelListModel::ModelIdRole).toString());
  storage_.settle();
  QFile::remove(own_);
  FakeHost host(&*storage_);
  LibraryController again(notices_);
  again.attach(*storage_, host, starter_);
  storage_.settle();
  EXPECT_EQ(host.loaded, QStringList{starter_});
  ASSERT_EQ(again.models()->count(), 2);
  EXPECT_EQ(again.models()->data(again.models()->index(0), ModelListModel::ProblemRole).toString(),
            u"“own.gguf” is not there."_qs);
  storage_.close();
}

TEST_F(LibraryTest, BadFilesGiveOneSentenceAndAreNotListed) {
  attach();
  const std::vector<std::pair<QString, QString>> cases{
      {write(u"empty.gguf"_qs, {}), u"“empty.gguf” is empty."_qs},
      {write(u"text.gguf"_qs, QByteArray(4096, 'x')), u"“text.gguf” is not a GGUF model file."_qs},
      {files_.path(), u"is not a file."_qs},
      {files_.filePath(u"absent.gguf"_qs), u"“absent.gguf” is not there."_qs},
  };
  for (const auto& [path, sentence] : cases) {
    add(path);
    EXPECT_TRUE(library_.problem().endsWith(sentence)) << library_.problem().toStdString();
    EXPECT_EQ(library_.models()->count(), 1);
  }
  QFile whole(own_);
  ASSERT_TRUE(whole.open(QIODevice::ReadOnly));
  add(write(u"cut.gguf"_qs, whole.read(whole.size() / 2)));
  EXPECT_TRUE(library_.problem().contains(u"cut.gguf"_qs));
  library_.dismissProblem();
  EXPECT_TRUE(library_.problem().isEmpty());
}

TEST_F(LibraryTest, RemovingKeepsTheFileAndCanBeUndone) {
  attach();
  host_.makeReady();
  add(own_);
  library_.remove(at(rowOf(own_), ModelListModel::ModelIdRole).toString());
  storage_.settle();
  EXPECT_EQ(library_.models()->count(), 1);
  EXPECT_TRUE(QFileInfo::exists(own_));
  notices_.undo();
  storage_.settle();
  storage_.settle();
  EXPECT_EQ(library_.models()->count(), 2);
}

TEST_F(LibraryTest, TheStarterCannotBeRemoved) {
  attach();
  library_.remove(u"starter"_qs);
  storage_.settle();
  EXPECT_EQ(library_.models()->count(), 1);
}

TEST_F(LibraryTest, AFailedLoadIsToldAndCanBeTriedAgain) {
  attach();
  host_.failModel({.code = ErrorCode::kFileTruncated, .subject = "starter.gguf", .detail = "x"});
  EXPECT_TRUE(library_.problem().contains(u"ends too early"_qs));
  EXPECT_FALSE(library_.loading());
  library_.retry();
  EXPECT_EQ(host_.loaded.size(), 2);
  EXPECT_TRUE(library_.problem().isEmpty());
}

TEST_F(LibraryTest, ProgressIsTold) {
  attach();
  host_.setModel(HostModel::State::kLoading, 0.5);
  EXPECT_DOUBLE_EQ(library_.loadProgress(), 0.5);
  EXPECT_EQ(library_.loadText(), u"Getting the model ready 50 %"_qs);
}

}  // namespace
}  // namespace paluku
