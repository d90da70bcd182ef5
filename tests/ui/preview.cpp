// Shows the window over the stage, for looking at it: paluku_ui_preview --shot file.png --size
// 420x800
// --dark --te --contrast --page settings ... Without --shot it stays open.
#include <QCommandLineParser>
#include <QGuiApplication>
#include <QImage>
#include <QQmlApplicationEngine>
#include <QQuickStyle>
#include <QQuickWindow>
#include <QTimer>

#include "app/platform/fonts.h"
#include "tests/ui/stage.h"

namespace {

constexpr int kDrawnMs = 900;

void addOptions(QCommandLineParser& parser) {
  parser.addHelpOption();
  parser.addOptions({{"shot", "Write a picture and quit.", "file"},
                     {"size", "Size of the window.", "WxH", "1280x800"},
                     {"page", "0 chat, 1 models, 2 settings.", "n", "0"},
                     {"section", "Of the settings.", "n", "0"},
                     {"title", "Conversation to open.", "title"},
                     {"draft", "Text in the composer.", "text"},
                     {"scale", "Text size in percent.", "percent", "100"},
                     {"answer", "Ask something and write this, without an end.", "text"},
                     {"first", "As at the first start."},
                     {"dark", "Dark look."},
                     {"te", "In Telugu."},
                     {"contrast", "High contrast."}});
}

void applySettings(paluku::Stage& stage, const QCommandLineParser& parser) {
  stage.settings().setLook(parser.isSet("dark") ? paluku::Appearance::Look::Dark
                                                : paluku::Appearance::Look::Light);
  stage.settings().setHighContrast(parser.isSet("contrast"));
  stage.settings().setTextSizePercent(parser.value("scale").toInt());
  stage.settings().setLanguageIndex(parser.isSet("te") ? 2 : 1);
}

void act(paluku::Stage& stage, const QCommandLineParser& parser) {
  if (parser.isSet("title")) stage.openTitle(parser.value("title"));
  if (parser.isSet("draft")) stage.app()->chat()->setDraft(parser.value("draft"));
  if (!parser.isSet("answer")) return;
  stage.app()->chat()->setDraft(QStringLiteral("Tell me more."));
  stage.app()->chat()->send();
  stage.write(parser.value("answer"));
}

}  // namespace

int main(int argc, char** argv) {
  QGuiApplication application(argc, argv);
  QCommandLineParser parser;
  addOptions(parser);
  parser.process(application);
  paluku::loadFonts();
  QQuickStyle::setStyle(QStringLiteral("Basic"));
  paluku::Stage stage(!parser.isSet("first"));
  applySettings(stage, parser);
  QQmlApplicationEngine engine;
  engine.addImportPath(QStringLiteral("qrc:/qt/qml"));
  engine.setInitialProperties({{QStringLiteral("app"), QVariant::fromValue(stage.app())}});
  engine.load(QUrl(QStringLiteral("qrc:/qt/qml/Paluku/Main.qml")));
  if (engine.rootObjects().isEmpty()) return 1;
  auto* window = qobject_cast<QQuickWindow*>(engine.rootObjects().first());
  const QStringList size = parser.value("size").split('x');
  window->resize(size.value(0).toInt(), size.value(1).toInt());
  window->setProperty("page", parser.value("page").toInt());
  QTimer::singleShot(kDrawnMs / 2, &stage, [&] {
    act(stage, parser);
    for (QObject* item : window->findChildren<QObject*>()) {
      if (QByteArray(item->metaObject()->className()).startsWith("SettingsPage"))
        item->setProperty("section", parser.value("section").toInt());
    }
  });
  if (parser.isSet("shot")) {
    QTimer::singleShot(kDrawnMs, window, [&] {
      const bool written = window->grabWindow().save(parser.value("shot"));
      QCoreApplication::exit(written ? 0 : 1);
    });
  }
  return QGuiApplication::exec();
}
