// MarkdownStream: the blocks of a text that grows at its end. Only the part from the last closed
// top-level block on is parsed again, and only blocks that differ are reported.
//
// A value of TranscriptModel, interface thread.
#pragma once

#include <QString>
#include <QStringView>
#include <vector>

#include "app/chat/block.h"

namespace paluku {

// Blocks [0, kept) are as before; `before` stood there, blocks().size() stand there now.
struct BlockChange {
  int kept = 0;
  int before = 0;
};

class MarkdownStream {
 public:
  // Adds text. A last line that may still become the start of another kind of block ("-", "1.",
  // "```") is held back until it is decided.
  BlockChange append(QStringView text);
  // The text is complete: nothing is held back, and everything is parsed once more as a whole.
  BlockChange finish();
  // Replaces everything with a complete text.
  BlockChange set(const QString& source);
  // Block `index` without its limit of length.
  void showAll(int index);

  const QString& source() const { return source_; }
  const std::vector<Block>& blocks() const { return blocks_; }
  bool finished() const { return finished_; }

 private:
  BlockChange parseTail(qsizetype end);

  QString source_;
  std::vector<Block> blocks_;
  qsizetype tailBegin_ = 0;    // in source_
  std::size_t tailBlock_ = 0;  // in blocks_
  bool finished_ = false;
};

}  // namespace paluku
