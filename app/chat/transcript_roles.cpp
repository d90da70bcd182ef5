// What each row of the transcript answers to a role, and the words it is told in.
#include "app/chat/transcript_model.h"
#include "app/error_text.h"
#include "app/platform/formatting.h"

namespace paluku {
namespace {

// A shorter wait is none: nobody sees it, and its figure would be 0.0.
constexpr std::int64_t kShortestWaitMs = 50;
// Code of more lines than this is folded to kFoldedLines of the interface (Theme.foldedLines).
constexpr int kMostLines = 40;

int linesOf(const QString& text) { return static_cast<int>(text.count(u'\n')) + 1; }

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

}  // namespace

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
          {FoldRole, "fold"},
          {CellsRole, "cells"},
          {ColumnsRole, "columns"},
          {AlignmentsRole, "alignments"},
          {LabelRole, "label"},
          {TurnStateRole, "turnState"},
          {StateTextRole, "stateText"},
          {FiguresRole, "figures"},
          {CanRetryRole, "canRetry"},
          {CanContinueRole, "canContinue"}};
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
  if (role == FoldRole) return foldText(place);
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
  if (role >= TurnStateRole) return footerData(place, role);
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
    case CanContinueRole:
      return false;
    default:
      return {};
  }
}

QString TranscriptModel::foldText(const Place& place) {
  const Turn& turn = *place.turn;
  if (place.block < 0 || turn.streamed || turn.unfolded.contains(place.block)) return {};
  const Block& block = turn.markdown.blocks()[static_cast<std::size_t>(place.block)];
  const int lines = linesOf(block.text);
  if (block.kind != BlockKind::kCode || lines <= kMostLines) return {};
  return tr("Show all %Ln line(s)", nullptr, lines);
}

// The last answer, when it ended before its end, says something to go on from, and has room.
bool TranscriptModel::canContinue(const Place& place) const {
  const Turn& turn = *place.turn;
  const bool last = static_cast<std::size_t>(place.turnIndex) + 1 == turns_.size();
  const bool cardFailed = turn.error && (turn.error->code == ErrorCode::kDeviceFailed ||
                                         turn.error->code == ErrorCode::kOutOfMemory);
  const bool cut = turn.state == MessageState::kStopped ||
                   turn.state == MessageState::kInterrupted ||
                   (turn.state == MessageState::kLength && !turn.error) ||
                   (turn.state == MessageState::kFailed && cardFailed);
  return last && cut && !(turn.markdown.source().isEmpty() && turn.reasoning.isEmpty());
}

QVariant TranscriptModel::footerData(const Place& place, int role) const {
  const Turn& turn = *place.turn;
  switch (role) {
    case TurnStateRole:
      return turnState(turn.state);
    case StateTextRole:
      return stateText(turn);
    case FiguresRole:
      return figures(turn);
    case CanRetryRole:
      return turn.state == MessageState::kFailed || turn.state == MessageState::kInterrupted;
    case CanContinueRole:
      return canContinue(place);
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
      return turn.error && turn.error->code == ErrorCode::kContextFull
                 ? tr("The context is full.")
                 : tr("The reply reached the length that was allowed.");
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
  if (turn.stats.first_token_ms >= kShortestWaitMs) {
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
    return tr("code, %1, %n line(s)", nullptr, linesOf(block.text)).arg(block.language);
  }
  return block.marker.isEmpty() ? block.text : block.marker + u' ' + block.text;
}

}  // namespace paluku
