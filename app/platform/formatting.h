// Figures as people read them, in the language of the interface (QLocale's default, which Language
// sets): 12,34,567 in Telugu, 1,234,567 in English. Digits are always Latin. Interface thread.
#pragma once

#include <QString>
#include <cstdint>

namespace paluku {

QString formatCount(std::int64_t count);
// Memory in binary units with three digits: "184 MiB", "1.60 GiB".
QString formatMemory(std::int64_t bytes);
// A file in decimal units: "24 MB", "10.4 GB".
QString formatFileSize(std::int64_t bytes);
// Weights of a model: "5.2M", "16B".
QString formatParameters(std::int64_t count);
// With `decimals` digits after the point.
QString formatNumber(double value, int decimals);
// A share of 0..1 in whole percent, without the sign.
QString formatPercent(double share);
// "18.4 tokens/s".
QString formatSpeed(double tokensPerSecond);
// "about 9 s", "about 2 min".
QString formatRemaining(double seconds);
// "DeepSeek-V2-Lite-Chat" is called V2-Lite beside its answers.
QString shortModelName(QString name);

}  // namespace paluku
