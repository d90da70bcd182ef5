// ServiceHost: the ConversationHost of the running program. It hands verbs to ConversationService
// and brings the service's events to the interface thread, at most once a frame.
//
// Owned by main.cpp, interface thread. Order of the end: close(), then the storage is destroyed,
// then this object (the storage's last jobs still wake it).
#pragma once

#include <QElapsedTimer>
#include <QTimer>
#include <functional>
#include <memory>

#include "app/conversation/conversation_service.h"
#include "app/hosts/conversation_host.h"

namespace paluku {

// What the service needs to know of the settings, asked at the time of each verb.
struct ServiceSettings {
  std::function<AnswerOptions()> answer;
  std::function<LoadOptions()> load;
};

class ServiceHost : public ConversationHost {
  Q_OBJECT

 public:
  explicit ServiceHost(ServiceSettings settings, QObject* parent = nullptr);

  // Makes the service. Errors: those of ConversationService::Create.
  Status open(Storage& storage, const EngineOptions& engine);
  // Stops what runs, stores what was written, ends the engine's thread.
  void close();
  // Another number of threads: the engine starts anew and loads its model again.
  void reconfigure(const EngineOptions& engine);

  const HostModel& model() const override { return model_; }
  void loadModel(const QString& path) override;
  void send(const QString& conversation, const QString& text) override;
  void regenerate(const QString& userMessage) override;
  void continueReply(const QString& reply) override;
  void stop() override;
  void countContext(const QString& conversation) override;

 private:
  static constexpr int kFrameMs = 16;

  void woken();
  void drain();
  void handle(const ModelLoading& event);
  void handle(const ModelReady& event);
  void handle(const ModelFailed& event);
  void handle(const ModelUnloaded& event);
  void handle(const TurnStored& event);
  void handle(const TurnRefused& event);
  void handle(const ReplyReading& event);
  void handle(const ReplyText& event);
  void handle(const ReplyFinished& event);
  void handle(const StoreTrouble& event);
  void handle(const ContextCounted& event);

  ServiceSettings settings_;
  std::unique_ptr<ConversationService> service_;
  HostModel model_;
  RequestId request_ = 0;  // the last one given; 0: none yet
  QTimer frame_;
  QElapsedTimer sinceDrain_;
};

}  // namespace paluku
