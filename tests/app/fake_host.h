// FakeHost: a ConversationHost that stores turns in a real storage and answers what the test says.
#pragma once

#include <QStringList>

#include "app/hosts/conversation_host.h"
#include "storage/storage.h"

namespace paluku {

class FakeHost : public ConversationHost {
  Q_OBJECT

 public:
  // nullptr: turns cannot be stored; send() is only counted.
  explicit FakeHost(Storage* storage) : storage_(storage) {}

  // A model of V2-Lite's shape, 16-bit: 31,104 bytes a token instead of 276,480.
  void makeReady();
  void setModel(HostModel::State state, double progress = 0);
  void failModel(const Error& error);
  // The model is ready again, on `home`.
  void moveModel(const ModelHome& home);

  // Stores what send() or regenerate() asked for last and tells so.
  void begin();
  void refuse(const Error& error);
  void read(int done, int total);
  void write(const QString& text, int tokens = 1, const QString& reasoning = {});
  void end(MessageState state, const std::optional<Error>& error = {});

  // What was asked.
  QStringList loaded;  // paths
  struct Request {
    QString conversation;
    QString text;
    QString userMessage;  // of regenerate()
    QString reply;        // of continueReply()
  };
  QList<Request> requests;
  int stops = 0;
  MessageRecord reply;  // of the turn that was begun last
  ConversationRecord conversation;

  const HostModel& model() const override { return model_; }
  void loadModel(const QString& path) override;
  void send(const QString& conversationId, const QString& text) override;
  void regenerate(const QString& userMessage) override;
  void continueReply(const QString& reply) override;
  void stop() override { ++stops; }
  void countContext(const QString& conversationId) override;

 private:
  Storage* storage_;
  HostModel model_;
  int generated_ = 0;
};

}  // namespace paluku
