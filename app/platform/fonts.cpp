#include "app/platform/fonts.h"

#include <QDir>
#include <QFont>
#include <QFontDatabase>
#include <QGuiApplication>

namespace paluku {

void loadFonts() {
  const QDir fonts(u":/fonts"_qs);
  for (const QString& file : fonts.entryList({u"*.ttf"_qs}))
    QFontDatabase::addApplicationFont(fonts.filePath(file));
  const QStringList fallbacks{u"Paluku Telugu"_qs, u"Noto Color Emoji"_qs};
  QFont::insertSubstitutions(u"Noto Sans"_qs, fallbacks);
  QFont::insertSubstitutions(u"Noto Sans Mono"_qs, fallbacks);
  QFont font(u"Noto Sans"_qs);
  font.setPixelSize(14);
  font.setHintingPreference(QFont::PreferNoHinting);
  QGuiApplication::setFont(font);
}

}  // namespace paluku
