#include "app/library/model_list_model.h"

#include <algorithm>

#include "app/chat/markdown.h"
#include "app/error_text.h"
#include "app/platform/formatting.h"

namespace paluku {

bool LibraryModel::usable() const { return !problem && card && card->unsupported.empty(); }

QString LibraryModel::problemText() const {
  if (problem) return errorText(*problem);
  if (card && !card->unsupported.empty()) return errorText(card->unsupported.front());
  return {};
}

QStringList LibraryModel::notes() const {
  QStringList notes;
  if (!card) return notes;
  for (std::size_t i = problem ? 0 : 1; i < card->unsupported.size(); ++i)
    notes += errorText(card->unsupported[i]);
  for (const ModelNote& note : card->notes) notes += noteText(note);
  return notes;
}

int ModelListModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : count();
}

QHash<int, QByteArray> ModelListModel::roleNames() const {
  return {{ModelIdRole, "modelId"}, {NameRole, "name"},       {DetailsRole, "details"},
          {PathRole, "path"},       {InUseRole, "inUse"},     {StarterRole, "starter"},
          {UsableRole, "usable"},   {ProblemRole, "problem"}, {NotesRole, "notes"}};
}

QVariant ModelListModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const LibraryModel& model = models_[static_cast<std::size_t>(index.row())];
  switch (role) {
    case ModelIdRole:
      return model.id;
    case NameRole:
      return model.starter ? tr("Starter model") : model.name;
    case DetailsRole:
      return details(model);
    case PathRole:
      return model.path;
    case InUseRole:
      return model.id == inUse_;
    case StarterRole:
      return model.starter;
    case UsableRole:
      return model.usable();
    case ProblemRole:
      return model.problemText();
    case NotesRole:
      return model.notes();
    default:
      return {};
  }
}

QString ModelListModel::details(const LibraryModel& model) {
  if (!model.card) return {};
  const ModelCard& card = *model.card;
  QStringList parts{safeText(QString::fromStdString(card.type_name)),
                    formatFileSize(card.file_bytes)};
  if (card.active_parameters > 0 && card.active_parameters < card.parameters) {
    parts += tr("%1, %2 per token")
                 .arg(formatParameters(card.parameters), formatParameters(card.active_parameters));
  } else if (card.parameters > 0) {
    parts += formatParameters(card.parameters);
  }
  return parts.join(u" · ");
}

void ModelListModel::setModels(std::vector<LibraryModel> models) {
  beginResetModel();
  models_ = std::move(models);
  endResetModel();
  emit countChanged();
}

void ModelListModel::setInUse(const QString& id) {
  if (id == inUse_) return;
  inUse_ = id;
  if (!models_.empty()) emit dataChanged(index(0), index(count() - 1), {InUseRole});
}

const LibraryModel* ModelListModel::find(const QString& id) const {
  const auto found = std::find_if(models_.begin(), models_.end(),
                                  [&id](const LibraryModel& model) { return model.id == id; });
  return found == models_.end() ? nullptr : &*found;
}

void ModelListModel::retranslate() {
  if (!models_.empty()) emit dataChanged(index(0), index(count() - 1));
}

}  // namespace paluku
