// LatentMeter: the bar under the composer. Track: the context limit. Pale part: the context in use,
// which on the same scale is the memory that ordinary attention would need for it. Solid sliver:
// the latent cache that is really used. `ordinary` means the same model keeping keys and values of
// every head at the same precision: layers * heads * (nope + rope + v) * bytes a token, against
// layers * (latent + rope) * bytes (interface.md 1). Both come from the loaded model.
//
// Owned by ChatController, interface thread. All texts follow the language.
#pragma once

#include <QtQml/qqmlregistration.h>

#include <QObject>
#include <QString>
#include <cstdint>

namespace paluku {

class LatentMeter : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("Owned by ChatController.")

  // False without a model, or for one without a latent cache.
  Q_PROPERTY(bool visible READ visible NOTIFY changed)
  // Lengths as shares of the track, 0..1. The sliver lies inside the pale part.
  Q_PROPERTY(double contextFraction READ contextFraction NOTIFY changed)
  Q_PROPERTY(double latentFraction READ latentFraction NOTIFY changed)
  Q_PROPERTY(paluku::LatentMeter::Level level READ level NOTIFY changed)
  Q_PROPERTY(QString tokensText READ tokensText NOTIFY changed)    // "6,214 of 32,768 tokens"
  Q_PROPERTY(QString tokensShort READ tokensShort NOTIFY changed)  // "6,214 / 32,768"
  Q_PROPERTY(QString savingText READ savingText NOTIFY changed)    // "184 MiB instead of 1.60 GiB"
  Q_PROPERTY(QString latentText READ latentText NOTIFY changed)    // "184 MiB"
  Q_PROPERTY(QString ordinaryText READ ordinaryText NOTIFY changed)  // "1.60 GiB"
  Q_PROPERTY(QString nearText READ nearText NOTIFY changed)  // "Context 87 % full"; empty when calm
  // "room for about 21,000 more words", by this conversation's own ratio; empty when unknown.
  Q_PROPERTY(QString roomText READ roomText NOTIFY changed)
  Q_PROPERTY(QString accessibleText READ accessibleText NOTIFY changed)

 public:
  enum Level { Calm, Near, Full };
  Q_ENUM(Level)

  using QObject::QObject;

  // All zero: no model.
  struct Figures {
    std::int64_t usedTokens = 0;
    std::int64_t limitTokens = 0;
    std::int64_t latentBytesPerToken = 0;
    std::int64_t ordinaryBytesPerToken = 0;
    std::int64_t words = 0;  // of the conversation, for roomText
    bool operator==(const Figures&) const = default;
  };
  void setFigures(const Figures& figures);
  const Figures& figures() const { return figures_; }
  void retranslate() { emit changed(); }

  bool visible() const;
  double contextFraction() const;
  double latentFraction() const;
  Level level() const;
  QString tokensText() const;
  QString tokensShort() const;
  QString savingText() const;
  QString latentText() const;
  QString ordinaryText() const;
  QString nearText() const;
  QString roomText() const;
  QString accessibleText() const;

 signals:
  void changed();

 private:
  std::int64_t latentBytes() const { return figures_.usedTokens * figures_.latentBytesPerToken; }
  std::int64_t ordinaryBytes() const {
    return figures_.usedTokens * figures_.ordinaryBytesPerToken;
  }

  Figures figures_;
};

}  // namespace paluku
