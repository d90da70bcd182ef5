// TranscriptModel: the open conversation as one flat list, a row per block, so that a long answer
// is virtualised too. A turn is its blocks and, for an answer, a footer row that closes it. While
// an answer streams only its last block changes: one dataChanged a frame, closed rows untouched.
//
// Owned by ChatController, interface thread. Message text is Markdown from a model and hostile: it
// becomes blocks (markdown.h), never markup for Qt.
#pragma once

#include <QtQml/qqmlregistration.h>

#include <QAbstractListModel>
#include <QString>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "app/chat/block.h"
#include "app/chat/markdown_stream.h"
#include "storage/records.h"

namespace paluku {

class TranscriptModel : public QAbstractListModel {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("Owned by ChatController.")
  Q_PROPERTY(int count READ count NOTIFY countChanged)

 public:
  enum Kind {
    User,       // a whole message of the person, plain text
    Reasoning,  // the thinking before an answer, plain text; `label` heads it
    Paragraph,
    Heading,   // level
    ListItem,  // marker, listDepth
    Code,      // language; text is the code
    Table,     // cells, columns, alignments
    Rule,
    Footer,  // end of an answer: turnState, stateText, figures
  };
  Q_ENUM(Kind)

  enum TurnState { Complete, Streaming, Stopped, Failed, Interrupted, Length };
  Q_ENUM(TurnState)

  enum Role {
    // Every row.
    TurnIdRole = Qt::UserRole + 1,  // turnId: string, for the verbs of ChatController
    KindRole,                       // kind: Kind
    IsUserRole,                     // isUser: bool
    SpeakerRole,                    // speaker: "You" or the model's short name
    SpeakerFullRole,                // speakerFull: the model's whole name
    FirstInTurnRole,                // firstInTurn: bool, the speaker's name stands here
    LastInTurnRole,                 // lastInTurn: bool
    LastTurnRole,                   // lastTurn: bool, belongs to the last turn
    TextRole,                       // text: plain, without markup
    SpansRole,                      // spans: opaque, for TextStyler.spans
    AccessibleTextRole,             // accessibleText: what a screen reader says
    // Blocks.
    LevelRole,       // level: int, heading 1..6
    MarkerRole,      // marker: "•" or "3.", empty on the later blocks of an item
    ListDepthRole,   // listDepth: int, 0 outside lists
    QuoteDepthRole,  // quoteDepth: int, 0 outside quotes
    LanguageRole,    // language: string of a code block
    ClosedRole,      // closed: bool, false while a code block still grows
    CutRole,         // cut: bool, the text was shortened; showAll(row)
    FoldRole,        // fold: "Show all 57 lines" of a long code block that is folded; showAll(row)
    CellsRole,       // cells: strings, row by row, header first
    ColumnsRole,     // columns: int
    AlignmentsRole,  // alignments: Qt::AlignmentFlag per column
    LabelRole,       // label: "Thinking…" or "Thought", of Reasoning
    // Footer.
    TurnStateRole,    // turnState: TurnState
    StateTextRole,    // stateText: "Stopped", the error's sentence, ...; empty when complete
    FiguresRole,      // figures: "412 tokens · 18.4 tokens/s · first word after 0.4 s"
    CanRetryRole,     // canRetry: bool, offer [Try again]
    CanContinueRole,  // canContinue: bool, offer [Continue]
  };
  Q_ENUM(Role)

  using QAbstractListModel::QAbstractListModel;

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QHash<int, QByteArray> roleNames() const override;
  int count() const { return firstRows_.empty() ? 0 : firstRows_.back(); }

  // The address of a link at a position of the row's text; empty: no link there.
  Q_INVOKABLE QString linkAt(int row, int position) const;
  // The host in readable form, for "Open example.org in the browser?".
  Q_INVOKABLE QString hostOf(const QString& url) const;
  // Shows the rest of a block whose `cut` or `fold` is set.
  Q_INVOKABLE void showAll(int row);
  // First row of the turn before or after the one of `row`; `row` itself at the ends.
  Q_INVOKABLE int previousTurn(int row) const;
  Q_INVOKABLE int nextTurn(int row) const;

  // --- For ChatController and SelectionController ---

  // Shows a branch from its root to its leaf.
  void setMessages(const std::vector<MessageRecord>& messages);
  void append(const MessageRecord& message);
  // More text of a streaming turn.
  void appendText(const QString& turnId, const QString& text, const QString& reasoning);
  // The turn ended.
  void finish(const QString& turnId, MessageState state, const MessageStats& stats,
              const std::optional<Error>& error);
  // Removes the turns after `turnId` (another answer takes their place).
  void removeAfter(const QString& turnId);

  bool contains(const QString& turnId) const { return turnIndex(turnId) >= 0; }
  // Source of the turn as it was written; empty for an unknown one.
  QString sourceOf(const QString& turnId) const;
  // The person's message that `turnId` answers (or is); empty when there is none.
  QString userMessageOf(const QString& turnId) const;
  QString lastTurnId() const;
  QString lastAnswerId() const;
  QString textAt(int row) const;
  // The same of a block whose `cut` is set: gives it the rest first.
  QString wholeTextAt(int row);
  // First row of the row's turn, and the row after its last.
  std::pair<int, int> turnRows(int row) const;
  // Source Markdown of [from, to) of a row; the whole block gives its lines as written.
  QString markdownOf(int row, int from, int to) const;
  // Words of the conversation, for the meter.
  std::int64_t words() const;
  void retranslate();

 signals:
  void countChanged();

 private:
  // One message. Its rows: reasoning if there is one, the blocks, of an answer a footer. The
  // person's words are one row.
  struct Turn {
    QString id;
    bool user = false;
    QString model;  // name of the model that answered
    MessageState state = MessageState::kComplete;
    MessageStats stats;
    std::optional<Error> error;
    QString userText;   // as it was sent
    QString userShown;  // as it may be shown
    QString reasoning;
    MarkdownStream markdown;
    std::int64_t words = 0;  // counted when the turn is complete
    bool streamed =
        false;  // written while it was shown: nothing of it folds under the reader's eyes
    std::set<int> unfolded;  // blocks
  };
  // Where a row stands; exactly one of the three is meant: `block` >= 0, else footer or not.
  struct Place {
    const Turn* turn;
    int turnIndex;
    int block;  // index in blocks(), -1 for the other rows
    bool footer;
    bool reasoning;
  };

  static Turn makeTurn(const MessageRecord& message);
  static int rowsOf(const Turn& turn);
  int firstBlockRow(int turn) const;
  Place placeOf(int row) const;
  int turnIndex(const QString& turnId) const;
  void countRows(int fromTurn);
  void emitRows(int first, int last);
  void applyChange(int turn, const BlockChange& change);
  void showReasoning(int turn, const QString& added);
  QVariant rowData(const Place& place, int role) const;
  QVariant turnData(const Place& place, int row, int role) const;
  QVariant blockData(const Block& block, int role) const;
  QVariant footerData(const Place& place, int role) const;
  QString accessibleText(const Place& place) const;
  static QString stateText(const Turn& turn);
  bool canContinue(const Place& place) const;
  static QString foldText(const Place& place);
  static QString figures(const Turn& turn);

  std::vector<Turn> turns_;
  std::vector<int> firstRows_;  // per turn, and the number of rows at the end
};

}  // namespace paluku
