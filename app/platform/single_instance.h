// SingleInstance: a second start of Paluku with the same data asks the first for its window instead
// of opening another. A socket in the runtime directory that only this user may use; the database's
// own lock (storage) is what protects the data. Interface thread.
#pragma once

#include <QLocalServer>
#include <QObject>
#include <QString>
#include <QStringList>

namespace paluku {

class SingleInstance : public QObject {
  Q_OBJECT

 public:
  // `dataPath` tells one set of data from another.
  explicit SingleInstance(const QString& dataPath, QObject* parent = nullptr);

  // True when another Paluku runs; it was asked to come to the front and to open `files`.
  bool askFirst(const QStringList& files);
  // Makes this the first; without effect when the socket cannot be made.
  void listen();

 signals:
  // Another start asks for the window; `files` are models it was given.
  void asked(const QStringList& files);

 private:
  void readRequest();

  QString name_;
  QLocalServer server_;
};

}  // namespace paluku
