#include "app/chat/markdown.h"

#include <md4c.h>

#include <QTextBoundaryFinder>
#include <algorithm>
#include <array>
#include <utility>

namespace paluku {
namespace {

constexpr unsigned kParserFlags = MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_TASKLISTS |
                                  MD_FLAG_PERMISSIVEURLAUTOLINKS | MD_FLAG_NOHTML |
                                  MD_FLAG_NOINDENTEDCODEBLOCKS;
constexpr qsizetype kMaxLanguage = 32;

QString fromUtf8(const MD_CHAR* text, MD_SIZE size) {
  return QString::fromUtf8(text, static_cast<qsizetype>(size));
}

QString attribute(const MD_ATTRIBUTE& value) { return fromUtf8(value.text, value.size); }

// The entities that models write; any other stays as it was written.
QString decodeEntity(const QString& entity) {
  static constexpr std::array<std::pair<QStringView, char16_t>, 6> kNamed{{{u"&amp;", u'&'},
                                                                           {u"&lt;", u'<'},
                                                                           {u"&gt;", u'>'},
                                                                           {u"&quot;", u'"'},
                                                                           {u"&apos;", u'\''},
                                                                           {u"&nbsp;", 0x00A0}}};
  for (const auto& [name, character] : kNamed) {
    if (entity == name) return QString(QChar(character));
  }
  if (!entity.startsWith(u"&#")) return entity;
  const bool hex = entity.size() > 2 && entity[2].toLower() == u'x';
  const qsizetype digits = hex ? 3 : 2;
  bool valid = false;
  const char32_t code =
      entity.sliced(digits, entity.size() - digits - 1).toUInt(&valid, hex ? 16 : 10);
  const bool scalar = code != 0 && code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF);
  return valid && scalar ? QString::fromUcs4(&code, 1) : QString(QChar::ReplacementCharacter);
}

int alignmentOf(MD_ALIGN align) {
  if (align == MD_ALIGN_CENTER) return Qt::AlignHCenter;
  return align == MD_ALIGN_RIGHT ? Qt::AlignRight : Qt::AlignLeft;
}

// Turns the events of md4c into blocks.
class BlockBuilder {
 public:
  BlockBuilder(QStringView source, bool wholeText)
      : source_(source), utf8_(source.toUtf8()), wholeText_(wholeText) {}

  ParsedMarkdown build() {
    MD_PARSER parser{};
    parser.flags = kParserFlags;
    parser.enter_block = [](MD_BLOCKTYPE type, void* detail, void* self) {
      static_cast<BlockBuilder*>(self)->enterBlock(type, detail);
      return 0;
    };
    parser.leave_block = [](MD_BLOCKTYPE type, void*, void* self) {
      static_cast<BlockBuilder*>(self)->leaveBlock(type);
      return 0;
    };
    parser.enter_span = [](MD_SPANTYPE type, void* detail, void* self) {
      static_cast<BlockBuilder*>(self)->enterSpan(type, detail);
      return 0;
    };
    parser.leave_span = [](MD_SPANTYPE, void*, void* self) {
      static_cast<BlockBuilder*>(self)->styles_.pop_back();
      return 0;
    };
    parser.text = [](MD_TEXTTYPE type, const MD_CHAR* text, MD_SIZE size, void* self) {
      static_cast<BlockBuilder*>(self)->addText(type, text, size);
      return 0;
    };
    const int failed =
        md_parse(utf8_.constData(), static_cast<MD_SIZE>(utf8_.size()), &parser, this);
    if (failed != 0) return asPlainText();
    return std::move(parsed_);
  }

 private:
  struct List {
    bool ordered;
    unsigned next;  // number of the next item
    QChar delimiter;
  };
  struct Style {
    std::uint8_t bits;
    QString url;
  };

  // What md4c gives up on (it ran out of memory) is shown as it was written.
  ParsedMarkdown asPlainText() {
    block_ = {};
    block_.text = safeText(source_);
    block_.sourceEnd = source_.size();
    cutText();
    return {.blocks = {block_}, .lastBegin = 0, .closedBlocks = 0};
  }

  // --- Blocks ---

  void enterBlock(MD_BLOCKTYPE type, void* detail) {
    if (type != MD_BLOCK_DOC && ++depth_ == 1) {
      topBlocks_ = parsed_.blocks.size();
      topIsCode_ = type == MD_BLOCK_CODE;
      topSeen_ = false;
    }
    switch (type) {
      case MD_BLOCK_QUOTE:
        finishBlock();
        ++quotes_;
        break;
      case MD_BLOCK_UL:
        finishBlock();
        lists_.push_back({false, 0, u'.'});
        break;
      case MD_BLOCK_OL: {
        const auto* list = static_cast<const MD_BLOCK_OL_DETAIL*>(detail);
        finishBlock();
        lists_.push_back({true, list->start, QLatin1Char(list->mark_delimiter)});
        break;
      }
      case MD_BLOCK_LI:
        finishBlock();
        marker_ = nextMarker(*static_cast<const MD_BLOCK_LI_DETAIL*>(detail));
        break;
      case MD_BLOCK_HR:
        startBlock(BlockKind::kRule);
        break;
      case MD_BLOCK_H:
        startBlock(BlockKind::kHeading);
        block_.level = static_cast<int>(static_cast<const MD_BLOCK_H_DETAIL*>(detail)->level);
        break;
      case MD_BLOCK_CODE:
        startBlock(BlockKind::kCode);
        block_.language =
            safeText(attribute(static_cast<const MD_BLOCK_CODE_DETAIL*>(detail)->lang))
                .left(kMaxLanguage);
        break;
      case MD_BLOCK_TABLE:
        startBlock(BlockKind::kTable);
        block_.columns =
            static_cast<int>(static_cast<const MD_BLOCK_TABLE_DETAIL*>(detail)->col_count);
        break;
      case MD_BLOCK_TH:
        block_.alignments.push_back(
            alignmentOf(static_cast<const MD_BLOCK_TD_DETAIL*>(detail)->align));
        break;
      case MD_BLOCK_P:
        startBlock(BlockKind::kParagraph);
        break;
      default:  // the document, table parts; raw HTML is switched off
        break;
    }
  }

  void leaveBlock(MD_BLOCKTYPE type) {
    if (type != MD_BLOCK_DOC) --depth_;
    switch (type) {
      case MD_BLOCK_QUOTE:
        finishBlock();
        --quotes_;
        break;
      case MD_BLOCK_UL:
      case MD_BLOCK_OL:
        finishBlock();
        lists_.pop_back();
        break;
      case MD_BLOCK_LI:
        if (!marker_.isEmpty()) startBlock(BlockKind::kParagraph);  // an empty item
        finishBlock();
        break;
      case MD_BLOCK_TH:
      case MD_BLOCK_TD:
        finishCell();
        break;
      case MD_BLOCK_HR:
      case MD_BLOCK_H:
      case MD_BLOCK_CODE:
      case MD_BLOCK_P:
      case MD_BLOCK_TABLE:
        finishBlock();
        break;
      default:
        break;
    }
  }

  QString nextMarker(const MD_BLOCK_LI_DETAIL& item) {
    if (item.is_task) return item.task_mark == ' ' ? u"☐"_qs : u"☑"_qs;
    List& list = lists_.back();
    if (!list.ordered) return u"•"_qs;
    return QString::number(list.next++) + list.delimiter;
  }

  void startBlock(BlockKind kind) {
    finishBlock();
    block_ = {};
    block_.kind = kind;
    block_.marker = std::exchange(marker_, {});
    if (kind == BlockKind::kParagraph && !block_.marker.isEmpty())
      block_.kind = BlockKind::kListItem;
    block_.listDepth = std::min<int>(static_cast<int>(lists_.size()), kMaxNesting);
    block_.quoteDepth = std::min(quotes_, kMaxNesting);
    open_ = true;
    firstByte_ = -1;
    lastByte_ = -1;
  }

  void finishBlock() {
    if (!open_) return;
    open_ = false;
    if (block_.kind == BlockKind::kTable) block_.text = tableText();
    finishSource();
    if (block_.kind == BlockKind::kCode) finishCode();
    cutText();
    parsed_.blocks.push_back(std::move(block_));
  }

  // The text of a fenced block ends with the newline before its fence, which is not part of it.
  void finishCode() {
    if (block_.text.endsWith(u'\n')) block_.text.chop(1);
    if (firstByte_ < 0) return;
    block_.sourceBegin = openingFence(block_.sourceBegin);
    const qsizetype codeEnd = takeClosingFence();
    // The parser writes tabs at the begin of a line as spaces. Where nothing but the fence shifts
    // the lines, the code is what stands between its fences, byte for byte.
    const QChar fence = source_[block_.sourceBegin];
    const bool nested = block_.listDepth > 0 || block_.quoteDepth > 0;
    if (nested || (fence != u'`' && fence != u'~')) return;
    const qsizetype codeBegin = std::min(lineEnd(block_.sourceBegin) + 1, codeEnd);
    block_.text = safeText(source_.sliced(codeBegin, codeEnd - codeBegin));
    if (block_.text.endsWith(u'\n')) block_.text.chop(1);
  }

  static bool isFence(QStringView line) { return line.contains(u"```") || line.contains(u"~~~"); }

  static bool isBlank(QStringView line) {
    return std::all_of(line.begin(), line.end(), [](QChar c) { return c.isSpace() || c == u'>'; });
  }

  // The line that opens the fence, at or before `line`: the parser tells no place of blank lines.
  qsizetype openingFence(qsizetype line) const {
    for (qsizetype place = line; place > 0;) {
      const qsizetype before = lineBegin(place - 1);
      const QStringView text = source_.sliced(before, place - 1 - before);
      if (isFence(text)) return before;
      if (!isBlank(text)) break;
      place = before;
    }
    return line;
  }

  // Moves the end of the block behind its closing fence, if there is one. Returns where the code
  // itself ends.
  qsizetype takeClosingFence() {
    for (qsizetype line = block_.sourceEnd + 1; line <= source_.size();) {
      const qsizetype end = lineEnd(line);
      const QStringView text = source_.sliced(line, end - line);
      if (isFence(text)) {
        block_.sourceEnd = end;
        return line;
      }
      if (!isBlank(text)) break;
      line = end + 1;
    }
    block_.closed = false;
    return source_.size();
  }

  void finishCell() {
    block_.cells.push_back(block_.text.left(kMaxBlockText));
    block_.text.clear();
    block_.spans.clear();
  }

  QString tableText() const {
    QString text;
    for (qsizetype i = 0; i < block_.cells.size(); ++i) {
      if (i > 0) text += i % block_.columns == 0 ? u'\n' : u'\t';
      text += block_.cells[i];
    }
    return text;
  }

  void cutText() {
    if (wholeText_ || block_.text.size() <= kMaxBlockText) return;
    QTextBoundaryFinder finder(QTextBoundaryFinder::Grapheme, block_.text);
    finder.setPosition(kMaxBlockText);
    if (!finder.isAtBoundary()) finder.toPreviousBoundary();
    block_.text.truncate(finder.position());
    block_.cut = true;
    const int end = static_cast<int>(block_.text.size());
    while (!block_.spans.empty() && block_.spans.back().start >= end) block_.spans.pop_back();
    if (!block_.spans.empty()) {
      InlineSpan& last = block_.spans.back();
      last.length = std::min(last.length, end - last.start);
    }
  }

  // --- Where a block stands in the source ---

  // UTF-16 offset of a byte; the bytes asked for mostly ascend.
  qsizetype unitOf(qsizetype byte) {
    if (byte < knownByte_) knownByte_ = knownUnit_ = 0;
    for (; knownByte_ < byte; ++knownByte_) {
      const auto lead = static_cast<unsigned char>(utf8_[knownByte_]);
      if ((lead & 0xC0) != 0x80) knownUnit_ += lead >= 0xF0 ? 2 : 1;
    }
    return knownUnit_;
  }

  qsizetype lineBegin(qsizetype unit) const {
    return unit == 0 ? 0 : source_.lastIndexOf(u'\n', unit - 1) + 1;
  }

  qsizetype lineEnd(qsizetype unit) const {
    const qsizetype newline = source_.indexOf(u'\n', unit);
    return newline < 0 ? source_.size() : newline;
  }

  void noteSource(const MD_CHAR* text, MD_SIZE size) {
    const char* const begin = utf8_.constData();
    if (text < begin || text > begin + utf8_.size()) return;  // a string of the parser's own
    const qsizetype byte = text - begin;
    if (firstByte_ < 0) firstByte_ = byte;
    lastByte_ = byte + static_cast<qsizetype>(size);
    if (topSeen_) return;
    topSeen_ = true;
    qsizetype first = lineBegin(unitOf(byte));
    if (topIsCode_) first = openingFence(first);
    parsed_.lastBegin = first;
    parsed_.closedBlocks = topBlocks_;
  }

  void finishSource() {
    if (firstByte_ < 0) {  // a rule, an empty block: right after what stands before
      block_.sourceBegin = block_.sourceEnd =
          parsed_.blocks.empty() ? 0 : parsed_.blocks.back().sourceEnd;
      return;
    }
    block_.sourceBegin = lineBegin(unitOf(firstByte_));
    block_.sourceEnd = lineEnd(unitOf(lastByte_));
    if (block_.kind == BlockKind::kTable && block_.cells.size() == block_.columns)
      block_.sourceEnd = lineEnd(std::min(block_.sourceEnd + 1, source_.size()));
  }

  // --- Inline ---

  void enterSpan(MD_SPANTYPE type, void* detail) {
    Style style = styles_.empty() ? Style{0, {}} : styles_.back();
    switch (type) {
      case MD_SPAN_EM:
        style.bits |= kItalic;
        break;
      case MD_SPAN_STRONG:
        style.bits |= kBold;
        break;
      case MD_SPAN_CODE:
        style.bits |= kCode;
        break;
      case MD_SPAN_DEL:
        style.bits |= kStrike;
        break;
      case MD_SPAN_A:
        style = linked(style, attribute(static_cast<const MD_SPAN_A_DETAIL*>(detail)->href));
        break;
      case MD_SPAN_IMG:  // never loaded: its words link to it
        style = linked(style, attribute(static_cast<const MD_SPAN_IMG_DETAIL*>(detail)->src));
        break;
      default:
        break;
    }
    styles_.push_back(std::move(style));
  }

  // What cannot be opened is no link, only its words.
  static Style linked(Style style, const QString& url) {
    if (isOpenableLink(url)) {
      style.bits |= kLink;
      style.url = url;
    }
    return style;
  }

  void addText(MD_TEXTTYPE type, const MD_CHAR* text, MD_SIZE size) {
    if (!open_) startBlock(BlockKind::kParagraph);  // the text of a tight list item
    noteSource(text, size);
    switch (type) {
      case MD_TEXT_NULLCHAR:
        addStyled(QString(QChar::ReplacementCharacter));
        break;
      case MD_TEXT_BR:
      case MD_TEXT_SOFTBR:  // models break lines where they mean it: verses, addresses
        addStyled(u"\n"_qs);
        break;
      case MD_TEXT_ENTITY:
        addStyled(safeText(decodeEntity(fromUtf8(text, size))));
        break;
      default:
        addStyled(safeText(fromUtf8(text, size)));
        break;
    }
  }

  void addStyled(const QString& text) {
    const int start = static_cast<int>(block_.text.size());
    block_.text += text;
    if (styles_.empty() || styles_.back().bits == 0 || text.isEmpty()) return;
    const Style& style = styles_.back();
    if (!block_.spans.empty()) {
      InlineSpan& last = block_.spans.back();
      if (last.start + last.length == start && last.style == style.bits && last.url == style.url) {
        last.length += static_cast<int>(text.size());
        return;
      }
    }
    block_.spans.push_back({start, static_cast<int>(text.size()), style.bits, style.url});
  }

  const QStringView source_;
  const QByteArray utf8_;
  const bool wholeText_;
  ParsedMarkdown parsed_;

  Block block_;
  bool open_ = false;
  QString marker_;  // of the list item that has no block yet
  std::vector<List> lists_;
  int quotes_ = 0;
  std::vector<Style> styles_;

  int depth_ = 0;              // blocks that are open, the document not counted
  std::size_t topBlocks_ = 0;  // blocks made before the top-level block that is open
  bool topIsCode_ = false;
  bool topSeen_ = false;  // a text of it has told where it begins
  qsizetype firstByte_ = -1;
  qsizetype lastByte_ = -1;
  qsizetype knownByte_ = 0;
  qsizetype knownUnit_ = 0;
};

}  // namespace

ParsedMarkdown parseMarkdown(QStringView source, bool wholeText) {
  return BlockBuilder(source, wholeText).build();
}

}  // namespace paluku
