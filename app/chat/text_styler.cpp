#include "app/chat/text_styler.h"

#include <QAbstractTextDocumentLayout>
#include <QTextCursor>
#include <QTextDocument>
#include <algorithm>

namespace paluku {

TextStyler::TextStyler(QObject* parent) : QObject(parent) {}

TextStyler::~TextStyler() { delete highlighter_; }

void TextStyler::setDocument(QQuickTextDocument* document) {
  if (document == document_) return;
  document_ = document;
  delete highlighter_;
  if (document_) {
    QTextDocument* const text = document_->textDocument();
    highlighter_ = new SpanHighlighter(text);
    shown_.clear();
    highlighter_->setLook(look_);
    highlighter_->setSpans(spans_);
    highlighter_->setLanguage(codeLanguage(language_));
    connect(text, &QTextDocument::contentsChange, this, &TextStyler::contentsChanged);
    connect(text->documentLayout(), &QAbstractTextDocumentLayout::update, this,
            &TextStyler::measure);
    if (ownsText_) replaceChangedText();
    applyLineHeight(0, text->characterCount());
  }
  emit changed();
}

void TextStyler::setText(const QString& text) {
  if (ownsText_ && text == text_) return;
  ownsText_ = true;
  text_ = text;
  if (document_) replaceChangedText();
  emit changed();
}

void TextStyler::setSpans(const QVariant& spans) {
  spans_ = spans.value<InlineSpans>();
  if (highlighter_) highlighter_->setSpans(spans_);
  emit changed();
}

void TextStyler::setLineHeight(double pixels) {
  if (pixels == lineHeight_) return;
  lineHeight_ = pixels;
  if (document_) applyLineHeight(0, document_->textDocument()->characterCount());
  emit changed();
}

void TextStyler::setCodeFamily(const QString& family) {
  SpanLook look = look_;
  look.codeFamily = family;
  setLook(look);
}

void TextStyler::setCodePixelSize(int pixels) {
  SpanLook look = look_;
  look.codePixelSize = pixels;
  setLook(look);
}

void TextStyler::setCodeBackground(const QColor& color) {
  SpanLook look = look_;
  look.codeBackground = color;
  setLook(look);
}

void TextStyler::setLinkColor(const QColor& color) {
  SpanLook look = look_;
  look.linkColor = color;
  setLook(look);
}

void TextStyler::setLanguage(const QString& name) {
  if (name == language_) return;
  language_ = name;
  if (highlighter_) highlighter_->setLanguage(codeLanguage(name));
  emit changed();
}

void TextStyler::setSyntax(const QList<QColor>& colors) {
  SpanLook look = look_;
  look.syntax = colors;
  setLook(look);
}

void TextStyler::setLook(const SpanLook& look) {
  if (look == look_) return;
  look_ = look;
  if (highlighter_) highlighter_->setLook(look_);
  emit changed();
}

// Replaces what differs from the first different character on, so that the lines before it keep
// their layout.
void TextStyler::replaceChangedText() {
  QTextDocument* const document = document_->textDocument();
  document->setUndoRedoEnabled(false);
  const auto [before, now] =
      std::mismatch(shown_.begin(), shown_.end(), text_.begin(), text_.end());
  const auto kept = before - shown_.begin();
  if (kept == shown_.size() && kept == text_.size()) return;
  shown_ = text_;
  QTextCursor cursor(document);
  cursor.setPosition(static_cast<int>(kept));
  cursor.movePosition(QTextCursor::End, QTextCursor::KeepAnchor);
  cursor.insertText(text_.sliced(kept));
}

void TextStyler::contentsChanged(int position, int removed, int added) {
  Q_UNUSED(removed);
  if (!applying_) applyLineHeight(position, added);
}

void TextStyler::applyLineHeight(int position, int added) {
  if (lineHeight_ <= 0) return;
  applying_ = true;
  QTextDocument* const document = document_->textDocument();
  QTextBlockFormat format;
  format.setLineHeight(lineHeight_, QTextBlockFormat::FixedHeight);
  const QTextBlock last =
      document->findBlock(std::min(position + added, std::max(0, document->characterCount() - 1)));
  for (QTextBlock block = document->findBlock(position); block.isValid(); block = block.next()) {
    if (block.blockFormat().lineHeight() != lineHeight_) {
      QTextCursor cursor(block);
      cursor.joinPreviousEditBlock();  // one step of undo together with what the person typed
      cursor.mergeBlockFormat(format);
      cursor.endEditBlock();
    }
    if (block == last) break;
  }
  applying_ = false;
}

void TextStyler::measure() {
  const double width = document_ ? document_->textDocument()->idealWidth() : 0;
  if (width == naturalWidth_) return;
  naturalWidth_ = width;
  emit naturalWidthChanged();
}

}  // namespace paluku
