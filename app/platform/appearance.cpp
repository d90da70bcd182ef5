#include "app/platform/appearance.h"

#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QDBusVariant>
#include <QEventLoop>
#include <QGuiApplication>
#include <QPalette>
#include <QTimer>
#include <algorithm>

namespace paluku {
namespace {

constexpr auto kService = "org.freedesktop.portal.Desktop";
constexpr auto kPath = "/org/freedesktop/portal/desktop";
constexpr auto kInterface = "org.freedesktop.portal.Settings";
constexpr QStringView kAppearanceGroup = u"org.freedesktop.appearance";
constexpr QStringView kGnomeGroup = u"org.gnome.desktop.interface";
constexpr int kPortalMs = 2000;
constexpr double kSmallestText = 0.85;
constexpr double kLargestText = 1.6;

bool paletteIsDark() {
  const QPalette palette = QGuiApplication::palette();
  return palette.color(QPalette::Window).lightness() <
         palette.color(QPalette::WindowText).lightness();
}

QVariant unwrapped(QVariant value) {
  while (value.canConvert<QDBusVariant>()) value = value.value<QDBusVariant>().variant();
  return value;
}

}  // namespace

Appearance::Appearance(QObject* parent) : QObject(parent) { system_.dark = paletteIsDark(); }

bool Appearance::dark() const {
  return wishes_.look == Look::System ? system_.dark : wishes_.look == Look::Dark;
}

double Appearance::textScale() const {
  return std::clamp(wishes_.textScale, kSmallestText, kLargestText);
}

void Appearance::setWishes(const Wishes& wishes) {
  if (wishes == wishes_) return;
  wishes_ = wishes;
  emit changed();
}

void Appearance::readSystem(int limitMs) {
  QDBusConnection bus = QDBusConnection::sessionBus();
  if (!bus.isConnected()) return;
  bus.connect(QLatin1String(kService), QLatin1String(kPath), QLatin1String(kInterface),
              u"SettingChanged"_qs, this, SLOT(settingChanged(QString, QString, QDBusVariant)));
  const QString group = kAppearanceGroup.toString();
  ask(group, u"color-scheme"_qs);
  ask(group, u"contrast"_qs);
  ask(group, u"reduced-motion"_qs);
  ask(kGnomeGroup.toString(), u"enable-animations"_qs);
  QEventLoop loop;
  QTimer::singleShot(limitMs, &loop, &QEventLoop::quit);
  connect(this, &Appearance::allAnswered, &loop, &QEventLoop::quit);
  if (pending_ > 0) loop.exec(QEventLoop::ExcludeUserInputEvents);
}

void Appearance::ask(const QString& group, const QString& key) {
  ++pending_;
  call(u"ReadOne"_qs, group, key);
}

void Appearance::call(const QString& method, const QString& group, const QString& key) {
  QDBusMessage message = QDBusMessage::createMethodCall(
      QLatin1String(kService), QLatin1String(kPath), QLatin1String(kInterface), method);
  message << group << key;
  const QDBusPendingCall answer = QDBusConnection::sessionBus().asyncCall(message, kPortalMs);
  auto* const watcher = new QDBusPendingCallWatcher(answer, this);
  connect(watcher, &QDBusPendingCallWatcher::finished, this, [this, watcher, method, group, key] {
    watcher->deleteLater();
    const QDBusPendingReply<QDBusVariant> reply = *watcher;
    // Older portals know only Read, whose answer is wrapped twice.
    if (reply.isError() && reply.error().type() == QDBusError::UnknownMethod &&
        method == u"ReadOne")
      return call(u"Read"_qs, group, key);
    if (!reply.isError()) applySystemValue(group, key, unwrapped(reply.value().variant()));
    if (--pending_ == 0) emit allAnswered();
  });
}

void Appearance::settingChanged(const QString& group, const QString& key,
                                const QDBusVariant& value) {
  applySystemValue(group, key, unwrapped(value.variant()));
}

void Appearance::applySystemValue(const QString& group, const QString& key, const QVariant& value) {
  const System before = system_;
  if (group == kAppearanceGroup && key == u"color-scheme") {
    const uint scheme = value.toUInt();  // 0: no preference
    system_.dark = scheme == 0 ? paletteIsDark() : scheme == 1;
  } else if (group == kAppearanceGroup && key == u"contrast") {
    system_.highContrast = value.toUInt() == 1;
  } else if (group == kAppearanceGroup && key == u"reduced-motion") {
    system_.reducedMotion = value.toUInt() == 1;
  } else if (group == kGnomeGroup && key == u"enable-animations") {
    system_.animationsOff = !value.toBool();
  }
  if (!(system_ == before)) emit changed();
}

}  // namespace paluku
