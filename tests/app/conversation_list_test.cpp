// The sidebar: groups, order, rename, delete and its undo.
#include <gtest/gtest.h>

#include <QAbstractItemModelTester>

#include "app/chat/conversation_list_model.h"
#include "tests/app/app_test_util.h"

namespace paluku {
namespace {

class ConversationListTest : public testing::Test {
 protected:
  ~ConversationListTest() override { storage_.close(); }

  QString create(const std::string& title) {
    const auto record = storage_.run([&title](Stores& stores) {
      return stores.conversations.Create({.title = title, .instruction = {}, .model = {}});
    });
    return QString::fromStdString(record->id);
  }
  void attach() {
    list_.attach(*storage_);
    storage_.settle();
  }
  QVariant at(int row, int role) { return list_.data(list_.index(row), role); }
  QString titleAt(int row) { return at(row, ConversationListModel::TitleRole).toString(); }
  QString groupAt(int row) { return at(row, ConversationListModel::GroupRole).toString(); }
  std::string storedTitle(const QString& id) {
    return storage_
        .run([&id](Stores& stores) { return stores.conversations.Get(id.toStdString()); })
        ->title;
  }
  std::int64_t storedCount() {
    return *storage_.run([](Stores& stores) { return stores.conversations.Count(); });
  }

  TestStorage storage_;
  Notices notices_;
  ConversationListModel list_{notices_};
  QAbstractItemModelTester tester_{&list_, QAbstractItemModelTester::FailureReportingMode::Fatal};
};

TEST_F(ConversationListTest, EmptyIsToldApartFromUnread) {
  EXPECT_FALSE(list_.loaded());
  attach();
  EXPECT_TRUE(list_.loaded());
  EXPECT_EQ(list_.count(), 0);
}

TEST_F(ConversationListTest, TitlesAreOnePlainLine) {
  create("a\u202e\nb");
  attach();
  EXPECT_EQ(titleAt(0), u"a[U+202E] b"_qs);
}

TEST_F(ConversationListTest, DaysAndMonthsAreGroups) {
  create("now");
  const QDate today = QDate::currentDate();
  const auto groupWhen = [this](const QDate& day) {
    list_.setToday([day] { return day; });
    return groupAt(0);
  };
  attach();
  EXPECT_EQ(groupWhen(today), u"Today"_qs);
  EXPECT_EQ(groupWhen(today.addDays(1)), u"Yesterday"_qs);
  const QString month = QLocale().standaloneMonthName(today.month());
  const QDate nextYear(today.year() + 1, 3, 15);
  EXPECT_EQ(groupWhen(nextYear), month + u' ' + QString::number(today.year()));
  const QDate later(today.year(), 12, 31);
  if (today.daysTo(later) > 1) {
    EXPECT_EQ(groupWhen(later), month);
  }
}

TEST_F(ConversationListTest, HeadingsStandOverTheFirstOfAGroup) {
  create("one");
  create("two");
  attach();
  EXPECT_TRUE(at(0, ConversationListModel::FirstInGroupRole).toBool());
  EXPECT_FALSE(at(1, ConversationListModel::FirstInGroupRole).toBool());
}

TEST_F(ConversationListTest, RenamingIsStored) {
  const QString id = create("old");
  attach();
  list_.rename(id, u"  కొత్త\nపేరు "_qs);
  EXPECT_EQ(titleAt(0), u"కొత్త పేరు"_qs);
  storage_.settle();
  EXPECT_EQ(storedTitle(id), "కొత్త పేరు");
  list_.rename(id, u"   "_qs);
  EXPECT_EQ(titleAt(0), u"కొత్త పేరు"_qs) << "a blank title changes nothing";
}

TEST_F(ConversationListTest, DeletingHidesAndUndoBringsBack) {
  create("one");
  const QString id = create("two");
  create("three");
  attach();
  list_.open(id);
  list_.remove(id);
  EXPECT_EQ(list_.count(), 2);
  EXPECT_NE(list_.currentId(), id) << "a neighbour is open";
  EXPECT_FALSE(list_.currentId().isEmpty());
  EXPECT_TRUE(notices_.toastHasUndo());
  storage_.settle();
  EXPECT_EQ(storedCount(), 2);
  notices_.undo();
  storage_.settle();
  EXPECT_EQ(storedCount(), 3);
  EXPECT_EQ(list_.count(), 3);
  EXPECT_GE(list_.rowOf(id), 0);
}

TEST_F(ConversationListTest, ADeletionSurvivesTheEndOfTheProgram) {
  const QString id = create("gone");
  create("kept");
  attach();
  list_.remove(id);
  storage_.settle();
  storage_.open();
  EXPECT_EQ(storedCount(), 1);
}

TEST_F(ConversationListTest, ABegunTurnMovesItsConversationToTheTop) {
  const QString first = create("one");
  create("two");
  attach();
  const int before = list_.rowOf(first);
  auto record =
      storage_.run([&](Stores& stores) { return stores.conversations.Get(first.toStdString()); });
  list_.begun(*record, false);
  EXPECT_GE(before, 0);
  EXPECT_EQ(list_.rowOf(first), 0);
  EXPECT_TRUE(at(0, ConversationListModel::GeneratingRole).toBool());
  EXPECT_TRUE(
      at(0, ConversationListModel::AccessibleTextRole).toString().contains(u"answering"_qs));
  list_.ended();
  EXPECT_FALSE(at(0, ConversationListModel::GeneratingRole).toBool());
  EXPECT_TRUE(at(0, ConversationListModel::UnseenRole).toBool()) << "it was not open";
  list_.open(first);
  EXPECT_FALSE(at(0, ConversationListModel::UnseenRole).toBool());
}

TEST_F(ConversationListTest, NextAndPreviousStopAtTheEnds) {
  create("one");
  create("two");
  attach();
  list_.open(list_.idAt(0));
  list_.openPrevious();
  EXPECT_EQ(list_.currentRow(), 0);
  list_.openNext();
  EXPECT_EQ(list_.currentRow(), 1);
  list_.openNext();
  EXPECT_EQ(list_.currentRow(), 1);
  list_.startNew();
  EXPECT_EQ(list_.currentRow(), -1);
}

TEST_F(ConversationListTest, AnUnknownConversationIsNotOpened) {
  attach();
  list_.open(u"no-such-id"_qs);
  EXPECT_TRUE(list_.currentId().isEmpty());
}

TEST_F(ConversationListTest, AFailureShowsTheOldState) {
  const QString id = create("kept");
  storage_.open(StorageAccess::kReadOnly);
  attach();
  QSignalSpy failed(&list_, &ConversationListModel::failed);
  list_.rename(id, u"new"_qs);
  storage_.settle();
  EXPECT_EQ(failed.count(), 1);
  EXPECT_EQ(titleAt(0), u"kept"_qs);
  list_.remove(id);
  storage_.settle();
  EXPECT_EQ(list_.count(), 1);
  EXPECT_FALSE(notices_.toastHasUndo());
}

}  // namespace
}  // namespace paluku
