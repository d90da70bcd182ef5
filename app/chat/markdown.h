// Markdown of a model's answer to blocks. Parsed by md4c with raw HTML off; Qt's own parsers never
// see it (security.md 0). Images become links, control characters vanish, bidirectional controls
// become visible, and sizes are limited, so that no text can hurt the layout.
//
// Pure functions, any thread.
#pragma once

#include <QString>
#include <QStringView>
#include <vector>

#include "app/chat/block.h"

namespace paluku {

inline constexpr qsizetype kMaxRun = 4096;          // characters without a place to break a line
inline constexpr qsizetype kMaxBlockText = 65'536;  // characters shown of one block
inline constexpr int kMaxNesting = 64;              // lists and quotes

struct ParsedMarkdown {
  std::vector<Block> blocks;
  // Offset in the source where the last top-level block begins: what stands before it will not
  // change when text is added at the end.
  qsizetype lastBegin = 0;
  // Blocks made of what stands before lastBegin.
  std::size_t closedBlocks = 0;
};

// `wholeText`: do not cut blocks at kMaxBlockText.
ParsedMarkdown parseMarkdown(QStringView source, bool wholeText = false);

// Text as it may be shown: without C0 and C1 controls (newline and tab stay), bidirectional
// controls as a visible sign, runs without a break longer than kMaxRun broken by a newline.
QString safeText(QStringView text);

// Whether a link may be opened: http, https or mailto with a host or an address.
bool isOpenableLink(const QString& url);

// Markdown of [from, to) of a block's text, its styles written out again.
QString markdownOfRange(const Block& block, int from, int to);

}  // namespace paluku
