// A whole window without an engine: the real view models over a real storage in a temporary folder
// and a scripted host, with conversations in English and Telugu in it. For QtQuickTest (context
// property `stage`) and for previews. Interface thread.
#pragma once

#include <QObject>
#include <QString>
#include <QTemporaryDir>
#include <QUrl>
#include <memory>

#include "app/app_controller.h"
#include "app/platform/appearance.h"
#include "app/platform/language.h"
#include "app/settings/settings_controller.h"
#include "storage/storage.h"
#include "tests/ui/scripted_host.h"

namespace paluku {

class Stage : public QObject {
  Q_OBJECT
  Q_PROPERTY(paluku::AppController* app READ app CONSTANT)

 public:
  // `seeded`: with conversations; else as at the first start.
  explicit Stage(bool seeded, QObject* parent = nullptr);
  ~Stage() override;

  AppController* app() { return controller_.get(); }
  ScriptedHost& host() { return *host_; }
  SettingsController& settings() { return *settings_; }
  Language& language() { return language_; }

  Q_INVOKABLE void write(const QString& text) { host_->write(text); }
  Q_INVOKABLE void finish() { host_->end(MessageState::kComplete); }
  Q_INVOKABLE void fail() { host_->end(MessageState::kFailed); }
  Q_INVOKABLE bool answering() const { return host_->answering(); }
  // A model of V2-Lite's shape answers.
  Q_INVOKABLE void loadModel();
  // The same on a card that has the experts of all but six layers.
  Q_INVOKABLE void loadModelInPart();
  // A model is being made ready.
  Q_INVOKABLE void beginLoading(double progress);
  // Lets storage and interface finish what they have begun.
  Q_INVOKABLE void settle();
  Q_INVOKABLE QString clipboard() const;
  // Opens the conversation with this title.
  Q_INVOKABLE void openTitle(const QString& title);

 private:
  QTemporaryDir folder_;
  std::unique_ptr<SettingsController> settings_;
  std::unique_ptr<Appearance> appearance_;
  Language language_;
  std::unique_ptr<AppController> controller_;
  std::unique_ptr<Storage> storage_;
  std::unique_ptr<ScriptedHost> host_;
};

}  // namespace paluku
