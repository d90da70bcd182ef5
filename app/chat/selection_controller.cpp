#include "app/chat/selection_controller.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QTextBoundaryFinder>
#include <algorithm>
#include <cstdlib>
#include <utility>

namespace paluku {
namespace {

// The word around `position`; between words the run of spaces or signs.
std::pair<int, int> wordAround(const QString& text, int position) {
  QTextBoundaryFinder finder(QTextBoundaryFinder::Word, text);
  finder.setPosition(std::min<qsizetype>(position + 1, text.size()));
  const qsizetype begin = finder.toPreviousBoundary();
  const qsizetype end = finder.toNextBoundary();
  return {static_cast<int>(std::max<qsizetype>(begin, 0)),
          static_cast<int>(end < 0 ? text.size() : end)};
}

}  // namespace

SelectionController::SelectionController(const TranscriptModel& transcript, QObject* parent)
    : QObject(parent), transcript_(transcript) {
  connect(&transcript_, &QAbstractItemModel::modelReset, this, &SelectionController::clear);
  connect(&transcript_, &QAbstractItemModel::rowsRemoved, this, &SelectionController::clear);
}

SelectionController::Point SelectionController::low() const { return std::min(anchor_, head_); }
SelectionController::Point SelectionController::high() const { return std::max(anchorEnd_, head_); }

bool SelectionController::hasSelection() const { return low().row >= 0 && low() < high(); }

void SelectionController::set(Point anchor, Point anchorEnd, Point head) {
  anchor_ = anchor;
  anchorEnd_ = anchorEnd;
  head_ = head;
  ++revision_;
  emit changed();
}

void SelectionController::begin(int row, int position) {
  byWords_ = false;
  const Point point{row, position};
  set(point, point, point);
}

void SelectionController::extendTo(int row, int position) {
  if (anchor_.row < 0) return begin(row, position);
  Point head{row, position};
  if (byWords_) {
    const auto [wordBegin, wordEnd] = wordAround(transcript_.textAt(row), position);
    head.position = head < anchor_ ? wordBegin : wordEnd;
  }
  if (head != head_) set(anchor_, anchorEnd_, head);
}

void SelectionController::selectWord(int row, int position) {
  const auto [wordBegin, wordEnd] = wordAround(transcript_.textAt(row), position);
  byWords_ = true;
  set({row, wordBegin}, {row, wordEnd}, {row, wordEnd});
}

void SelectionController::selectBlock(int row) { selectRows(row, row); }

void SelectionController::selectTurn(int row) {
  if (row < 0 || row >= transcript_.count()) return;
  const auto [first, end] = transcript_.turnRows(row);
  selectRows(first, end - 1);
}

void SelectionController::selectAll() {
  if (transcript_.count() > 0) selectRows(0, transcript_.count() - 1);
}

void SelectionController::selectRows(int first, int last) {
  byWords_ = false;
  const Point end{last, static_cast<int>(transcript_.textAt(last).size())};
  set({first, 0}, {first, 0}, end);
}

void SelectionController::moveHead(int clusters) {
  if (head_.row < 0) return;
  Point head = head_;
  const bool forward = clusters > 0;
  for (int left = std::abs(clusters); left > 0; --left) {
    const QString text = transcript_.textAt(head.row);
    QTextBoundaryFinder finder(QTextBoundaryFinder::Grapheme, text);
    finder.setPosition(head.position);
    const qsizetype next = forward ? finder.toNextBoundary() : finder.toPreviousBoundary();
    if (next >= 0) {
      head.position = static_cast<int>(next);
    } else if (forward && head.row + 1 < transcript_.count()) {
      head = {head.row + 1, 0};
    } else if (!forward && head.row > 0) {
      head = {head.row - 1, static_cast<int>(transcript_.textAt(head.row - 1).size())};
    }
  }
  byWords_ = false;
  set(anchor_, anchorEnd_, head);
}

void SelectionController::clear() {
  byWords_ = false;
  if (anchor_.row >= 0) set({}, {}, {});
}

int SelectionController::startIn(int row) const {
  if (!hasSelection() || row < low().row || row > high().row) return 0;
  return row == low().row ? low().position : 0;
}

int SelectionController::endIn(int row) const {
  if (!hasSelection() || row < low().row || row > high().row) return 0;
  if (row == high().row) return high().position;
  return static_cast<int>(transcript_.textAt(row).size());
}

QString SelectionController::markdown() const {
  if (!hasSelection()) return {};
  const auto kindOf = [this](int row) {
    return transcript_.data(transcript_.index(row), TranscriptModel::KindRole).toInt();
  };
  const int first = low().row;
  const int last = high().row;
  if (first == last && kindOf(first) == TranscriptModel::Code)  // the code alone, without a fence
    return transcript_.textAt(first).mid(startIn(first), endIn(first) - startIn(first));
  QString result;
  bool afterItem = false;
  for (int row = first; row <= last; ++row) {
    if (kindOf(row) == TranscriptModel::Footer) continue;
    const QString part = transcript_.markdownOf(row, startIn(row), endIn(row));
    const bool item = kindOf(row) == TranscriptModel::ListItem;
    if (!result.isEmpty()) result += afterItem && item ? u"\n" : u"\n\n";
    result += part;
    afterItem = item;
  }
  return result;
}

bool SelectionController::copy() const {
  if (!hasSelection()) return false;
  QGuiApplication::clipboard()->setText(markdown());
  return true;
}

void SelectionController::publish() const {
  QClipboard* const clipboard = QGuiApplication::clipboard();
  if (hasSelection() && clipboard->supportsSelection())
    clipboard->setText(markdown(), QClipboard::Selection);
}

}  // namespace paluku
