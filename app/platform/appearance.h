// Appearance: colours, contrast, motion and text size in effect. The person's settings win; what
// they leave to the system comes from the desktop portal (org.freedesktop.portal.Settings), asked
// asynchronously and awaited at most 200 ms before the first frame.
//
// Created in main.cpp, interface thread. Main.qml binds Theme to it.
#pragma once

#include <QtQml/qqmlregistration.h>

#include <QDBusVariant>
#include <QObject>
#include <QVariant>

namespace paluku {

class Appearance : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("Owned by the application.")

  Q_PROPERTY(bool dark READ dark NOTIFY changed)
  Q_PROPERTY(bool highContrast READ highContrast NOTIFY changed)
  Q_PROPERTY(bool reducedMotion READ reducedMotion NOTIFY changed)
  // 0.85 to 1.6.
  Q_PROPERTY(double textScale READ textScale NOTIFY changed)

 public:
  enum class Look { System, Light, Dark };
  Q_ENUM(Look)

  // What the person asked for.
  struct Wishes {
    Look look = Look::System;
    bool highContrast = false;   // in addition to the system's wish
    bool reducedMotion = false;  // likewise
    double textScale = 1.0;
    bool operator==(const Wishes&) const = default;
  };

  explicit Appearance(QObject* parent = nullptr);

  bool dark() const;
  bool highContrast() const { return wishes_.highContrast || system_.highContrast; }
  bool reducedMotion() const {
    return wishes_.reducedMotion || system_.reducedMotion || system_.animationsOff;
  }
  double textScale() const;

  void setWishes(const Wishes& wishes);
  // Asks the portal and returns when all answers are in or after `limitMs`.
  void readSystem(int limitMs = 200);

  // One answer of the portal, already unwrapped; public for tests.
  void applySystemValue(const QString& group, const QString& key, const QVariant& value);

 signals:
  void changed();
  // The portal has answered every question of readSystem().
  void allAnswered();

 private slots:
  void settingChanged(const QString& group, const QString& key, const QDBusVariant& value);

 private:
  struct System {
    bool dark = false;
    bool highContrast = false;
    bool reducedMotion = false;  // what newer portals say
    bool animationsOff = false;  // what GNOME says
    bool operator==(const System&) const = default;
  };
  void ask(const QString& group, const QString& key);
  void call(const QString& method, const QString& group, const QString& key);

  Wishes wishes_;
  System system_;
  int pending_ = 0;
};

}  // namespace paluku
