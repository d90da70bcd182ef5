// Program: what main() puts together, in the order it comes to life and ends. Settings and look
// first, then the window, then the storage (opened on a thread of its own, because it may have to
// migrate or repair), then the engine. The end is the reverse. Interface thread.
#pragma once

#include <QQmlApplicationEngine>
#include <QStringList>
#include <memory>
#include <string>
#include <thread>

#include "app/app_controller.h"
#include "app/hosts/service_host.h"
#include "app/platform/appearance.h"
#include "app/platform/language.h"
#include "app/platform/single_instance.h"
#include "app/settings/settings_controller.h"
#include "storage/paths.h"
#include "storage/storage.h"

namespace paluku {

class Program : public QObject {
  Q_OBJECT

 public:
  Program(Paths paths, PlainSettings settings);
  ~Program() override;

  // True when another Paluku with the same data runs; it comes to the front with `files`.
  bool handOver(const QStringList& files);
  // Shows the window and begins to open the storage. False when the interface cannot be loaded.
  bool start(const QStringList& files);
  // The person wants Paluku to start again, once this object is gone.
  bool restartWanted() const { return restartWanted_; }

 private:
  void connectSettings();
  void openStorage();
  void storageOpened(Result<std::unique_ptr<Storage>> storage);
  void addFiles(const QStringList& files);
  EngineOptions engineOptions() const;

  const Paths paths_;
  SettingsController settings_;
  Appearance appearance_;
  Language language_;
  SingleInstance instance_;
  AppController controller_;
  ServiceHost host_;  // outlives the storage, whose last jobs wake it
  std::unique_ptr<Storage> storage_;
  QQmlApplicationEngine engine_;
  std::thread opener_;
  QStringList files_;  // to add when the storage is open
  bool restartWanted_ = false;
  int threads_ = 0;  // what the engine was made with
};

}  // namespace paluku
