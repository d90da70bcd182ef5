#include "app/chat/transcript_model.h"

#include <QUrl>
#include <algorithm>

#include "app/chat/markdown.h"
#include "app/error_text.h"
#include "app/platform/formatting.h"

namespace paluku {
namespace {

TranscriptModel::TurnState turnState(MessageState state) {
  switch (state) {
    case MessageState::kComplete:
      return TranscriptModel::Complete;
    case MessageState::kStreaming:
      return TranscriptModel::Streaming;
    case MessageState::kStopped:
      return TranscriptModel::Stopped;
    case MessageState::kFailed:
      return TranscriptModel::Failed;
    case MessageState::kInterrupted:
      return TranscriptModel::Interrupted;
    case MessageState::kLength:
      return TranscriptModel::Length;
  }
  return TranscriptModel::Complete;
}

TranscriptModel::Kind kindOf(const Block& block) {
  switch (block.kind) {
    case BlockKind::kParagraph:
      return TranscriptModel::Paragraph;
    case BlockKind::kHeading:
      return TranscriptModel::Heading;
    case BlockKind::kListItem:
      return TranscriptModel::ListItem;
    case BlockKind::kCode:
      return TranscriptModel::Code;
    case BlockKind::kTable:
      return TranscriptModel::Table;
    case BlockKind::kRule:
      return TranscriptModel::Rule;
  }
  return TranscriptModel::Paragraph;
}

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
  if (!reasoning.isEmpty()) showReasoning(turn, safeText(reasoning));
  if (text.isEmpty()) return;
  Turn& changed = turns_[static_cast<std::size_t>(turn)];
  changed.words += countWords(text);
  applyChange(turn, changed.markdown.append(text));
}

void TranscriptModel::showReasoning(int turn, const QString& added) {
  Turn& changed = turns_[static_cast<std::size_t>(turn)];
  const int row = firstRows_[static_cast<std::size_t>(turn)];
  if (!changed.reasoning.isEmpty()) {
    changed.reasoning += added;
    emit dataChanged(index(row), index(row), {TextRole, AccessibleTextRole});
    return;
  }
  beginInsertRows({}, row, row);
  changed.reasoning = added;
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
  turns_[static_cast<std::size_t>(place.turnIndex)].markdown.showAll(place.block);
  emitRows(row, row);
}

// --- Roles ---

QHash<int, QByteArray> TranscriptModel::roleNames() const {
  return {{TurnIdRole, "turnId"},
          {KindRole, "kind"},
          {IsUserRole, "isUser"},
          {SpeakerRole, "speaker"},
          {SpeakerFullRole, "speakerFull"},
          {FirstInTurnRole, "firstInTurn"},
          {LastInTurnRole, "lastInTurn"},
          {LastTurnRole, "lastTurn"},
          {TextRole, "text"},
          {SpansRole, "spans"},
          {AccessibleTextRole, "accessibleText"},
          {LevelRole, "level"},
          {MarkerRole, "marker"},
          {ListDepthRole, "listDepth"},
          {QuoteDepthRole, "quoteDepth"},
          {LanguageRole, "language"},
          {ClosedRole, "closed"},
          {CutRole, "cut"},
          {CellsRole, "cells"},
          {ColumnsRole, "columns"},
          {AlignmentsRole, "alignments"},
          {LabelRole, "label"},
          {TurnStateRole, "turnState"},
          {StateTextRole, "stateText"},
          {FiguresRole, "figures"},
          {CanRetryRole, "canRetry"}};
}

QVariant TranscriptModel::data(const QModelIndex& modelIndex, int role) const {
  if (!checkIndex(modelIndex, CheckIndexOption::IndexIsValid)) return {};
  const Place place = placeOf(modelIndex.row());
  if (role <= LastTurnRole) return turnData(place, modelIndex.row(), role);
  return rowData(place, role);
}

QVariant TranscriptModel::turnData(const Place& place, int row, int role) const {
  const Turn& turn = *place.turn;
  const auto index = static_cast<std::size_t>(place.turnIndex);
  switch (role) {
    case TurnIdRole:
      return turn.id;
    case KindRole:
      if (turn.user) return User;
      if (place.reasoning) return Reasoning;
      if (place.footer) return Footer;
      return kindOf(turn.markdown.blocks()[static_cast<std::size_t>(place.block)]);
    case IsUserRole:
      return turn.user;
    case SpeakerRole:
      return turn.user ? tr("You") : shortModelName(turn.model);
    case SpeakerFullRole:
      return turn.user ? tr("You") : turn.model;
    case FirstInTurnRole:
      return row == firstRows_[index];
    case LastInTurnRole:
      return row + 1 == firstRows_[index + 1];
    case LastTurnRole:
      return index + 1 == turns_.size();
    default:
      return {};
  }
}

QVariant TranscriptModel::rowData(const Place& place, int role) const {
  static const Block kNothing;
  const Turn& turn = *place.turn;
  if (role == AccessibleTextRole) return accessibleText(place);
  if (place.block >= 0)
    return blockData(turn.markdown.blocks()[static_cast<std::size_t>(place.block)], role);
  if (role == TextRole) {
    if (turn.user) return turn.userShown;
    return place.reasoning ? turn.reasoning : QString();
  }
  if (role == LabelRole && place.reasoning) {
    const bool thinking =
        turn.state == MessageState::kStreaming && turn.markdown.source().isEmpty();
    return thinking ? tr("Thinking…") : tr("Thought");
  }
  if (role >= TurnStateRole) return footerData(turn, role);
  return blockData(kNothing, role);
}

QVariant TranscriptModel::blockData(const Block& block, int role) const {
  switch (role) {
    case TextRole:
      return block.text;
    case SpansRole:
      return QVariant::fromValue(block.spans);
    case LevelRole:
      return block.level;
    case MarkerRole:
      return block.marker;
    case ListDepthRole:
      return block.listDepth;
    case QuoteDepthRole:
      return block.quoteDepth;
    case LanguageRole:
      return block.language;
    case ClosedRole:
      return block.closed;
    case CutRole:
      return block.cut;
    case CellsRole:
      return block.cells;
    case ColumnsRole:
      return block.columns;
    case AlignmentsRole:
      return QVariant::fromValue(block.alignments);
    case LabelRole:
    case StateTextRole:
    case FiguresRole:
      return QString();
    case TurnStateRole:
      return Complete;
    case CanRetryRole:
      return false;
    default:
      return {};
  }
}

QVariant TranscriptModel::footerData(const Turn& turn, int role) const {
  switch (role) {
    case TurnStateRole:
      return turnState(turn.state);
    case StateTextRole:
      return stateText(turn);
    case FiguresRole:
      return figures(turn);
    case CanRetryRole:
      return turn.state == MessageState::kFailed || turn.state == MessageState::kInterrupted;
    default:
      return {};
  }
}

QString TranscriptModel::stateText(const Turn& turn) {
  switch (turn.state) {
    case MessageState::kStopped:
      return tr("Stopped");
    case MessageState::kInterrupted:
      return tr("Paluku closed during this reply. What was written is kept.");
    case MessageState::kLength:
      return tr("The context is full.");
    case MessageState::kFailed: {
      QString reason = turn.error ? errorText(*turn.error) : QString();
      if (reason.endsWith(u'.')) reason.chop(1);
      return tr("The model stopped because of an error: %1. Your message is kept.").arg(reason);
    }
    case MessageState::kComplete:
    case MessageState::kStreaming:
      break;
  }
  return {};
}

QString TranscriptModel::figures(const Turn& turn) {
  if (turn.user || turn.stats.token_count <= 0) return {};
  const auto tokens = static_cast<int>(turn.stats.token_count);
  QStringList parts{tr("%Ln token(s)", nullptr, tokens)};
  if (turn.stats.tokens_per_second > 0) parts += formatSpeed(turn.stats.tokens_per_second);
  if (turn.stats.first_token_ms > 0) {
    parts +=
        tr("first word after %1 s").arg(formatNumber(double(turn.stats.first_token_ms) / 1000, 1));
  }
  return parts.join(u" · ");
}

QString TranscriptModel::accessibleText(const Place& place) const {
  const Turn& turn = *place.turn;
  if (turn.user) return tr("You: %1").arg(turn.userShown);
  if (place.reasoning) return turn.reasoning;
  if (place.footer) {
    const QString state = stateText(turn);
    return state.isEmpty() ? figures(turn) : state;
  }
  const Block& block = turn.markdown.blocks()[static_cast<std::size_t>(place.block)];
  if (block.kind == BlockKind::kCode) {
    const int lines = static_cast<int>(block.text.count(u'\n')) + 1;
    return tr("code, %1, %n line(s)", nullptr, lines).arg(block.language);
  }
  return block.marker.isEmpty() ? block.text : block.marker + u' ' + block.text;
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
