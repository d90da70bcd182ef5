#include "app/platform/single_instance.h"

#include <QCryptographicHash>
#include <QDataStream>
#include <QLocalSocket>
#include <QStandardPaths>

namespace paluku {
namespace {

constexpr int kAnswerMs = 500;
constexpr qint64 kMaxRequest = 64LL * 1024;

QString socketName(const QString& dataPath) {
  const QByteArray hash =
      QCryptographicHash::hash(dataPath.toUtf8(), QCryptographicHash::Sha256).toHex().left(16);
  const QString folder = QStandardPaths::writableLocation(QStandardPaths::RuntimeLocation);
  return folder + u"/paluku-"_qs + QString::fromLatin1(hash);
}

}  // namespace

SingleInstance::SingleInstance(const QString& dataPath, QObject* parent)
    : QObject(parent), name_(socketName(dataPath)), server_(this) {
  server_.setSocketOptions(QLocalServer::UserAccessOption);
  connect(&server_, &QLocalServer::newConnection, this, &SingleInstance::readRequest);
}

bool SingleInstance::askFirst(const QStringList& files) {
  QLocalSocket socket;
  socket.connectToServer(name_);
  if (!socket.waitForConnected(kAnswerMs)) return false;
  QByteArray request;
  QDataStream stream(&request, QIODevice::WriteOnly);
  stream << files;
  socket.write(request);
  return socket.waitForBytesWritten(kAnswerMs);
}

void SingleInstance::listen() {
  if (server_.listen(name_)) return;
  QLocalServer::removeServer(name_);  // left over from a crash: nobody answered askFirst()
  server_.listen(name_);
}

void SingleInstance::readRequest() {
  while (QLocalSocket* const socket = server_.nextPendingConnection()) {
    connect(socket, &QLocalSocket::disconnected, socket, &QObject::deleteLater);
    connect(socket, &QLocalSocket::readyRead, this, [this, socket] {
      if (socket->bytesAvailable() > kMaxRequest) return socket->abort();
      QDataStream stream(socket);
      stream.startTransaction();
      QStringList files;
      stream >> files;
      if (stream.commitTransaction()) emit asked(files);
    });
  }
}

}  // namespace paluku
