// SelectionController: one selection over all rows of the transcript. Delegates know only
// themselves: each reads its own range from here and shows it; copying is computed from the blocks,
// so rows that are off the screen count too.
//
// Owned by ChatController, interface thread. Positions are UTF-16 offsets in a row's text.
#pragma once

#include <QtQml/qqmlregistration.h>

#include <QObject>
#include <QString>

#include "app/chat/transcript_model.h"

namespace paluku {

class SelectionController : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("Owned by ChatController.")

  Q_PROPERTY(bool hasSelection READ hasSelection NOTIFY changed)
  // Changes with every change of the selection; delegates read startIn() and endIn() again.
  Q_PROPERTY(int revision READ revision NOTIFY changed)

 public:
  explicit SelectionController(const TranscriptModel& transcript, QObject* parent = nullptr);

  bool hasSelection() const;
  int revision() const { return revision_; }

  // Sets anchor and head to one point (mouse press); nothing is selected.
  Q_INVOKABLE void begin(int row, int position);
  // Moves the head (mouse move, Shift+click). After selectWord() whole words are taken.
  Q_INVOKABLE void extendTo(int row, int position);
  // Double click and triple click.
  Q_INVOKABLE void selectWord(int row, int position);
  Q_INVOKABLE void selectBlock(int row);
  // All rows of the row's turn; all turns.
  Q_INVOKABLE void selectTurn(int row);
  Q_INVOKABLE void selectAll();
  // Moves the head by whole clusters over the ends of rows (Shift+Left, Shift+Right).
  Q_INVOKABLE void moveHead(int clusters);
  Q_INVOKABLE void clear();

  // The part of `row` that is selected; equal when nothing of it is.
  Q_INVOKABLE int startIn(int row) const;
  Q_INVOKABLE int endIn(int row) const;
  // Source Markdown of the selection.
  QString markdown() const;
  // To the clipboard; false when nothing is selected.
  Q_INVOKABLE bool copy() const;
  // To the primary selection of X11 and Wayland (end of a drag).
  Q_INVOKABLE void publish() const;

 signals:
  void changed();

 private:
  struct Point {
    int row = -1;
    int position = 0;
    auto operator<=>(const Point&) const = default;
  };
  Point low() const;
  Point high() const;
  void set(Point anchor, Point anchorEnd, Point head);
  void selectRows(int first, int last);

  const TranscriptModel& transcript_;
  Point anchor_;
  Point anchorEnd_;  // end of the word or block that a double or triple click took
  Point head_;
  bool byWords_ = false;
  int revision_ = 0;
};

}  // namespace paluku
