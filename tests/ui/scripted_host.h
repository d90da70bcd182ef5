// A conversation host for tests and previews of the window: it stores turns like the real service,
// but answers what the test tells it to, when the test tells it. Interface thread.
#pragma once

#include <QString>
#include <string>

#include "app/hosts/conversation_host.h"
#include "storage/storage.h"

namespace paluku {

class ScriptedHost : public ConversationHost {
  Q_OBJECT

 public:
  explicit ScriptedHost(Storage& storage) : storage_(storage) {}

  const HostModel& model() const override { return model_; }
  void loadModel(const QString& path) override;
  void send(const QString& conversation, const QString& text) override;
  void regenerate(const QString& userMessage) override;
  void continueReply(const QString& reply) override;
  void stop() override { end(MessageState::kStopped); }
  void countContext(const QString& conversation) override;

  // The model as the interface sees it from now on.
  void setModel(const HostModel& model);
  void setContextTokens(int tokens) { contextTokens_ = tokens; }
  // More words of the answer, in one frame.
  void write(const QString& text);
  void end(MessageState state);
  bool answering() const { return !reply_.id.empty(); }

 private:
  void begin(const ConversationRecord& conversation, const MessageRecord& user,
             const MessageRecord& reply);

  Storage& storage_;
  HostModel model_;
  MessageRecord reply_;
  QString text_;
  int tokens_ = 0;
  int contextTokens_ = 6214;
};

}  // namespace paluku
