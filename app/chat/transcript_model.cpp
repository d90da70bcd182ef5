#include "app/chat/transcript_model.h"

#include <QUrl>
#include <algorithm>

#include "app/chat/markdown.h"

namespace paluku {
namespace {

std::int64_t countWords(QStringView text) {
  std::int64_t words = 0;
  bool inWord = false;
  for (const QChar c : text) {
    const bool space = c.isSpace();
    if (!space && !inWord) ++words;
    inWord = !space;
  }
  return words;
}

}  // namespace

// --- Rows ---

TranscriptModel::Turn TranscriptModel::makeTurn(const MessageRecord& message) {
  Turn turn;
  turn.id = QString::fromStdString(message.id);
  turn.user = message.role == MessageRole::kUser;
  turn.model = safeText(QString::fromStdString(message.model));
  turn.state = message.state;
  turn.streamed = message.state == MessageState::kStreaming;
  turn.stats = message.stats;
  turn.error = message.error;
  const QString text = QString::fromStdString(message.text);
  if (turn.user) {
    turn.userText = text;
    turn.userShown = safeText(text);
  } else if (message.state == MessageState::kStreaming) {
    turn.markdown.append(text);
  } else {
    turn.markdown.set(text);
  }
  if (message.reasoning) turn.reasoning = safeText(QString::fromStdString(*message.reasoning));
  turn.words = countWords(text);
  return turn;
}

int TranscriptModel::rowsOf(const Turn& turn) {
  if (turn.user) return 1;
  return (turn.reasoning.isEmpty() ? 0 : 1) + static_cast<int>(turn.markdown.blocks().size()) + 1;
}

int TranscriptModel::firstBlockRow(int turn) const {
  const auto index = static_cast<std::size_t>(turn);
  return firstRows_[index] + (turns_[index].reasoning.isEmpty() ? 0 : 1);
}

void TranscriptModel::countRows(int fromTurn) {
  firstRows_.resize(turns_.size() + 1);
  for (auto i = static_cast<std::size_t>(fromTurn); i < turns_.size(); ++i)
    firstRows_[i + 1] = firstRows_[i] + rowsOf(turns_[i]);
}

TranscriptModel::Place TranscriptModel::placeOf(int row) const {
  const auto next = std::upper_bound(firstRows_.begin(), firstRows_.end(), row);
  const int index = static_cast<int>(next - firstRows_.begin()) - 1;
  const Turn& turn = turns_[static_cast<std::size_t>(index)];
  Place place{&turn, index, -1, false, false};
  if (turn.user) return place;
  const int block = row - firstBlockRow(index);
  place.reasoning = block < 0;
  place.footer = block >= static_cast<int>(turn.markdown.blocks().size());
  if (!place.reasoning && !place.footer) place.block = block;
  return place;
}

int TranscriptModel::turnIndex(const QString& turnId) const {
  for (std::size_t i = turns_.size(); i > 0; --i) {
    if (turns_[i - 1].id == turnId) return static_cast<int>(i - 1);
  }
  return -1;
}

int TranscriptModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : count();
}

void TranscriptModel::emitRows(int first, int last) {
  if (first <= last) emit dataChanged(index(first), index(last));
}

// --- Content ---

void TranscriptModel::setMessages(const std::vector<MessageRecord>& messages) {
  beginResetModel();
  turns_.clear();
  turns_.reserve(messages.size());
  for (const MessageRecord& message : messages) {
    if (message.role != MessageRole::kSystem) turns_.push_back(makeTurn(message));
  }
  firstRows_.assign(1, 0);
  countRows(0);
  endResetModel();
  emit countChanged();
}

void TranscriptModel::append(const MessageRecord& message) {
  if (firstRows_.empty()) firstRows_.assign(1, 0);
  Turn turn = makeTurn(message);
  const int first = count();
  beginInsertRows({}, first, first + rowsOf(turn) - 1);
  turns_.push_back(std::move(turn));
  countRows(static_cast<int>(turns_.size()) - 1);
  endInsertRows();
  if (turns_.size() > 1) {  // it is no longer the last turn
    const std::size_t before = turns_.size() - 2;
    emitRows(firstRows_[before], firstRows_[before + 1] - 1);
  }
  emit countChanged();
}

void TranscriptModel::removeAfter(const QString& turnId) {
  const int kept = turnIndex(turnId) + 1;
  if (kept == 0 || kept == static_cast<int>(turns_.size())) return;
  const int first = firstRows_[static_cast<std::size_t>(kept)];
  beginRemoveRows({}, first, count() - 1);
  turns_.resize(static_cast<std::size_t>(kept));
  countRows(kept);
  endRemoveRows();
  emitRows(firstRows_[static_cast<std::size_t>(kept) - 1], first - 1);
  emit countChanged();
}

void TranscriptModel::appendText(const QString& turnId, const QString& text,
                                 const QString& reasoning) {
  const int turn = turnIndex(turnId);
  if (turn < 0) return;
  if (!reasoning.isEmpty()) showReasoning(turn, reasoning);
  if (text.isEmpty()) return;
  Turn& changed = turns_[static_cast<std::size_t>(turn)];
  changed.words += countWords(text);
  applyChange(turn, changed.markdown.append(text));
}

void TranscriptModel::showReasoning(int turn, const QString& added) {
  Turn& changed = turns_[static_cast<std::size_t>(turn)];
  const int row = firstRows_[static_cast<std::size_t>(turn)];
  if (!changed.reasoning.isEmpty()) {
    // A run without a break may have grown over several pieces.
    const qsizetype line = changed.reasoning.lastIndexOf(u'\n') + 1;
    const QString last = changed.reasoning.sliced(line) + added;
    changed.reasoning.truncate(line);
    changed.reasoning += safeText(last);
    emit dataChanged(index(row), index(row), {TextRole, AccessibleTextRole});
    return;
  }
  beginInsertRows({}, row, row);
  changed.reasoning = safeText(added);
  countRows(turn);
  endInsertRows();
  emitRows(row + 1, row + 1);  // no longer the first of its turn
  emit countChanged();
}

// The blocks of `turn` have changed already, the rows have not.
void TranscriptModel::applyChange(int turn, const BlockChange& change) {
  const int now = static_cast<int>(turns_[static_cast<std::size_t>(turn)].markdown.blocks().size());
  const int first = firstBlockRow(turn);
  const int common = std::min(change.before, now);
  if (now > change.before) {
    beginInsertRows({}, first + change.before, first + now - 1);
    countRows(turn);
    endInsertRows();
  } else if (now < change.before) {
    beginRemoveRows({}, first + now, first + change.before - 1);
    countRows(turn);
    endRemoveRows();
  }
  if (change.kept < common) emitRows(first + change.kept, first + common - 1);
  if (now != change.before) {
    if (change.before == 0 || now == 0) emitRows(first + now, first + now);  // footer: first or not
    emit countChanged();
  }
}

void TranscriptModel::finish(const QString& turnId, MessageState state, const MessageStats& stats,
                             const std::optional<Error>& error) {
  const int turn = turnIndex(turnId);
  if (turn < 0) return;
  Turn& ended = turns_[static_cast<std::size_t>(turn)];
  applyChange(turn, ended.markdown.finish());
  ended.state = state;
  ended.stats = stats;
  ended.error = error;
  const int first = firstRows_[static_cast<std::size_t>(turn)];
  if (!ended.reasoning.isEmpty()) emit dataChanged(index(first), index(first), {LabelRole});
  const int footer = first + rowsOf(ended) - 1;
  emitRows(footer, footer);
}

void TranscriptModel::showAll(int row) {
  if (row < 0 || row >= count()) return;
  const Place place = placeOf(row);
  if (place.block < 0) return;
  Turn& turn = turns_[static_cast<std::size_t>(place.turnIndex)];
  turn.unfolded.insert(place.block);
  if (turn.markdown.blocks()[static_cast<std::size_t>(place.block)].cut)
    turn.markdown.showAll(place.block);
  emitRows(row, row);
}

QString TranscriptModel::wholeTextAt(int row) {
  if (row < 0 || row >= count()) return {};
  if (rowData(placeOf(row), CutRole).toBool()) showAll(row);
  return textAt(row);
}

// --- Questions ---

QString TranscriptModel::linkAt(int row, int position) const {
  if (row < 0 || row >= count()) return {};
  const Place place = placeOf(row);
  if (place.block < 0) return {};
  const Block& block = place.turn->markdown.blocks()[static_cast<std::size_t>(place.block)];
  for (const InlineSpan& span : block.spans) {
    if (position >= span.start && position < span.start + span.length && (span.style & kLink))
      return span.url;
  }
  return {};
}

QString TranscriptModel::hostOf(const QString& url) const {
  const QUrl parsed(url, QUrl::StrictMode);
  return parsed.scheme() == u"mailto" ? parsed.path() : parsed.host(QUrl::EncodeUnicode);
}

int TranscriptModel::previousTurn(int row) const {
  if (row < 0 || row >= count()) return row;
  const int turn = placeOf(row).turnIndex;
  const int first = firstRows_[static_cast<std::size_t>(turn)];
  return row > first || turn == 0 ? first : firstRows_[static_cast<std::size_t>(turn) - 1];
}

int TranscriptModel::nextTurn(int row) const {
  if (row < 0 || row >= count()) return row;
  const auto turn = static_cast<std::size_t>(placeOf(row).turnIndex);
  return turn + 1 < turns_.size() ? firstRows_[turn + 1] : row;
}

std::pair<int, int> TranscriptModel::turnRows(int row) const {
  const auto turn = static_cast<std::size_t>(placeOf(row).turnIndex);
  return {firstRows_[turn], firstRows_[turn + 1]};
}

QString TranscriptModel::sourceOf(const QString& turnId) const {
  const int turn = turnIndex(turnId);
  if (turn < 0) return {};
  const Turn& found = turns_[static_cast<std::size_t>(turn)];
  return found.user ? found.userText : found.markdown.source();
}

QString TranscriptModel::userMessageOf(const QString& turnId) const {
  for (int i = turnIndex(turnId); i >= 0; --i) {
    if (turns_[static_cast<std::size_t>(i)].user) return turns_[static_cast<std::size_t>(i)].id;
  }
  return {};
}

QString TranscriptModel::lastTurnId() const {
  return turns_.empty() ? QString() : turns_.back().id;
}

QString TranscriptModel::lastAnswerId() const {
  for (auto turn = turns_.rbegin(); turn != turns_.rend(); ++turn) {
    if (!turn->user) return turn->id;
  }
  return {};
}

QString TranscriptModel::textAt(int row) const {
  if (row < 0 || row >= count()) return {};
  return rowData(placeOf(row), TextRole).toString();
}

QString TranscriptModel::markdownOf(int row, int from, int to) const {
  if (row < 0 || row >= count()) return {};
  const Place place = placeOf(row);
  const QString text = textAt(row);
  from = std::clamp(from, 0, static_cast<int>(text.size()));
  to = std::clamp(to, from, static_cast<int>(text.size()));
  const bool whole = from == 0 && to == text.size();
  if (place.turn->user && whole) return place.turn->userText;
  if (place.block < 0) return text.sliced(from, to - from);
  const MarkdownStream& markdown = place.turn->markdown;
  const Block& block = markdown.blocks()[static_cast<std::size_t>(place.block)];
  if (whole) {
    if (block.kind == BlockKind::kRule) return u"---"_qs;
    return markdown.source().sliced(block.sourceBegin, block.sourceEnd - block.sourceBegin);
  }
  const bool verbatim = block.kind == BlockKind::kCode || block.kind == BlockKind::kTable;
  return verbatim ? text.sliced(from, to - from) : markdownOfRange(block, from, to);
}

std::int64_t TranscriptModel::words() const {
  std::int64_t words = 0;
  for (const Turn& turn : turns_) words += turn.words;
  return words;
}

void TranscriptModel::retranslate() { emitRows(0, count() - 1); }

}  // namespace paluku
