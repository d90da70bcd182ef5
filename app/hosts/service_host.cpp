#include "app/hosts/service_host.h"

#include <QMetaObject>
#include <utility>

#include "app/chat/markdown.h"

namespace paluku {

ServiceHost::ServiceHost(ServiceSettings settings, QObject* parent)
    : ConversationHost(parent), settings_(std::move(settings)), frame_(this) {
  frame_.setSingleShot(true);
  frame_.setTimerType(Qt::PreciseTimer);
  connect(&frame_, &QTimer::timeout, this, &ServiceHost::drain);
}

Status ServiceHost::open(Storage& storage, const EngineOptions& engine) {
  const auto wake = [this] {
    QMetaObject::invokeMethod(this, &ServiceHost::woken, Qt::QueuedConnection);
  };
  PALUKU_ASSIGN_OR_RETURN(service_, ConversationService::Create(storage, engine, wake));
  return {};
}

void ServiceHost::close() { service_.reset(); }

void ServiceHost::reconfigure(const EngineOptions& engine) {
  if (service_) service_->Reconfigure(engine);
}

// --- Verbs ---

void ServiceHost::loadModel(const QString& path) {
  if (!service_) return;
  model_ = {};
  model_.state = HostModel::State::kLoading;
  model_.path = path;
  service_->LoadModel(path.toStdString(), settings_.load());
  emit modelChanged();
}

void ServiceHost::send(const QString& conversation, const QString& text) {
  if (!service_) return;
  request_ = service_->Send({.conversation = conversation.toStdString(),
                             .parent = {},
                             .text = text.toStdString(),
                             .options = settings_.answer()});
}

void ServiceHost::regenerate(const QString& userMessage) {
  if (!service_) return;
  request_ = service_->Regenerate(
      {.user_message = userMessage.toStdString(), .options = settings_.answer()});
}

void ServiceHost::continueReply(const QString& reply) {
  if (!service_) return;
  request_ = service_->Continue({.reply = reply.toStdString(), .options = settings_.answer()});
}

void ServiceHost::stop() {
  if (service_) service_->Stop(request_);
}

void ServiceHost::countContext(const QString& conversation) {
  if (!service_ || conversation.isEmpty()) {
    emit contextCounted(conversation, 0);
  } else {
    service_->CountContext(conversation.toStdString(), settings_.answer().instruction);
  }
}

// --- Events ---

void ServiceHost::woken() {
  const qint64 since = sinceDrain_.isValid() ? sinceDrain_.elapsed() : kFrameMs;
  if (since >= kFrameMs) {
    drain();
  } else if (!frame_.isActive()) {
    frame_.start(static_cast<int>(kFrameMs - since));
  }
}

void ServiceHost::drain() {
  sinceDrain_.start();
  if (!service_) return;
  for (const ConversationEvent& event : service_->Drain())
    std::visit([this](const auto& known) { handle(known); }, event);
}

void ServiceHost::handle(const ModelLoading& event) {
  if (event.path != model_.path.toStdString()) return;  // replaced by a later one
  model_.state = HostModel::State::kLoading;
  if (event.total_bytes > 0) model_.progress = double(event.done_bytes) / double(event.total_bytes);
  emit modelChanged();
}

void ServiceHost::handle(const ModelReady& event) {
  const LoadedModel& loaded = *event.model;
  if (loaded.card.path != model_.path.toStdString()) return;
  model_.state = HostModel::State::kReady;
  model_.name = safeText(QString::fromStdString(loaded.card.name)).simplified();
  model_.progress = 1;
  model_.contextTokens = loaded.context_tokens;
  model_.latentBytesPerToken = loaded.latent_bytes_per_token;
  model_.ordinaryBytesPerToken = loaded.plain_bytes_per_token;
  model_.home = loaded.home;
  model_.error.reset();
  emit modelChanged();
}

void ServiceHost::handle(const ModelFailed& event) {
  const bool replaced = !event.path.empty() && event.path != model_.path.toStdString();
  if (replaced || event.error.code == ErrorCode::kCancelled) return;
  model_.state = HostModel::State::kFailed;
  model_.error = event.error;
  emit modelChanged();
}

void ServiceHost::handle(const ModelUnloaded&) {
  model_ = {};
  emit modelChanged();
}

void ServiceHost::handle(const TurnStored& event) {
  emit turnBegun(event.conversation, event.user, event.reply);
}

void ServiceHost::handle(const TurnRefused& event) { emit refused(event.error); }

void ServiceHost::handle(const ReplyReading& event) {
  emit promptRead(QString::fromStdString(event.message), event.done_tokens, event.total_tokens);
}

void ServiceHost::handle(const ReplyText& event) {
  emit textArrived(QString::fromStdString(event.message),
                   {.text = QString::fromStdString(event.text),
                    .reasoning = QString::fromStdString(event.reasoning),
                    .tokens = event.tokens,
                    .contextTokens = event.context_tokens});
}

void ServiceHost::handle(const ReplyFinished& event) {
  emit finished(QString::fromStdString(event.message), {.state = event.state,
                                                        .stats = event.stats,
                                                        .contextTokens = event.context_tokens,
                                                        .error = event.error,
                                                        .unsaved = event.unsaved});
}

void ServiceHost::handle(const StoreTrouble& event) { emit storeTrouble(event.error); }

void ServiceHost::handle(const ContextCounted& event) {
  emit contextCounted(QString::fromStdString(event.conversation), event.tokens);
}

}  // namespace paluku
