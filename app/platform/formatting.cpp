#include "app/platform/formatting.h"

#include <QCoreApplication>
#include <QLocale>
#include <QStringList>
#include <algorithm>
#include <array>
#include <cmath>

namespace paluku {
namespace {

QString translated(const char* text) { return QCoreApplication::translate("Formatting", text); }

// As many decimals as make three digits in all; nothing is a plain 0.
QString threeDigits(double value) {
  if (value == 0) return formatCount(0);
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return formatNumber(value, decimals);
}

}  // namespace

QString formatCount(std::int64_t count) { return QLocale().toString(qlonglong{count}); }

QString formatNumber(double value, int decimals) {
  return QLocale().toString(value, 'f', decimals);
}

QString formatMemory(std::int64_t bytes) {
  static constexpr std::array<QStringView, 4> kUnits{u"KiB", u"MiB", u"GiB", u"TiB"};
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return threeDigits(value) + u' ' + kUnits[unit];
}

QString formatFileSize(std::int64_t bytes) {
  static constexpr std::array<QStringView, 4> kUnits{u"kB", u"MB", u"GB", u"TB"};
  double value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  const int decimals = kUnits[unit] == u"GB" || kUnits[unit] == u"TB" ? 1 : 0;
  return formatNumber(value, decimals) + u' ' + kUnits[unit];
}

QString formatParameters(std::int64_t count) {
  const bool billions = count >= 999'500'000;
  const double value = static_cast<double>(count) / (billions ? 1e9 : 1e6);
  return formatNumber(value, value < 9.95 ? 1 : 0) + (billions ? u'B' : u'M');
}

QString formatPercent(double share) {
  return formatCount(static_cast<std::int64_t>(std::floor(100 * std::clamp(share, 0.0, 1.0))));
}

QString formatSpeed(double tokensPerSecond) {
  return translated(QT_TRANSLATE_NOOP("Formatting", "%1 tokens/s"))
      .arg(formatNumber(tokensPerSecond, tokensPerSecond < 99.95 ? 1 : 0));
}

QString formatRemaining(double seconds) {
  if (seconds < 60) {
    return translated(QT_TRANSLATE_NOOP("Formatting", "about %1 s"))
        .arg(formatCount(std::max<std::int64_t>(1, std::llround(std::ceil(seconds)))));
  }
  return translated(QT_TRANSLATE_NOOP("Formatting", "about %1 min"))
      .arg(formatCount(std::llround(std::ceil(seconds / 60))));
}

QString shortModelName(QString name) {
  static const QStringList kEndings{u"-Chat"_qs, u"-Instruct"_qs, u"-Base"_qs, u"-it"_qs};
  for (const QString& ending : kEndings) {
    if (name.endsWith(ending, Qt::CaseInsensitive)) name.chop(ending.size());
  }
  if (name.startsWith(u"DeepSeek-", Qt::CaseInsensitive) && name.size() > 9) name.remove(0, 9);
  return name;
}

}  // namespace paluku
