#include "app/chat/latent_meter.h"

#include <algorithm>

#include "app/platform/formatting.h"

namespace paluku {
namespace {

constexpr double kNearFraction = 0.85;

}  // namespace

void LatentMeter::setFigures(const Figures& figures) {
  if (figures == figures_) return;
  figures_ = figures;
  emit changed();
}

bool LatentMeter::visible() const {
  return figures_.limitTokens > 0 && figures_.latentBytesPerToken > 0 &&
         figures_.ordinaryBytesPerToken > figures_.latentBytesPerToken;
}

double LatentMeter::contextFraction() const {
  if (figures_.limitTokens <= 0) return 0;
  return std::min(1.0, double(figures_.usedTokens) / double(figures_.limitTokens));
}

double LatentMeter::latentFraction() const {
  if (!visible()) return 0;
  return contextFraction() * double(figures_.latentBytesPerToken) /
         double(figures_.ordinaryBytesPerToken);
}

LatentMeter::Level LatentMeter::level() const {
  if (figures_.limitTokens > 0 && figures_.usedTokens >= figures_.limitTokens) return Full;
  return contextFraction() >= kNearFraction ? Near : Calm;
}

QString LatentMeter::tokensText() const {
  return tr("%1 of %2 tokens")
      .arg(formatCount(figures_.usedTokens), formatCount(figures_.limitTokens));
}

QString LatentMeter::tokensShort() const {
  return formatCount(figures_.usedTokens) + u" / " + formatCount(figures_.limitTokens);
}

QString LatentMeter::savingText() const {
  if (figures_.usedTokens == 0) return {};
  return tr("%1 instead of %2").arg(latentText(), ordinaryText());
}

QString LatentMeter::latentText() const { return formatMemory(latentBytes()); }

QString LatentMeter::ordinaryText() const { return formatMemory(ordinaryBytes()); }

QString LatentMeter::nearText() const {
  if (level() == Calm) return {};
  return tr("Context %1 % full").arg(formatPercent(contextFraction()));
}

QString LatentMeter::roomText() const {
  if (figures_.words <= 0 || figures_.usedTokens <= 0) return {};
  const std::int64_t free = std::max<std::int64_t>(0, figures_.limitTokens - figures_.usedTokens);
  const double words = double(free) * double(figures_.words) / double(figures_.usedTokens);
  return tr("room for about %n more word(s)", nullptr, static_cast<int>(std::min(words, 1e9)));
}

QString LatentMeter::accessibleText() const {
  return tr("Context: %1, %2").arg(tokensText(), latentText());
}

}  // namespace paluku
