// ConversationListModel: the sidebar. Conversations newest first, grouped by day and month, and
// which of them is open. Deleting hides at once and can be undone until Paluku ends or the toast
// is replaced.
//
// Owned by AppController, interface thread; reads and writes on the storage thread.
#pragma once

#include <QtQml/qqmlregistration.h>

#include <QAbstractListModel>
#include <QDateTime>
#include <QString>
#include <vector>

#include "app/notices.h"
#include "storage/storage.h"

namespace paluku {

class ConversationListModel : public QAbstractListModel {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("Owned by AppController.")

  // Id of the open conversation; empty: a new one that has no message yet.
  Q_PROPERTY(QString currentId READ currentId NOTIFY currentChanged)
  // Its row, -1 when it is not in the list.
  Q_PROPERTY(int currentRow READ currentRow NOTIFY currentChanged)
  Q_PROPERTY(int count READ count NOTIFY countChanged)
  // The list was read once; before that an empty list means nothing.
  Q_PROPERTY(bool loaded READ loaded NOTIFY countChanged)

 public:
  enum Role {
    ConversationIdRole = Qt::UserRole + 1,  // conversationId: string
    TitleRole,                              // title: one line of plain text
    GroupRole,                              // group: "Today", "Yesterday", "November", "May 2025"
    FirstInGroupRole,                       // firstInGroup: bool, the heading stands above this row
    CurrentRole,                            // current: bool, the open one
    GeneratingRole,                         // generating: bool, an answer is being written
    UnseenRole,                             // unseen: bool, an answer ended while it was not open
    AccessibleTextRole,                     // accessibleText: title and state in words
  };
  Q_ENUM(Role)

  explicit ConversationListModel(Notices& notices, QObject* parent = nullptr);

  void attach(Storage& storage);

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QHash<int, QByteArray> roleNames() const override;
  QString currentId() const { return currentId_; }
  int currentRow() const { return rowOf(currentId_); }
  int count() const { return static_cast<int>(rows_.size()); }
  bool loaded() const { return loaded_; }

  // Shows the conversation.
  Q_INVOKABLE void open(const QString& conversationId);
  // An empty transcript; the conversation is created with its first message.
  Q_INVOKABLE void startNew();
  // A blank title changes nothing.
  Q_INVOKABLE void rename(const QString& conversationId, const QString& title);
  // Hides it with a toast to undo; its neighbour is opened if it was the open one.
  Q_INVOKABLE void remove(const QString& conversationId);
  // The one below and above the open one; nothing at the ends.
  Q_INVOKABLE void openNext();
  Q_INVOKABLE void openPrevious();
  // -1 when it is not in the list.
  Q_INVOKABLE int rowOf(const QString& conversationId) const;
  Q_INVOKABLE QString idAt(int row) const;
  QString titleOf(const QString& conversationId) const;

  // The day that counts as today; tests set it.
  void setToday(std::function<QDate()> today) { today_ = std::move(today); }
  // A turn of `conversation` was stored and its answer is being written; `select` opens it.
  void begun(const ConversationRecord& conversation, bool select);
  // The answer ended.
  void ended();
  void retranslate();

 signals:
  void currentChanged();
  void countChanged();
  void failed(const paluku::Error& error);

 private:
  struct Row {
    QString id;
    QString title;
    QDateTime updated;
    bool unseen = false;
  };
  static Row makeRow(const ConversationRecord& record);
  QString groupOf(const Row& row) const;
  QString accessibleText(const Row& row) const;
  void refresh();
  void setRows(std::vector<Row> rows);
  void setCurrent(const QString& id);
  void emitRow(int row);
  void emitGroups();
  void restore(const QString& conversationId);

  Notices& notices_;
  Storage* storage_ = nullptr;
  std::vector<Row> rows_;
  QString currentId_;
  QString generatingId_;
  std::function<QDate()> today_ = &QDate::currentDate;
  bool loaded_ = false;
};

}  // namespace paluku
