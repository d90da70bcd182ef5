// The nodes of a message as the transcript shows them: one Block per row, its text without any
// markup, and spans that say which characters are bold, code or a link. Values without a thread.
#pragma once

#include <QList>
#include <QMetaType>
#include <QString>
#include <QStringList>
#include <cstdint>

namespace paluku {

// Character styles; a span holds a combination.
enum SpanStyle : std::uint8_t {
  kBold = 1,  // also for emphasis in scripts without italics
  kItalic = 2,
  kCode = 4,
  kLink = 8,
  kStrike = 16,
};

// `start` and `length` count UTF-16 units of Block::text.
struct InlineSpan {
  int start = 0;
  int length = 0;
  std::uint8_t style = 0;
  QString url;  // of a link
  bool operator==(const InlineSpan&) const = default;
};

// In order of start, not overlapping.
using InlineSpans = QList<InlineSpan>;

enum class BlockKind : std::uint8_t { kParagraph, kHeading, kListItem, kCode, kTable, kRule };

struct Block {
  BlockKind kind = BlockKind::kParagraph;
  QString text;  // what is shown; of a table: its cells joined by tabs and newlines
  InlineSpans spans;
  int level = 0;              // heading 1..6
  QString marker;             // "•" or "3." on the first block of a list item
  int listDepth = 0;          // 0: not in a list
  int quoteDepth = 0;         // 0: not in a quote
  QString language;           // of a code block
  QStringList cells;          // table, row by row, the header first
  int columns = 0;            // table
  QList<int> alignments;      // table: Qt::AlignmentFlag per column
  bool closed = true;         // false: a code block whose fence has not ended yet
  bool cut = false;           // text beyond kMaxBlockText is left out
  qsizetype sourceBegin = 0;  // lines of the source that made it, [begin, end)
  qsizetype sourceEnd = 0;
  bool operator==(const Block&) const = default;
};

}  // namespace paluku

Q_DECLARE_METATYPE(paluku::InlineSpans)
