#include "app/notices.h"

#include <chrono>

#include "app/error_text.h"

namespace paluku {
namespace {

constexpr std::chrono::seconds kToastTime{6};
constexpr std::chrono::seconds kUndoTime{10};

}  // namespace

Notices::Notices(QObject* parent) : QObject(parent) {
  toastTimer_.setSingleShot(true);
  connect(&toastTimer_, &QTimer::timeout, this, &Notices::hideToast);
}

QString Notices::bannerText() const {
  if (!bannerError_) return {};
  const QString text = errorText(*bannerError_);
  if (bannerError_->code != ErrorCode::kDeviceFailed) return text;
  return text + u' ' + tr("The processor computes until Paluku is started again.");
}

// A card that failed serves no more in this process.
QString Notices::bannerAction() const {
  const bool restart = bannerError_ && bannerError_->code == ErrorCode::kDeviceFailed;
  return restart ? tr("Restart Paluku") : QString();
}

void Notices::act() {
  if (bannerAction().isEmpty()) return;
  dismissBanner();
  emit restartWanted();
}

void Notices::showProblem(const Error& error) {
  bannerError_ = error;
  const bool harmless = error.code == ErrorCode::kNewerSchema;
  bannerKind_ = harmless ? Information : Problem;
  emit bannerChanged();
}

void Notices::clearProblem(ErrorCode code) {
  if (bannerError_ && bannerError_->code == code) dismissBanner();
}

void Notices::dismissBanner() {
  if (!bannerError_) return;
  bannerError_.reset();
  emit bannerChanged();
}

void Notices::showToast(const QString& text, std::function<void()> undo) {
  toastText_ = text;
  undo_ = std::move(undo);
  toastTimer_.start(undo_ ? kUndoTime : kToastTime);
  emit toastChanged();
}

void Notices::setToastHeld(bool held) {
  if (held == toastHeld_) return;
  toastHeld_ = held;
  if (held) {
    toastTimer_.stop();
  } else if (!toastText_.isEmpty()) {
    toastTimer_.start(undo_ ? kUndoTime : kToastTime);
  }
  emit toastHeldChanged();
}

void Notices::hideToast() {
  toastText_.clear();
  emit toastChanged();
}

void Notices::dismissToast() {
  toastTimer_.stop();
  hideToast();
}

void Notices::undo() {
  if (!undo_) return;
  const std::function<void()> action = std::exchange(undo_, nullptr);
  dismissToast();
  action();
}

void Notices::retranslate() { emit bannerChanged(); }

}  // namespace paluku
