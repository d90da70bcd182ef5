// ModelListModel: the models one can choose, the one in use first, then the last used. A plain list
// that LibraryController fills. Interface thread.
#pragma once

#include <QtQml/qqmlregistration.h>

#include <QAbstractListModel>
#include <QString>
#include <QStringList>
#include <optional>
#include <vector>

#include "engine/base/error.h"
#include "engine/loader/model_card.h"

namespace paluku {

// One model of the library.
struct LibraryModel {
  QString id;    // of the store; "starter" for the one that ships
  QString path;  // absolute
  QString name;
  bool starter = false;
  std::optional<ModelCard> card;  // empty: the file could not be read, see problem
  std::optional<Error> problem;   // why it cannot be used

  bool usable() const;
  // Why it cannot be used, one sentence; empty when it can.
  QString problemText() const;
  // Further reasons, and what of the file was assumed or is not used; a sentence each.
  QStringList notes() const;
};

inline constexpr const char* kStarterId = "starter";

class ModelListModel : public QAbstractListModel {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("Owned by LibraryController.")
  Q_PROPERTY(int count READ count NOTIFY countChanged)

 public:
  enum Role {
    ModelIdRole = Qt::UserRole + 1,  // modelId: string for use() and remove()
    NameRole,                        // name
    DetailsRole,                     // details: "Q4_K_M · 10.4 GB · 16B, 2.4B per token"
    PathRole,                        // path: where the file lies, for the tooltip
    InUseRole,                       // inUse: bool, loaded or being loaded
    StarterRole,                     // starter: bool, shipped; cannot be removed
    UsableRole,                      // usable: bool
    ProblemRole,                     // problem: sentence why it cannot be used, or empty
    NotesRole,                       // notes: list of further sentences, see LibraryModel
  };
  Q_ENUM(Role)

  using QAbstractListModel::QAbstractListModel;

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QHash<int, QByteArray> roleNames() const override;
  int count() const { return static_cast<int>(models_.size()); }

  void setModels(std::vector<LibraryModel> models);
  void setInUse(const QString& id);
  const LibraryModel* find(const QString& id) const;
  const std::vector<LibraryModel>& models() const { return models_; }
  // All rows again, in the new language.
  void retranslate();

 signals:
  void countChanged();

 private:
  static QString details(const LibraryModel& model);

  std::vector<LibraryModel> models_;
  QString inUse_;
};

}  // namespace paluku
