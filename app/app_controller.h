// AppController: the root that Main.qml gets as its required property `app`. It owns the other view
// models and connects them to the storage and the conversation host once these are open; until
// then the window is there and the composer works.
//
// Created in main.cpp, lives on the interface thread.
#pragma once

#include <QtQml/qqmlregistration.h>

#include <QObject>
#include <QUrl>

#include "app/chat/chat_controller.h"
#include "app/chat/conversation_list_model.h"
#include "app/hosts/conversation_host.h"
#include "app/library/library_controller.h"
#include "app/notices.h"
#include "app/platform/appearance.h"
#include "app/settings/settings_controller.h"
#include "storage/storage.h"

namespace paluku {

class AppController : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("Main.qml gets the only one as `app`.")

  Q_PROPERTY(paluku::ConversationListModel* conversations READ conversations CONSTANT)
  Q_PROPERTY(paluku::ChatController* chat READ chat CONSTANT)
  Q_PROPERTY(paluku::LibraryController* library READ library CONSTANT)
  Q_PROPERTY(paluku::SettingsController* settings READ settings CONSTANT)
  Q_PROPERTY(paluku::Appearance* appearance READ appearance CONSTANT)
  Q_PROPERTY(paluku::Notices* notices READ notices CONSTANT)
  // True while no conversation was ever begun: the first-run page shows in the transcript's place.
  // False until the storage has answered, so that the page does not flash at every start.
  Q_PROPERTY(bool firstRun READ firstRun NOTIFY firstRunChanged)
  // The conversations are there. The composer works before that, too.
  Q_PROPERTY(bool ready READ ready NOTIFY readyChanged)

 public:
  // `settings` and `appearance` come ready made, because language and colours are needed before the
  // first frame. Both must outlive the controller.
  AppController(SettingsController& settings, Appearance& appearance, QObject* parent = nullptr);
  ~AppController() override;

  ConversationListModel* conversations() { return &conversations_; }
  ChatController* chat() { return &chat_; }
  LibraryController* library() { return &library_; }
  SettingsController* settings() { return &settings_; }
  Appearance* appearance() { return &appearance_; }
  Notices* notices() { return &notices_; }
  bool firstRun() const;
  bool ready() const { return ready_; }

  // Connects the view models to the opened storage and the host, both of which end before this
  // object does. `starterPath`: the model that ships, empty when it is not installed. Called once.
  void attach(Storage& storage, ConversationHost& host, const QString& starterPath);
  // The storage or the engine could not be opened: nothing can be sent, and the window says why.
  void showStartError(const Error& error);
  // All texts again, in the language that is spoken now.
  void retranslate();

  // Empties the transcript for a new conversation; it is created when its first message is sent.
  Q_INVOKABLE void newConversation();
  // Opens a link of an answer in the browser. Only http, https and mailto; the interface has asked.
  Q_INVOKABLE void openLink(const QUrl& url);
  Q_INVOKABLE void copyText(const QString& text);

 signals:
  void firstRunChanged();
  void readyChanged();
  // Another start of Paluku wants this window in front.
  void raiseRequested();

 private:
  SettingsController& settings_;
  Appearance& appearance_;
  Notices notices_;
  ConversationListModel conversations_;
  LibraryController library_;
  ChatController chat_;
  bool ready_ = false;
};

}  // namespace paluku
