#include "app/settings/settings_controller.h"

#include <QRandomGenerator>
#include <algorithm>
#include <array>
#include <string_view>
#include <thread>
#include <utility>

#include "app/hosts/storage_call.h"
#include "app/platform/formatting.h"

namespace paluku {
namespace {

// Keys of the plain settings file.
constexpr const char* kLanguage = "language";
constexpr const char* kLook = "look";
constexpr const char* kHighContrast = "high_contrast";
constexpr const char* kReduceMotion = "reduce_motion";
constexpr const char* kTextSize = "text_size_percent";
constexpr const char* kSidebarWidth = "sidebar_width";
constexpr const char* kWindowWidth = "window_width";
constexpr const char* kWindowHeight = "window_height";

// Keys of the SettingsStore.
constexpr const char* kEnterSends = "composer.enter_sends";
constexpr const char* kInstruction = "answers.instruction";
constexpr const char* kTemperature = "sampling.temperature";
constexpr const char* kTopK = "sampling.top_k";
constexpr const char* kTopP = "sampling.top_p";
constexpr const char* kMinP = "sampling.min_p";
constexpr const char* kRepetition = "sampling.repetition_penalty";
constexpr const char* kPresence = "sampling.presence_penalty";
constexpr const char* kFrequency = "sampling.frequency_penalty";
constexpr const char* kSeed = "sampling.seed";
constexpr const char* kThreads = "engine.threads";
constexpr const char* kContext = "engine.context_tokens";

constexpr int kSmallestText = 85;
constexpr int kLargestText = 160;
constexpr int kTextStep = 5;

constexpr std::array<std::pair<const char*, const char*>, 3> kLanguages{
    {{"", ""}, {"en", "English"}, {"te", "తెలుగు"}}};

// Defaults are those of SamplingParams; the rest stands here.
QString defaultValue(std::string_view key) {
  static const SamplingParams kSampling;
  const auto text = [](double value) { return QString::number(value, 'g', 6); };
  if (key == kEnterSends) return u"1"_qs;
  if (key == kTemperature) return text(kSampling.temperature);
  if (key == kTopK) return text(kSampling.top_k);
  if (key == kTopP) return text(kSampling.top_p);
  if (key == kMinP) return text(kSampling.min_p);
  if (key == kRepetition) return text(kSampling.repetition_penalty);
  if (key == kPresence) return text(kSampling.presence_penalty);
  if (key == kFrequency) return text(kSampling.frequency_penalty);
  if (key == kThreads || key == kContext) return u"0"_qs;
  return {};
}

}  // namespace

SettingsController::SettingsController(PlainSettings plain, QString dataPath, QObject* parent)
    : QObject(parent), plain_(std::move(plain)), dataPath_(std::move(dataPath)) {}

void SettingsController::attach(Storage& storage) {
  storage_ = &storage;
  using Values = std::map<std::string, std::string>;
  onStorage(
      storage, this,
      [early = values_](Stores& stores) -> Result<Values> {
        if (!early.empty()) PALUKU_TRY(stores.settings.SetAll(early));
        return stores.settings.All();
      },
      [this](Result<Values>&& values) {
        if (!values) return emit failed(values.error());
        for (auto& [key, text] : values_) (*values)[key] = text;  // set while the answer came
        values_ = std::move(*values);
        emit changed();
      });
}

// --- Reading and storing ---

QString SettingsController::value(const char* key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? defaultValue(key) : QString::fromStdString(found->second);
}

double SettingsController::number(const char* key) const {
  bool valid = false;
  const double stored = value(key).toDouble(&valid);
  return valid ? stored : defaultValue(key).toDouble();
}

void SettingsController::store(const char* key, const QString& text) {
  if (text == value(key)) return;
  values_[key] = text.toStdString();
  emit changed();
  if (storage_ == nullptr) return;
  onStorage(
      *storage_, this,
      [name = std::string(key), bytes = text.toStdString()](Stores& stores) {
        return stores.settings.Set(name, bytes);
      },
      [this](const Status& stored) {
        if (!stored) emit failed(stored.error());
      });
}

void SettingsController::storeNumber(const char* key, double value, double low, double high,
                                     int decimals) {
  QString text = QString::number(std::clamp(value, low, high), 'f', decimals);
  store(key, QString::number(text.toDouble(), 'g', 8));
}

void SettingsController::storePlain(const char* key, const QString& text) {
  if (text == QString::fromStdString(plain_.Get(key))) return;
  plain_.Set(key, text.toStdString());
  const auto tell = [this](const Status& saved) {
    if (!saved) emit failed(saved.error());
  };
  if (storage_ != nullptr) {
    onStorage(
        *storage_, this, [copy = plain_](Stores&) { return copy.Save(); }, tell);
  } else {
    tell(plain_.Save());
  }
  emit changed();
}

bool SettingsController::plainFlag(const char* key) const { return plain_.Get(key) == "1"; }

// --- General ---

QStringList SettingsController::languageNames() const {
  QStringList names{tr("System")};
  for (const auto& [code, name] : kLanguages) {
    if (*code != '\0') names += QString::fromUtf8(name);
  }
  return names;
}

QString SettingsController::language() const {
  return QString::fromStdString(plain_.Get(kLanguage));
}

int SettingsController::languageIndex() const {
  const auto found = std::find_if(kLanguages.begin(), kLanguages.end(), [this](const auto& entry) {
    return plain_.Get(kLanguage) == entry.first;
  });
  return found == kLanguages.end() ? 0 : static_cast<int>(found - kLanguages.begin());
}

void SettingsController::setLanguageIndex(int index) {
  if (index < 0 || index >= static_cast<int>(kLanguages.size()) || index == languageIndex()) return;
  storePlain(kLanguage, QString::fromLatin1(kLanguages[static_cast<std::size_t>(index)].first));
  emit languageChanged();
}

bool SettingsController::enterSends() const { return value(kEnterSends) == u"1"; }
void SettingsController::setEnterSends(bool on) { store(kEnterSends, on ? u"1"_qs : u"0"_qs); }

// --- Appearance ---

Appearance::Look SettingsController::look() const {
  const std::string look = plain_.Get(kLook);
  if (look == "light") return Appearance::Look::Light;
  return look == "dark" ? Appearance::Look::Dark : Appearance::Look::System;
}

void SettingsController::setLook(Appearance::Look look) {
  storePlain(kLook, look == Appearance::Look::Light  ? u"light"_qs
                    : look == Appearance::Look::Dark ? u"dark"_qs
                                                     : QString());
}

bool SettingsController::highContrast() const { return plainFlag(kHighContrast); }
void SettingsController::setHighContrast(bool on) {
  storePlain(kHighContrast, on ? u"1"_qs : u""_qs);
}
bool SettingsController::reduceMotion() const { return plainFlag(kReduceMotion); }
void SettingsController::setReduceMotion(bool on) {
  storePlain(kReduceMotion, on ? u"1"_qs : u""_qs);
}

int SettingsController::textSizePercent() const {
  const int percent = QString::fromStdString(plain_.Get(kTextSize)).toInt();
  return percent == 0 ? 100 : std::clamp(percent, kSmallestText, kLargestText);
}

void SettingsController::setTextSizePercent(int percent) {
  const int size = std::clamp(percent, kSmallestText, kLargestText);
  storePlain(kTextSize, size == 100 ? QString() : QString::number(size));
}

void SettingsController::stepTextSize(int steps) {
  setTextSizePercent(textSizePercent() + steps * kTextStep);
}

int SettingsController::sidebarWidth() const {
  return std::max(0, QString::fromStdString(plain_.Get(kSidebarWidth)).toInt());
}

void SettingsController::setSidebarWidth(int width) {
  storePlain(kSidebarWidth, width > 0 ? QString::number(width) : QString());
}

QSize SettingsController::windowSize() const {
  const QSize size(QString::fromStdString(plain_.Get(kWindowWidth)).toInt(),
                   QString::fromStdString(plain_.Get(kWindowHeight)).toInt());
  return size.isEmpty() ? QSize() : size;
}

void SettingsController::setWindowSize(QSize size) {
  storePlain(kWindowWidth, QString::number(size.width()));
  storePlain(kWindowHeight, QString::number(size.height()));
}

QString SettingsController::textSizeText() const {
  return tr("%1 %").arg(formatCount(textSizePercent()));
}

Appearance::Wishes SettingsController::wishes() const {
  return {.look = look(),
          .highContrast = highContrast(),
          .reducedMotion = reduceMotion(),
          .textScale = textSizePercent() / 100.0};
}

// --- Answers ---

QString SettingsController::instruction() const { return value(kInstruction); }
void SettingsController::setInstruction(const QString& text) { store(kInstruction, text); }

double SettingsController::temperature() const { return number(kTemperature); }
void SettingsController::setTemperature(double v) { storeNumber(kTemperature, v, 0, 2, 2); }
QString SettingsController::temperatureText() const { return formatNumber(temperature(), 2); }

int SettingsController::topK() const { return static_cast<int>(number(kTopK)); }
void SettingsController::setTopK(int v) { storeNumber(kTopK, v, 0, 200, 0); }
QString SettingsController::topKText() const {
  return topK() == 0 ? tr("off") : formatCount(topK());
}

double SettingsController::topP() const { return number(kTopP); }
void SettingsController::setTopP(double v) { storeNumber(kTopP, v, 0.05, 1, 2); }
QString SettingsController::topPText() const {
  return topP() >= 1 ? tr("off") : formatNumber(topP(), 2);
}

double SettingsController::minP() const { return number(kMinP); }
void SettingsController::setMinP(double v) { storeNumber(kMinP, v, 0, 0.5, 2); }
QString SettingsController::minPText() const {
  return minP() <= 0 ? tr("off") : formatNumber(minP(), 2);
}

double SettingsController::repetitionPenalty() const { return number(kRepetition); }
void SettingsController::setRepetitionPenalty(double v) { storeNumber(kRepetition, v, 1, 2, 2); }
QString SettingsController::repetitionPenaltyText() const {
  return repetitionPenalty() <= 1 ? tr("off") : formatNumber(repetitionPenalty(), 2);
}

double SettingsController::presencePenalty() const { return number(kPresence); }
void SettingsController::setPresencePenalty(double v) { storeNumber(kPresence, v, -2, 2, 2); }
QString SettingsController::presencePenaltyText() const {
  return presencePenalty() == 0 ? tr("off") : formatNumber(presencePenalty(), 2);
}

double SettingsController::frequencyPenalty() const { return number(kFrequency); }
void SettingsController::setFrequencyPenalty(double v) { storeNumber(kFrequency, v, -2, 2, 2); }
QString SettingsController::frequencyPenaltyText() const {
  return frequencyPenalty() == 0 ? tr("off") : formatNumber(frequencyPenalty(), 2);
}

QString SettingsController::seed() const { return value(kSeed); }

void SettingsController::setSeed(const QString& digits) {
  bool valid = false;
  const qulonglong seed = digits.trimmed().toULongLong(&valid);
  store(kSeed, valid ? QString::number(seed) : QString());
}

SamplingParams SettingsController::sampling() const {
  SamplingParams params;
  params.temperature = static_cast<float>(temperature());
  params.top_k = topK();
  params.top_p = static_cast<float>(topP());
  params.min_p = static_cast<float>(minP());
  params.repetition_penalty = static_cast<float>(repetitionPenalty());
  params.presence_penalty = static_cast<float>(presencePenalty());
  params.frequency_penalty = static_cast<float>(frequencyPenalty());
  params.seed = seed().isEmpty() ? QRandomGenerator::global()->generate64() : seed().toULongLong();
  return params;
}

// --- Models ---

int SettingsController::threadsMax() const {
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

int SettingsController::threads() const {
  return std::clamp(static_cast<int>(number(kThreads)), 0, threadsMax());
}

void SettingsController::setThreads(int count) { storeNumber(kThreads, count, 0, threadsMax(), 0); }

QString SettingsController::threadsText() const {
  return threads() == 0 ? tr("automatic") : formatCount(threads());
}

int SettingsController::contextTokens() const { return static_cast<int>(number(kContext)); }

void SettingsController::setContextTokens(int tokens) {
  storeNumber(kContext, tokens, 0, 1'048'576, 0);
}

QString SettingsController::contextText() const {
  return contextTokens() == 0 ? tr("automatic") : tr("%Ln token(s)", nullptr, contextTokens());
}

// --- The rest ---

QString SettingsController::version() const { return QString::fromLatin1(PALUKU_VERSION); }

void SettingsController::restoreDefaults(Section section) {
  switch (section) {
    case General:
      setLanguageIndex(0);
      setEnterSends(true);
      break;
    case Looks:
      setLook(Appearance::Look::System);
      setHighContrast(false);
      setReduceMotion(false);
      setTextSizePercent(100);
      break;
    case Answers:
      for (const char* key : {kInstruction, kTemperature, kTopK, kTopP, kMinP, kRepetition,
                              kPresence, kFrequency, kSeed})
        store(key, defaultValue(key));
      break;
    case Models:
      store(kThreads, defaultValue(kThreads));
      store(kContext, defaultValue(kContext));
      break;
  }
}

void SettingsController::retranslate() {
  emit languageChanged();
  emit changed();
}

}  // namespace paluku
