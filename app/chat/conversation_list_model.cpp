#include "app/chat/conversation_list_model.h"

#include <QLocale>
#include <algorithm>

#include "app/chat/markdown.h"
#include "app/hosts/storage_call.h"

namespace paluku {
namespace {

// More than anybody keeps; a list this long still opens in milliseconds.
constexpr std::int64_t kMaxRows = 100'000;

}  // namespace

ConversationListModel::ConversationListModel(Notices& notices, QObject* parent)
    : QAbstractListModel(parent), notices_(notices) {}

void ConversationListModel::attach(Storage& storage) {
  storage_ = &storage;
  refresh();
}

ConversationListModel::Row ConversationListModel::makeRow(const ConversationRecord& record) {
  return {.id = QString::fromStdString(record.id),
          .title = safeText(QString::fromStdString(record.title)).simplified(),
          .updated = QDateTime::fromMSecsSinceEpoch(record.updated_ms),
          .unseen = false};
}

void ConversationListModel::refresh() {
  onStorage(
      *storage_, this,
      [](Stores& stores) { return stores.conversations.List({.offset = 0, .limit = kMaxRows}); },
      [this](const Result<std::vector<ConversationRecord>>& list) {
        if (!list) return emit failed(list.error());
        std::vector<Row> rows;
        rows.reserve(list->size());
        for (const ConversationRecord& record : *list) rows.push_back(makeRow(record));
        setRows(std::move(rows));
      });
}

void ConversationListModel::setRows(std::vector<Row> rows) {
  for (Row& row : rows) {
    const int known = rowOf(row.id);
    row.unseen = known >= 0 && rows_[static_cast<std::size_t>(known)].unseen;
  }
  beginResetModel();
  rows_ = std::move(rows);
  loaded_ = true;
  endResetModel();
  emit countChanged();
  emit currentChanged();
}

// --- Rows ---

int ConversationListModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : count();
}

QHash<int, QByteArray> ConversationListModel::roleNames() const {
  return {{ConversationIdRole, "conversationId"},
          {TitleRole, "title"},
          {GroupRole, "group"},
          {FirstInGroupRole, "firstInGroup"},
          {CurrentRole, "current"},
          {GeneratingRole, "generating"},
          {UnseenRole, "unseen"},
          {AccessibleTextRole, "accessibleText"}};
}

QVariant ConversationListModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const auto place = static_cast<std::size_t>(index.row());
  const Row& row = rows_[place];
  switch (role) {
    case ConversationIdRole:
      return row.id;
    case TitleRole:
      return row.title;
    case GroupRole:
      return groupOf(row);
    case FirstInGroupRole:
      return place == 0 || groupOf(rows_[place - 1]) != groupOf(row);
    case CurrentRole:
      return row.id == currentId_;
    case GeneratingRole:
      return row.id == generatingId_;
    case UnseenRole:
      return row.unseen;
    case AccessibleTextRole:
      return accessibleText(row);
    default:
      return {};
  }
}

QString ConversationListModel::groupOf(const Row& row) const {
  const QDate today = today_();
  const QDate day = row.updated.date();
  if (day >= today) return tr("Today");
  if (day == today.addDays(-1)) return tr("Yesterday");
  QString month = QLocale().standaloneMonthName(day.month());
  if (day.year() == today.year()) return month;
  return month + u' ' + QString::number(day.year());
}

QString ConversationListModel::accessibleText(const Row& row) const {
  if (row.id == generatingId_) return tr("%1, is answering").arg(row.title);
  if (row.unseen) return tr("%1, new answer").arg(row.title);
  return row.title;
}

int ConversationListModel::rowOf(const QString& conversationId) const {
  const auto found = std::find_if(rows_.begin(), rows_.end(), [&conversationId](const Row& row) {
    return row.id == conversationId;
  });
  return found == rows_.end() ? -1 : static_cast<int>(found - rows_.begin());
}

QString ConversationListModel::idAt(int row) const {
  return row >= 0 && row < count() ? rows_[static_cast<std::size_t>(row)].id : QString();
}

QString ConversationListModel::titleOf(const QString& conversationId) const {
  const int row = rowOf(conversationId);
  return row < 0 ? QString() : rows_[static_cast<std::size_t>(row)].title;
}

void ConversationListModel::emitRow(int row) {
  if (row >= 0) emit dataChanged(index(row), index(row));
}

void ConversationListModel::emitGroups() {
  if (!rows_.empty()) emit dataChanged(index(0), index(count() - 1), {GroupRole, FirstInGroupRole});
}

// --- Which one is open ---

void ConversationListModel::setCurrent(const QString& id) {
  if (id == currentId_) return;
  const int before = currentRow();
  currentId_ = id;
  const int now = currentRow();
  if (now >= 0) rows_[static_cast<std::size_t>(now)].unseen = false;
  emitRow(before);
  emitRow(now);
  emit currentChanged();
}

void ConversationListModel::open(const QString& conversationId) {
  if (rowOf(conversationId) >= 0) setCurrent(conversationId);
}

void ConversationListModel::startNew() { setCurrent({}); }

void ConversationListModel::openNext() {
  if (currentRow() + 1 < count()) open(idAt(currentRow() + 1));
}

void ConversationListModel::openPrevious() {
  if (currentRow() > 0) open(idAt(currentRow() - 1));
}

// --- What happens to conversations ---

void ConversationListModel::begun(const ConversationRecord& conversation, bool select) {
  const Row row = makeRow(conversation);
  const int known = rowOf(row.id);
  if (known < 0) {
    beginInsertRows({}, 0, 0);
    rows_.insert(rows_.begin(), row);
    endInsertRows();
    emit countChanged();
  } else if (known > 0) {
    beginMoveRows({}, known, known, {}, 0);
    std::rotate(rows_.begin(), rows_.begin() + known, rows_.begin() + known + 1);
    endMoveRows();
  }
  rows_.front().updated = row.updated;
  generatingId_ = row.id;
  emitRow(0);
  emitGroups();
  if (select) {
    setCurrent(row.id);
  } else {
    emit currentChanged();  // its row may have moved
  }
}

void ConversationListModel::ended() {
  const int row = rowOf(generatingId_);
  generatingId_.clear();
  if (row < 0) return;
  Row& ended = rows_[static_cast<std::size_t>(row)];
  ended.unseen = ended.id != currentId_;
  emitRow(row);
}

void ConversationListModel::rename(const QString& conversationId, const QString& title) {
  const int row = rowOf(conversationId);
  const QString clean = safeText(title).simplified();
  if (row < 0 || clean.isEmpty() || clean == rows_[static_cast<std::size_t>(row)].title) return;
  const QString before = std::exchange(rows_[static_cast<std::size_t>(row)].title, clean);
  emitRow(row);
  emit currentChanged();
  onStorage(
      *storage_, this,
      [id = conversationId.toStdString(), text = clean.toStdString()](Stores& stores) {
        return stores.conversations.Rename(id, text);
      },
      [this, conversationId, before](const Status& renamed) {
        if (renamed) return;
        if (const int place = rowOf(conversationId); place >= 0) {
          rows_[static_cast<std::size_t>(place)].title = before;
          emitRow(place);
          emit currentChanged();
        }
        emit failed(renamed.error());
      });
}

void ConversationListModel::remove(const QString& conversationId) {
  const int row = rowOf(conversationId);
  if (row < 0) return;
  if (conversationId == currentId_) {
    const QString below = idAt(row + 1);
    setCurrent(below.isEmpty() ? idAt(row - 1) : below);
  }
  beginRemoveRows({}, row, row);
  rows_.erase(rows_.begin() + row);
  endRemoveRows();
  emitGroups();
  emit countChanged();
  emit currentChanged();
  notices_.showToast(tr("%n conversation(s) deleted", nullptr, 1),
                     [this, conversationId] { restore(conversationId); });
  onStorage(
      *storage_, this,
      [id = conversationId.toStdString()](Stores& stores) {
        return stores.conversations.MarkDeleted(id);
      },
      [this](const Status& deleted) {
        if (deleted) return;
        notices_.dismissToast();
        refresh();
        emit failed(deleted.error());
      });
}

void ConversationListModel::restore(const QString& conversationId) {
  onStorage(
      *storage_, this,
      [id = conversationId.toStdString()](Stores& stores) {
        return stores.conversations.Restore(id);
      },
      [this](const Status& restored) {
        if (!restored) emit failed(restored.error());
        refresh();
      });
}

void ConversationListModel::retranslate() {
  if (!rows_.empty()) emit dataChanged(index(0), index(count() - 1));
}

}  // namespace paluku
