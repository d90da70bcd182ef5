// LibraryController: the Models page and the model picker. It joins the models a person added
// (ModelStore) and the starter model that ships with what their files' headers say (ModelCard),
// and knows which one is in use. Files are used where they lie and never touched.
//
// Owned by AppController, interface thread; headers are read on the storage thread.
#pragma once

#include <QtQml/qqmlregistration.h>

#include <QObject>
#include <QString>
#include <QUrl>

#include "app/hosts/conversation_host.h"
#include "app/library/model_list_model.h"
#include "app/notices.h"
#include "storage/storage.h"

namespace paluku {

class LibraryController : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("Owned by AppController.")

  Q_PROPERTY(paluku::ModelListModel* models READ models CONSTANT)
  // A model is being made ready: progress 0..1 and "Getting the model ready 42 %".
  Q_PROPERTY(bool loading READ loading NOTIFY loadingChanged)
  Q_PROPERTY(double loadProgress READ loadProgress NOTIFY loadingChanged)
  Q_PROPERTY(QString loadText READ loadText NOTIFY loadingChanged)
  // Why the last add() or use() did not work, one sentence; empty when it did.
  Q_PROPERTY(QString problem READ problem NOTIFY problemChanged)
  // Id of the model that answers; empty: none.
  Q_PROPERTY(QString currentId READ currentId NOTIFY currentChanged)

 public:
  explicit LibraryController(Notices& notices, QObject* parent = nullptr);

  // `starterPath` is the shipped model, empty when it is not installed. Lists the models and loads
  // the one used last, else the starter.
  void attach(Storage& storage, ConversationHost& host, const QString& starterPath);

  ModelListModel* models() { return &models_; }
  bool loading() const;
  double loadProgress() const;
  QString loadText() const;
  QString problem() const { return problem_; }
  QString currentId() const { return currentId_; }

  // Adds a .gguf file where it lies. A file that Paluku cannot run is refused with `problem`.
  Q_INVOKABLE void add(const QUrl& file);
  // Loads the model for the next answers.
  Q_INVOKABLE void use(const QString& modelId);
  // Takes the model from the list; its file stays. Can be undone.
  Q_INVOKABLE void remove(const QString& modelId);
  Q_INVOKABLE void dismissProblem();
  // Loads the model again that failed to load.
  Q_INVOKABLE void retry();
  void retranslate();

 signals:
  void loadingChanged();
  void problemChanged();
  void currentChanged();

 private:
  // The models of the store and the starter, their headers read.
  using Listing = Result<std::vector<LibraryModel>>;
  static Listing readModels(Stores& stores, const std::string& starterPath);
  void refresh(const QString& thenUse = {});
  void choose(const QString& wish);
  void setProblem(const QString& text);
  void added(const Result<ModelRecord>& record);
  void hostModelChanged();

  Notices& notices_;
  ModelListModel models_;
  Storage* storage_ = nullptr;
  ConversationHost* host_ = nullptr;
  QString starterPath_;
  QString currentId_;
  QString problem_;
};

}  // namespace paluku
