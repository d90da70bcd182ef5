#include "app/library/library_controller.h"

#include <utility>

#include "app/chat/markdown.h"
#include "app/error_text.h"
#include "app/hosts/storage_call.h"
#include "app/platform/formatting.h"

namespace paluku {
namespace {

// Which model answers at the next start: an id of the store, or kStarterId.
constexpr const char* kCurrentKey = "model.current";

LibraryModel describe(const std::string& id, const std::string& name, const std::string& path) {
  LibraryModel model;
  model.id = QString::fromStdString(id);
  model.path = QString::fromStdString(path);
  Result<ModelCard> card = ReadModelCard(path);
  if (card) {
    model.card = std::move(*card);
  } else {
    model.problem = card.error();
  }
  model.name = safeText(QString::fromStdString(name));
  return model;
}

}  // namespace

LibraryController::LibraryController(Notices& notices, QObject* parent)
    : QObject(parent), notices_(notices), models_(this) {}

void LibraryController::attach(Storage& storage, ConversationHost& host,
                               const QString& starterPath) {
  storage_ = &storage;
  host_ = &host;
  starterPath_ = starterPath;
  connect(host_, &ConversationHost::modelChanged, this, &LibraryController::hostModelChanged);
  onStorage(
      storage, this, [](Stores& stores) { return stores.settings.Get(kCurrentKey); },
      [this](const Result<std::optional<std::string>>& current) {
        const std::string id = current ? current->value_or(kStarterId) : kStarterId;
        refresh(QString::fromStdString(id));
      });
}

LibraryController::Listing LibraryController::readModels(Stores& stores,
                                                         const std::string& starterPath) {
  PALUKU_ASSIGN_OR_RETURN(const std::vector<ModelRecord> records, stores.models.List());
  std::vector<LibraryModel> models;
  models.reserve(records.size() + 1);
  for (const ModelRecord& record : records)
    models.push_back(describe(record.id, record.name, record.path));
  if (!starterPath.empty()) {
    models.push_back(describe(kStarterId, {}, starterPath));
    models.back().starter = true;
  }
  return models;
}

void LibraryController::refresh(const QString& thenUse) {
  onStorage(
      *storage_, this,
      [starter = starterPath_.toStdString()](Stores& stores) {
        return readModels(stores, starter);
      },
      [this, thenUse](Listing&& listing) {
        if (!listing) return notices_.showProblem(listing.error());
        models_.setModels(std::move(*listing));
        if (!thenUse.isEmpty()) choose(thenUse);
      });
}

// The wish, if it can be used; else the starter; else nothing answers.
void LibraryController::choose(const QString& wish) {
  for (const QString& id : {wish, QString::fromLatin1(kStarterId)}) {
    const LibraryModel* const model = models_.find(id);
    if (model != nullptr && model->usable()) return use(id);
  }
}

void LibraryController::use(const QString& modelId) {
  const LibraryModel* const model = models_.find(modelId);
  if (model == nullptr || host_ == nullptr) return;
  if (!model->usable()) return setProblem(model->problemText());
  setProblem({});
  currentId_ = modelId;
  models_.setInUse(modelId);
  emit currentChanged();
  host_->loadModel(model->path);
  onStorage(
      *storage_, this,
      [id = modelId.toStdString(), starter = model->starter](Stores& stores) -> Status {
        if (!starter) PALUKU_TRY(stores.models.MarkUsed(id));
        return stores.settings.Set(kCurrentKey, id);
      },
      [](const Status&) {});  // forgetting the choice harms nobody
}

void LibraryController::add(const QUrl& file) {
  if (storage_ == nullptr) return;
  setProblem({});
  onStorage(
      *storage_, this,
      [path = file.toLocalFile().toStdString()](Stores&) { return describe({}, {}, path); },
      [this](const LibraryModel& model) {
        if (!model.usable()) return setProblem(model.problemText());
        onStorage(
            *storage_, this,
            [path = model.path.toStdString(), name = model.card->name,
             bytes = model.card->file_bytes](Stores& stores) {
              return stores.models.Add(path, name, bytes);
            },
            [this](const Result<ModelRecord>& record) { added(record); });
      });
}

void LibraryController::added(const Result<ModelRecord>& record) {
  if (!record) return setProblem(errorText(record.error()));
  const bool idle = host_->model().state != HostModel::State::kReady;
  refresh(idle ? QString::fromStdString(record->id) : QString());
  notices_.showToast(tr("%1 was added").arg(safeText(QString::fromStdString(record->name))));
}

void LibraryController::remove(const QString& modelId) {
  const LibraryModel* const model = models_.find(modelId);
  if (model == nullptr || model->starter) return;
  const QUrl file = QUrl::fromLocalFile(model->path);
  const QString name = model->name;
  onStorage(
      *storage_, this,
      [id = modelId.toStdString()](Stores& stores) { return stores.models.Remove(id); },
      [this, name, file](const Status& removed) {
        if (!removed) return notices_.showProblem(removed.error());
        notices_.showToast(tr("%1 was taken from the list. Its file stays.").arg(name),
                           [this, file] { add(file); });
        refresh();
      });
}

void LibraryController::retry() { use(currentId_); }

void LibraryController::dismissProblem() { setProblem({}); }

void LibraryController::setProblem(const QString& text) {
  if (text == problem_) return;
  problem_ = text;
  emit problemChanged();
}

void LibraryController::hostModelChanged() {
  const HostModel& model = host_->model();
  if (model.state == HostModel::State::kFailed && model.error) {
    const bool replaced = model.error->code == ErrorCode::kCancelled;
    if (!replaced) setProblem(errorText(*model.error));
  }
  emit loadingChanged();
}

bool LibraryController::loading() const {
  return host_ != nullptr && host_->model().state == HostModel::State::kLoading;
}

double LibraryController::loadProgress() const { return loading() ? host_->model().progress : 0; }

QString LibraryController::loadText() const {
  if (!loading()) return {};
  return tr("Getting the model ready %1 %").arg(formatPercent(loadProgress()));
}

void LibraryController::retranslate() {
  models_.retranslate();
  emit loadingChanged();
}

}  // namespace paluku
