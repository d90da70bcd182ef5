// Notices: the two places where Paluku speaks by itself, a banner over the page (something is wrong
// and stays wrong) and a toast over the composer (something was done and can be undone). One of
// each at a time; the same error twice updates the first.
//
// Owned by AppController, interface thread.
#pragma once

#include <QtQml/qqmlregistration.h>

#include <QObject>
#include <QString>
#include <QTimer>
#include <functional>
#include <optional>

#include "engine/base/error.h"

namespace paluku {

class Notices : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("Owned by AppController.")

  // Empty: no banner.
  Q_PROPERTY(QString bannerText READ bannerText NOTIFY bannerChanged)
  Q_PROPERTY(paluku::Notices::Kind bannerKind READ bannerKind NOTIFY bannerChanged)
  // What helps, as the words of a button; empty: nothing.
  Q_PROPERTY(QString bannerAction READ bannerAction NOTIFY bannerChanged)
  // Empty: no toast.
  Q_PROPERTY(QString toastText READ toastText NOTIFY toastChanged)
  Q_PROPERTY(bool toastHasUndo READ toastHasUndo NOTIFY toastChanged)
  // True while the pointer or the focus is on the toast: it stays as long.
  Q_PROPERTY(bool toastHeld READ toastHeld WRITE setToastHeld NOTIFY toastHeldChanged)
  // Something can be undone, also after its toast has gone.
  Q_PROPERTY(bool canUndo READ canUndo NOTIFY toastChanged)

 public:
  enum Kind { Information, Problem };
  Q_ENUM(Kind)

  explicit Notices(QObject* parent = nullptr);

  QString bannerText() const;
  QString bannerAction() const;
  Kind bannerKind() const { return bannerKind_; }
  QString toastText() const { return toastText_; }
  bool toastHasUndo() const { return !toastText_.isEmpty() && undo_ != nullptr; }
  bool toastHeld() const { return toastHeld_; }
  void setToastHeld(bool held);
  bool canUndo() const { return undo_ != nullptr; }

  // The sentence of `error`, translated; it follows a switch of the language.
  void showProblem(const Error& error);
  // Takes the banner away if it shows such an error, because its cause is gone.
  void clearProblem(ErrorCode code);
  // Shown for 6 seconds; with `undo` 10. Undo stays possible until the next toast.
  void showToast(const QString& text, std::function<void()> undo = nullptr);

  Q_INVOKABLE void dismissBanner();
  // Does what bannerAction() says.
  Q_INVOKABLE void act();
  Q_INVOKABLE void dismissToast();
  // Undoes the last action that can be undone.
  Q_INVOKABLE void undo();
  void retranslate();

 signals:
  void bannerChanged();
  void toastChanged();
  void toastHeldChanged();
  // Paluku is to end and to start again.
  void restartWanted();

 private:
  void hideToast();

  std::optional<Error> bannerError_;
  Kind bannerKind_ = Information;
  QString toastText_;
  std::function<void()> undo_;
  bool toastHeld_ = false;
  QTimer toastTimer_;
};

}  // namespace paluku
