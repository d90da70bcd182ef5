#include "app/platform/language.h"

#include <QCoreApplication>
#include <QLocale>

namespace paluku {
namespace {

// English keeps the person's own country for dates and digits; Telugu is spoken in India.
QLocale localeOf(const QString& code) {
  const QLocale system = QLocale::system();
  if (code == u"te") return QLocale(QLocale::Telugu, QLocale::India);
  if (system.language() == QLocale::English) return QLocale(QLocale::English, system.territory());
  return QLocale(QLocale::English);
}

}  // namespace

Language::Language(QObject* parent) : QObject(parent) {}

QString Language::systemCode() {
  for (const QString& name : QLocale::system().uiLanguages()) {
    const QLocale::Language language = QLocale(name).language();
    if (language == QLocale::Telugu) return u"te"_qs;
    if (language == QLocale::English) return u"en"_qs;
  }
  return u"en"_qs;
}

void Language::set(const QString& wish) {
  const bool known = wish == u"en" || wish == u"te";
  const QString code = known ? wish : systemCode();
  if (code == code_) return;
  code_ = code;
  QLocale::setDefault(localeOf(code));
  QCoreApplication::removeTranslator(&translator_);
  if (translator_.load(u":/i18n/paluku_"_qs + code + u".qm"_qs))
    QCoreApplication::installTranslator(&translator_);
  emit changed();
}

}  // namespace paluku
