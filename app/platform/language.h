// Language: which of the shipped languages the interface speaks, and the switch while it runs.
// Installs the catalogues of :/i18n and sets QLocale's default. Interface thread; one per program.
#pragma once

#include <QObject>
#include <QString>
#include <QTranslator>

namespace paluku {

class Language : public QObject {
  Q_OBJECT

 public:
  explicit Language(QObject* parent = nullptr);

  // "en" or "te"; anything else means the system's. Emits changed() when another one is spoken now.
  void set(const QString& wish);
  // "en" or "te".
  const QString& code() const { return code_; }
  // What the system asks for, of the languages that ship.
  static QString systemCode();

 signals:
  void changed();

 private:
  QTranslator translator_;
  QString code_;
};

}  // namespace paluku
