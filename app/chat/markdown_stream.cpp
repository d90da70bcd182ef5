#include "app/chat/markdown_stream.h"

#include <iterator>

#include "app/chat/markdown.h"

namespace paluku {
namespace {

constexpr qsizetype kLongestMarker = 80;

// "-", "1.", "```", "| --": nothing but characters that begin, underline or close a block.
bool isOnlyMarker(QStringView line) {
  if (line.isEmpty() || line.size() > kLongestMarker) return false;
  for (const QChar c : line) {
    if (!c.isSpace() && !c.isDigit() && !QStringView(u"-=*_+#>|`~:.)").contains(c)) return false;
  }
  return true;
}

bool isTableLine(QStringView line) { return line.trimmed().startsWith(u'|'); }

qsizetype lineBegin(QStringView text, qsizetype position) {
  return position == 0 ? 0 : text.lastIndexOf(u'\n', position - 1) + 1;
}

// How far a text that still grows can be shown without a block changing its kind later.
qsizetype decidedEnd(QStringView text) {
  const qsizetype last = lineBegin(text, text.size());
  const QStringView lastLine = text.sliced(last);
  const qsizetype before = last == 0 ? 0 : lineBegin(text, last - 1);
  const QStringView lineBefore = last == 0 ? QStringView() : text.sliced(before, last - 1 - before);
  const bool undecided = lastLine.isEmpty() || isOnlyMarker(lastLine);
  if (undecided && isTableLine(lineBefore)) {  // perhaps the head of a table
    const qsizetype earlier = before == 0 ? 0 : lineBegin(text, before - 1);
    const bool inTable = before > 0 && isTableLine(text.sliced(earlier, before - 1 - earlier));
    if (!inTable) return before;
  }
  if (isTableLine(lastLine) && !isTableLine(lineBefore)) return last;
  return isOnlyMarker(lastLine) ? last : text.size();
}

void shift(std::vector<Block>& blocks, qsizetype by) {
  for (Block& block : blocks) {
    block.sourceBegin += by;
    block.sourceEnd += by;
  }
}

}  // namespace

BlockChange MarkdownStream::append(QStringView text) {
  source_ += text;
  return parseTail(tailBegin_ + decidedEnd(QStringView(source_).sliced(tailBegin_)));
}

BlockChange MarkdownStream::finish() {
  finished_ = true;
  tailBegin_ = 0;
  tailBlock_ = 0;
  return parseTail(source_.size());
}

BlockChange MarkdownStream::set(const QString& source) {
  source_ = source;
  return finish();
}

BlockChange MarkdownStream::parseTail(qsizetype end) {
  ParsedMarkdown parsed = parseMarkdown(QStringView(source_).sliced(tailBegin_, end - tailBegin_));
  shift(parsed.blocks, tailBegin_);
  if (finished_) {  // an answer may end inside a fence; its block grows no more
    for (Block& block : parsed.blocks) block.closed = true;
  }
  const int before = static_cast<int>(blocks_.size());
  std::size_t kept = tailBlock_;
  while (kept < blocks_.size() && kept - tailBlock_ < parsed.blocks.size() &&
         blocks_[kept] == parsed.blocks[kept - tailBlock_]) {
    ++kept;
  }
  const auto firstNew = parsed.blocks.begin() + static_cast<std::ptrdiff_t>(kept - tailBlock_);
  blocks_.resize(kept);
  blocks_.insert(blocks_.end(), std::make_move_iterator(firstNew),
                 std::make_move_iterator(parsed.blocks.end()));
  if (!finished_) {
    tailBegin_ += parsed.lastBegin;
    tailBlock_ += parsed.closedBlocks;
  }
  return {static_cast<int>(kept), before};
}

void MarkdownStream::showAll(int index) {
  ParsedMarkdown parsed = parseMarkdown(source_, true);
  const auto place = static_cast<std::size_t>(index);
  if (place < parsed.blocks.size() && place < blocks_.size()) {
    blocks_[place] = std::move(parsed.blocks[place]);
    blocks_[place].closed = true;
  }
}

}  // namespace paluku
