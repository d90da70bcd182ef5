#include "tests/ui/stage.h"

#include <QClipboard>
#include <QCoreApplication>
#include <QDateTime>
#include <QGuiApplication>
#include <QThread>
#include <atomic>
#include <cstdlib>
#include <initializer_list>
#include <string>
#include <utility>

#include "tests/ui/conversations.h"

namespace paluku {
namespace {

// The storage asks for the time on its own thread; the seeding moves it.
std::atomic<std::int64_t> nowMs{0};

template <class T>
T orDie(Result<T> result) {
  if (!result) qFatal("%s", result.error().Message().c_str());
  return std::move(*result);
}

void seed(Storage& storage) {
  const std::int64_t today = QDateTime::currentMSecsSinceEpoch();
  constexpr std::int64_t kDayMs = 24LL * 60 * 60 * 1000;
  for (const SampleConversation& sample : sampleConversations()) {
    nowMs = today - sample.daysAgo * kDayMs - 60'000;
    storage
        .Run([&](Stores& stores) -> Status {
          ConversationStore& store = stores.conversations;
          const ConversationRecord made = orDie(store.Create({.title = sample.title}));
          std::string parent;
          for (const SampleTurn& turn : sample.turns) {
            const Turn begun = orDie(store.BeginTurn({.conversation = made.id,
                                                      .parent = parent,
                                                      .text = turn.user,
                                                      .model = kSampleModel}));
            parent = begun.reply.id;
            PALUKU_TRY(store.Finish(
                parent,
                {.state = turn.state,
                 .text = turn.reply,
                 .stats = {.token_count = 412, .tokens_per_second = 18.4, .first_token_ms = 400}}));
          }
          return {};
        })
        .wait();
  }
  nowMs = today;
}

}  // namespace

Stage::Stage(bool seeded, QObject* parent) : QObject(parent) {
  const std::string root = folder_.path().toStdString();
  settings_ = std::make_unique<SettingsController>(orDie(PlainSettings::Load(root + "/plain.json")),
                                                   folder_.path());
  appearance_ = std::make_unique<Appearance>();
  controller_ = std::make_unique<AppController>(*settings_, *appearance_);
  nowMs = QDateTime::currentMSecsSinceEpoch();
  StorageOptions options;
  options.data_dir = root + "/data";
  options.clock = [] { return nowMs.load(); };
  storage_ = orDie(Storage::Open(options));
  if (seeded) seed(*storage_);
  host_ = std::make_unique<ScriptedHost>(*storage_);
  connect(settings_.get(), &SettingsController::languageChanged, this,
          [this] { language_.set(settings_->language()); });
  connect(settings_.get(), &SettingsController::changed, this,
          [this] { appearance_->setWishes(settings_->wishes()); });
  connect(&language_, &Language::changed, this, [this] { controller_->retranslate(); });
  controller_->attach(*storage_, *host_, {});
  loadModel();
  settle();
}

Stage::~Stage() { storage_.reset(); }

void Stage::loadModel() {
  HostModel model;
  model.state = HostModel::State::kReady;
  model.name = QString::fromUtf8(kSampleModel);
  model.contextTokens = 32768;
  model.latentBytesPerToken = 31104;
  model.ordinaryBytesPerToken = 276480;
  host_->setModel(model);
}

void Stage::loadModelInPart() {
  HostModel model;
  model.state = HostModel::State::kReady;
  model.name = QString::fromUtf8(kSampleModel);
  model.home = {.card = "RTX", .no_card = {}, .expert_layers = 26, .expert_layers_on_card = 20};
  host_->setModel(model);
}

void Stage::beginLoading(double progress) {
  HostModel model;
  model.state = HostModel::State::kLoading;
  model.progress = progress;
  host_->setModel(model);
}

void Stage::settle() {
  for (int round = 0; round < 3; ++round) {
    storage_->Run([](Stores&) { return 0; }).wait();
    QCoreApplication::sendPostedEvents();
    QCoreApplication::processEvents(QEventLoop::AllEvents, 20);
  }
}

QString Stage::clipboard() const { return QGuiApplication::clipboard()->text(); }

void Stage::openTitle(const QString& title) {
  ConversationListModel& list = *controller_->conversations();
  for (int row = 0; row < list.count(); ++row) {
    if (list.data(list.index(row), ConversationListModel::TitleRole).toString() == title)
      list.open(list.idAt(row));
  }
  settle();
}

}  // namespace paluku
