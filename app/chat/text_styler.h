// TextStyler: puts a row's text and its styles into the document of a read-only TextEdit whose
// textFormat is PlainText. Bind `text` here instead of TextEdit.text: only what changed is
// replaced, so that a growing block is not laid out from its start. Emphasis, code and links are
// character formats of a QSyntaxHighlighter; no markup is ever made. The line height is fixed in
// pixels.
//
// Created in QML beside its TextEdit:
//   TextEdit { id: edit; readOnly: true; textFormat: TextEdit.PlainText }
//   TextStyler { document: edit.textDocument; text: row.text; spans: row.spans; lineHeight: 27 }
// For a composer (the person types) leave `text` alone and bind document and lineHeight only.
// Interface thread.
#pragma once

#include <QtQml/qqmlregistration.h>

#include <QColor>
#include <QObject>
#include <QPointer>
#include <QQuickTextDocument>
#include <QString>
#include <QVariant>

#include "app/chat/block.h"
#include "app/chat/span_highlighter.h"

namespace paluku {

class TextStyler : public QObject {
  Q_OBJECT
  QML_ELEMENT

  Q_PROPERTY(QQuickTextDocument* document READ document WRITE setDocument NOTIFY changed)
  Q_PROPERTY(QString text READ text WRITE setText NOTIFY changed)
  // TranscriptModel's role `spans`; nothing: no styles.
  Q_PROPERTY(QVariant spans READ spans WRITE setSpans NOTIFY changed)
  // Pixels; 0 leaves the font's own.
  Q_PROPERTY(double lineHeight READ lineHeight WRITE setLineHeight NOTIFY changed)
  Q_PROPERTY(QString codeFamily READ codeFamily WRITE setCodeFamily NOTIFY changed)
  Q_PROPERTY(int codePixelSize READ codePixelSize WRITE setCodePixelSize NOTIFY changed)
  Q_PROPERTY(QColor codeBackground READ codeBackground WRITE setCodeBackground NOTIFY changed)
  Q_PROPERTY(QColor linkColor READ linkColor WRITE setLinkColor NOTIFY changed)
  // Of code, as its fence names it; its words get the colours of `syntax`, in the order of
  // CodeKind.
  Q_PROPERTY(QString language READ language WRITE setLanguage NOTIFY changed)
  Q_PROPERTY(QList<QColor> syntax READ syntax WRITE setSyntax NOTIFY changed)
  // Of the longest line when nothing wraps. TextEdit.implicitWidth says the same, but lays the
  // whole document out twice for it, after each change.
  Q_PROPERTY(double naturalWidth READ naturalWidth NOTIFY naturalWidthChanged)

 public:
  explicit TextStyler(QObject* parent = nullptr);
  ~TextStyler() override;

  QQuickTextDocument* document() const { return document_; }
  void setDocument(QQuickTextDocument* document);
  QString text() const { return text_; }
  void setText(const QString& text);
  QVariant spans() const { return QVariant::fromValue(spans_); }
  void setSpans(const QVariant& spans);
  double lineHeight() const { return lineHeight_; }
  void setLineHeight(double pixels);
  QString codeFamily() const { return look_.codeFamily; }
  void setCodeFamily(const QString& family);
  int codePixelSize() const { return look_.codePixelSize; }
  void setCodePixelSize(int pixels);
  QColor codeBackground() const { return look_.codeBackground; }
  void setCodeBackground(const QColor& color);
  QColor linkColor() const { return look_.linkColor; }
  void setLinkColor(const QColor& color);
  QString language() const { return language_; }
  void setLanguage(const QString& name);
  QList<QColor> syntax() const { return look_.syntax; }
  void setSyntax(const QList<QColor>& colors);
  double naturalWidth() const { return naturalWidth_; }

 signals:
  void changed();
  void naturalWidthChanged();

 private:
  void setLook(const SpanLook& look);
  void replaceChangedText();
  void contentsChanged(int position, int removed, int added);
  void applyLineHeight(int position, int added);
  void measure();

  QPointer<QQuickTextDocument> document_;
  QPointer<SpanHighlighter> highlighter_;  // dies with the document
  SpanLook look_;
  InlineSpans spans_;
  QString language_;
  QString text_;           // what the document should hold
  QString shown_;          // what it holds
  bool ownsText_ = false;  // `text` was set: the document is ours to fill
  bool applying_ = false;  // the document changes because of applyLineHeight()
  double lineHeight_ = 0;
  double naturalWidth_ = 0;
};

}  // namespace paluku
