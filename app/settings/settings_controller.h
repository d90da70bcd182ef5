// SettingsController: every setting as a typed property. A change applies and is stored at once;
// there is no Save. Language and look stand in the plain settings file (they are needed before the
// database), everything else in the SettingsStore.
//
// Created in main.cpp, interface thread; texts for sliders are formatted here.
#pragma once

#include <QtQml/qqmlregistration.h>

#include <QObject>
#include <QSize>
#include <QString>
#include <QStringList>
#include <QVariant>
#include <map>
#include <string>

#include "app/platform/appearance.h"
#include "engine/sampling/sampling_params.h"
#include "storage/plain_settings.h"
#include "storage/storage.h"

namespace paluku {

class SettingsController : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("Owned by the application.")

  // --- General ---
  // "System", then the languages by their own names; the index chooses.
  Q_PROPERTY(QStringList languageNames READ languageNames NOTIFY languageChanged)
  Q_PROPERTY(int languageIndex READ languageIndex WRITE setLanguageIndex NOTIFY languageChanged)
  Q_PROPERTY(bool enterSends READ enterSends WRITE setEnterSends NOTIFY changed)

  // --- Appearance ---
  Q_PROPERTY(paluku::Appearance::Look look READ look WRITE setLook NOTIFY changed)
  Q_PROPERTY(bool highContrast READ highContrast WRITE setHighContrast NOTIFY changed)
  Q_PROPERTY(bool reduceMotion READ reduceMotion WRITE setReduceMotion NOTIFY changed)
  // 85 to 160.
  Q_PROPERTY(int textSizePercent READ textSizePercent WRITE setTextSizePercent NOTIFY changed)
  Q_PROPERTY(QString textSizeText READ textSizeText NOTIFY changed)
  // Of the docked sidebar in a wide window, as it was dragged; 0: never dragged.
  Q_PROPERTY(int sidebarWidth READ sidebarWidth WRITE setSidebarWidth NOTIFY changed)

  // --- Answers ---
  Q_PROPERTY(QString instruction READ instruction WRITE setInstruction NOTIFY changed)
  Q_PROPERTY(double temperature READ temperature WRITE setTemperature NOTIFY changed)  // 0..2
  Q_PROPERTY(QString temperatureText READ temperatureText NOTIFY changed)
  Q_PROPERTY(int topK READ topK WRITE setTopK NOTIFY changed)  // 0: off, to 200
  Q_PROPERTY(QString topKText READ topKText NOTIFY changed)
  Q_PROPERTY(double topP READ topP WRITE setTopP NOTIFY changed)  // 0.05..1
  Q_PROPERTY(QString topPText READ topPText NOTIFY changed)
  Q_PROPERTY(double minP READ minP WRITE setMinP NOTIFY changed)  // 0..0.5
  Q_PROPERTY(QString minPText READ minPText NOTIFY changed)
  // 1..2; 1: off.
  Q_PROPERTY(
      double repetitionPenalty READ repetitionPenalty WRITE setRepetitionPenalty NOTIFY changed)
  Q_PROPERTY(QString repetitionPenaltyText READ repetitionPenaltyText NOTIFY changed)
  // -2..2; 0: off.
  Q_PROPERTY(double presencePenalty READ presencePenalty WRITE setPresencePenalty NOTIFY changed)
  Q_PROPERTY(QString presencePenaltyText READ presencePenaltyText NOTIFY changed)
  Q_PROPERTY(double frequencyPenalty READ frequencyPenalty WRITE setFrequencyPenalty NOTIFY changed)
  Q_PROPERTY(QString frequencyPenaltyText READ frequencyPenaltyText NOTIFY changed)
  // Digits; empty: another one for every answer.
  Q_PROPERTY(QString seed READ seed WRITE setSeed NOTIFY changed)

  // --- Models (what is set here holds from the next loading of a model) ---
  // 0: one per processor core.
  Q_PROPERTY(int threads READ threads WRITE setThreads NOTIFY changed)
  Q_PROPERTY(int threadsMax READ threadsMax CONSTANT)
  Q_PROPERTY(QString threadsText READ threadsText NOTIFY changed)
  // 0: the model's own limit, at most 32,768.
  Q_PROPERTY(int contextTokens READ contextTokens WRITE setContextTokens NOTIFY changed)
  Q_PROPERTY(QString contextText READ contextText NOTIFY changed)

  // --- About ---
  Q_PROPERTY(QString version READ version CONSTANT)
  Q_PROPERTY(QString dataPath READ dataPath CONSTANT)

 public:
  enum Section { General, Looks, Answers, Models };
  Q_ENUM(Section)

  // `dataPath` is shown on the About page. `plain` is saved back to its own path.
  SettingsController(PlainSettings plain, QString dataPath, QObject* parent = nullptr);

  // Reads what the store holds; until then the defaults are in effect.
  void attach(Storage& storage);

  QStringList languageNames() const;
  int languageIndex() const;
  void setLanguageIndex(int index);
  // "en", "te" or empty for the system's: what Language::set() takes.
  QString language() const;
  bool enterSends() const;
  void setEnterSends(bool on);
  Appearance::Look look() const;
  void setLook(Appearance::Look look);
  bool highContrast() const;
  void setHighContrast(bool on);
  bool reduceMotion() const;
  void setReduceMotion(bool on);
  int textSizePercent() const;
  void setTextSizePercent(int percent);
  int sidebarWidth() const;
  void setSidebarWidth(int width);
  // Of the window when it was last closed; empty when it never was. No property: a window that is
  // open must not follow it.
  Q_INVOKABLE QSize windowSize() const;
  Q_INVOKABLE void setWindowSize(QSize size);
  QString textSizeText() const;
  Appearance::Wishes wishes() const;

  QString instruction() const;
  void setInstruction(const QString& text);
  double temperature() const;
  void setTemperature(double value);
  QString temperatureText() const;
  int topK() const;
  void setTopK(int value);
  QString topKText() const;
  double topP() const;
  void setTopP(double value);
  QString topPText() const;
  double minP() const;
  void setMinP(double value);
  QString minPText() const;
  double repetitionPenalty() const;
  void setRepetitionPenalty(double value);
  QString repetitionPenaltyText() const;
  double presencePenalty() const;
  void setPresencePenalty(double value);
  QString presencePenaltyText() const;
  double frequencyPenalty() const;
  void setFrequencyPenalty(double value);
  QString frequencyPenaltyText() const;
  QString seed() const;
  void setSeed(const QString& digits);

  int threads() const;
  void setThreads(int count);
  int threadsMax() const;
  QString threadsText() const;
  int contextTokens() const;
  void setContextTokens(int tokens);
  QString contextText() const;

  QString version() const;
  QString dataPath() const { return dataPath_; }

  // How to choose the next tokens; a new seed each time when none is set.
  SamplingParams sampling() const;

  Q_INVOKABLE void restoreDefaults(paluku::SettingsController::Section section);
  // One step of the text size, for Ctrl++ and Ctrl+-.
  Q_INVOKABLE void stepTextSize(int steps);
  void retranslate();

 signals:
  // Any setting but the language.
  void changed();
  void languageChanged();
  // A setting could not be stored.
  void failed(const paluku::Error& error);

 private:
  // The value in effect of a stored setting: the person's, else the default.
  QString value(const char* key) const;
  double number(const char* key) const;
  void store(const char* key, const QString& value);
  // Stored with `decimals` digits, within the bounds.
  void storeNumber(const char* key, double value, double low, double high, int decimals);
  // The file is written on the storage thread, once there is one.
  void storePlain(const char* key, const QString& value);
  bool plainFlag(const char* key) const;

  PlainSettings plain_;
  std::map<std::string, std::string> values_;  // of the store, what was set
  Storage* storage_ = nullptr;
  QString dataPath_;
};

}  // namespace paluku
