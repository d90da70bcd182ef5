// What the composer shows of the conversation's state, see chat_controller.h.
#include "app/chat/chat_controller.h"
#include "app/error_details.h"
#include "app/error_text.h"
#include "app/platform/formatting.h"

namespace paluku {

ChatController::Phase ChatController::phase() const {
  if (locked_) return Locked;
  if (answering()) return liveBegan_ ? Writing : Reading;
  if (host_ == nullptr) return Loading;
  switch (host_->model().state) {
    case HostModel::State::kLoading:
      return Loading;
    case HostModel::State::kReady:
      return sending_ ? Reading : Idle;
    case HostModel::State::kNone:
    case HostModel::State::kFailed:
      break;
  }
  return NoModel;
}

bool ChatController::busy() const { return answering() || sending_ || waitingToSend_; }

bool ChatController::canSend() const {
  return busy() || (!inputLocked() && !draft_.trimmed().isEmpty());
}

bool ChatController::inputLocked() const { return locked_.has_value(); }

QString ChatController::placeholder() const {
  if (locked_) return errorText(*locked_);
  const QString name = modelName();
  if (name.isEmpty() || conversations_.count() == 0) return tr("Write in English or తెలుగు");
  return tr("Write to %1").arg(name);
}

QString ChatController::statusText() const {
  if (hintTimer_.isActive()) {
    return hint_ == Hint::kStopFirst ? tr("Stop first, or wait")
                                     : tr("Over 64 kB: nothing was added");
  }
  if (waitingToSend_) return tr("Sends when ready");
  switch (phase()) {
    case Loading:
      return loadingText();
    case Reading:
      return readingText();
    default:
      return {};
  }
}

QString ChatController::loadingText() const {
  if (host_ == nullptr) return {};
  return tr("Getting the model ready %1 %").arg(formatPercent(host_->model().progress));
}

QString ChatController::readingText() const {
  if (promptTotal_ <= 0) return tr("Reading the prompt");
  const double share = double(promptDone_) / promptTotal_;
  const double elapsed = double(clock_.elapsed()) / 1000;
  if (elapsed < 1 || promptDone_ == 0)
    return tr("Reading the prompt %1 %").arg(formatPercent(share));
  return tr("Reading the prompt %1 %, %2")
      .arg(formatPercent(share), formatRemaining(elapsed * (1 - share) / share));
}

QString ChatController::speedText() const {
  const double speed = speed_.tokensPerSecond();
  return phase() == Writing && speed > 0 ? formatSpeed(speed) : QString();
}

double ChatController::progress() const {
  switch (phase()) {
    case Loading:
      return host_ == nullptr ? -1 : host_->model().progress;
    case Reading:
      return promptTotal_ > 0 ? double(promptDone_) / promptTotal_ : -1;
    default:
      return -1;
  }
}

QString ChatController::modelName() const {
  return host_ == nullptr ? QString() : shortModelName(host_->model().name);
}

QString ChatController::modelFullName() const {
  return host_ == nullptr ? QString() : host_->model().name;
}

QString ChatController::homeText() const {
  if (host_ == nullptr || host_->model().state != HostModel::State::kReady) return {};
  const ModelHome& home = host_->model().home;
  if (!home.card.empty()) {
    const QString card = QString::fromStdString(home.card);
    const int others = home.expert_layers - home.expert_layers_on_card;
    if (others == 0) return card;
    return tr("%1, and the processor for the experts of %Ln layer(s)", nullptr, others).arg(card);
  }
  if (!home.no_card) return tr("Processor");
  if (home.no_card->code == ErrorCode::kOutOfMemory)
    return tr("Processor: the model does not fit on the graphics card");
  const QString reason = errorDetail(QString::fromStdString(home.no_card->detail));
  return reason.isEmpty() ? tr("Processor") : tr("Processor: %1").arg(reason);
}

}  // namespace paluku
