#include "app/app_controller.h"

#include <QClipboard>
#include <QDesktopServices>
#include <QGuiApplication>

#include "app/chat/markdown.h"

namespace paluku {

AppController::AppController(SettingsController& settings, Appearance& appearance, QObject* parent)
    : QObject(parent),
      settings_(settings),
      appearance_(appearance),
      notices_(this),
      conversations_(notices_, this),
      library_(notices_, this),
      chat_(conversations_, notices_, this) {
  appearance_.setWishes(settings_.wishes());
  connect(&settings_, &SettingsController::changed, this,
          [this] { appearance_.setWishes(settings_.wishes()); });
  connect(&settings_, &SettingsController::failed, &notices_, &Notices::showProblem);
  connect(&conversations_, &ConversationListModel::failed, &notices_, &Notices::showProblem);
  connect(&conversations_, &ConversationListModel::countChanged, this,
          &AppController::firstRunChanged);
}

AppController::~AppController() = default;

void AppController::attach(Storage& storage, ConversationHost& host, const QString& starterPath) {
  settings_.attach(storage);
  conversations_.attach(storage);
  chat_.attach(storage, host);
  library_.attach(storage, host, starterPath);
  for (const Error& notice : storage.notices()) notices_.showProblem(notice);
  ready_ = true;
  emit readyChanged();
}

void AppController::showStartError(const Error& error) {
  notices_.showProblem(error);
  chat_.lock(error);
}

bool AppController::firstRun() const {
  return conversations_.loaded() && conversations_.count() == 0;
}

void AppController::newConversation() { conversations_.startNew(); }

void AppController::openLink(const QUrl& url) {
  if (isOpenableLink(url.toString())) QDesktopServices::openUrl(url);
}

void AppController::copyText(const QString& text) { QGuiApplication::clipboard()->setText(text); }

void AppController::retranslate() {
  notices_.retranslate();
  conversations_.retranslate();
  chat_.retranslate();
  library_.retranslate();
  settings_.retranslate();
}

}  // namespace paluku
