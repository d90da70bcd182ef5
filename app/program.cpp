#include "app/program.h"

#include <QCoreApplication>
#include <QQuickStyle>
#include <QUrl>
#include <memory>
#include <utility>

#include "app/conversation/model_resolver.h"
#include "app/platform/fonts.h"

namespace paluku {
namespace {

// For reading and writing; beside a program that holds the lock, for reading.
Result<std::unique_ptr<Storage>> openEither(const std::string& dataDir) {
  StorageOptions options;
  options.data_dir = dataDir;
  Result<std::unique_ptr<Storage>> storage = Storage::Open(options);
  if (storage || storage.error().code != ErrorCode::kAlreadyOpen) return storage;
  options.access = StorageAccess::kReadOnly;
  return Storage::Open(options);
}

}  // namespace

Program::Program(Paths paths, PlainSettings settings)
    : paths_(std::move(paths)),
      settings_(std::move(settings), QString::fromStdString(paths_.data)),
      instance_(QString::fromStdString(paths_.data)),
      controller_(settings_, appearance_),
      host_({.answer = [this]() -> AnswerOptions {
               return {.sampling = settings_.sampling(),
                       .max_tokens = 0,
                       .instruction = settings_.instruction().toStdString()};
             },
             .load = [this]() -> LoadOptions {
               LoadOptions options;
               options.context_tokens = settings_.contextTokens();
               return options;
             }}) {}

Program::~Program() {
  controller_.chat()->saveDraft();
  if (opener_.joinable()) opener_.join();
  host_.close();
  storage_.reset();
}

bool Program::handOver(const QStringList& files) { return instance_.askFirst(files); }

bool Program::start(const QStringList& files) {
  files_ = files;
  instance_.listen();
  loadFonts();
  QQuickStyle::setStyle(u"Basic"_qs);
  appearance_.readSystem();
  language_.set(settings_.language());
  connectSettings();
  openStorage();
  engine_.addImportPath(u"qrc:/qt/qml"_qs);
  engine_.setInitialProperties({{u"app"_qs, QVariant::fromValue(&controller_)}});
  engine_.load(QUrl(u"qrc:/qt/qml/Paluku/Main.qml"_qs));
  return !engine_.rootObjects().isEmpty();
}

void Program::connectSettings() {
  connect(&settings_, &SettingsController::languageChanged, this,
          [this] { language_.set(settings_.language()); });
  connect(&language_, &Language::changed, this, [this] {
    controller_.retranslate();
    engine_.retranslate();
  });
  connect(&settings_, &SettingsController::changed, this, [this] {
    if (storage_ && std::exchange(threads_, settings_.threads()) != settings_.threads())
      host_.reconfigure(engineOptions());
  });
  connect(controller_.notices(), &Notices::restartWanted, this, [this] {
    restartWanted_ = true;
    QCoreApplication::quit();
  });
  connect(&instance_, &SingleInstance::asked, this, [this](const QStringList& asked) {
    addFiles(asked);
    emit controller_.raiseRequested();
  });
}

EngineOptions Program::engineOptions() const {
  EngineOptions options;
  options.threads = settings_.threads();
  return options;
}

void Program::openStorage() {
  opener_ = std::thread([this, dataDir = paths_.data] {
    auto opened = std::make_shared<Result<std::unique_ptr<Storage>>>(openEither(dataDir));
    QMetaObject::invokeMethod(
        this, [this, opened] { storageOpened(std::move(*opened)); }, Qt::QueuedConnection);
  });
}

void Program::storageOpened(Result<std::unique_ptr<Storage>> storage) {
  if (!storage) return controller_.showStartError(storage.error());
  storage_ = std::move(*storage);
  if (const Status opened = host_.open(*storage_, engineOptions()); !opened)
    return controller_.showStartError(opened.error());
  controller_.attach(*storage_, host_, QString::fromStdString(StarterModelPath()));
  addFiles(std::exchange(files_, {}));
}

void Program::addFiles(const QStringList& files) {
  if (!controller_.ready()) {
    files_ += files;
    return;
  }
  for (const QString& file : files) controller_.library()->add(QUrl::fromLocalFile(file));
}

}  // namespace paluku
