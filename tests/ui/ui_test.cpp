// QtQuickTest over tst_*.qml. Each file finds `stage` (see stage.h): a window's worth of real view
// models with a scripted host.
#include <QQmlContext>
#include <QQmlEngine>
#include <QQuickStyle>
#include <QtQuickTest>

#include "app/platform/fonts.h"
#include "tests/ui/stage.h"

namespace {

class Setup : public QObject {
  Q_OBJECT

 public slots:
  void applicationAvailable() {
    QQuickStyle::setStyle(QStringLiteral("Basic"));
    paluku::loadFonts();
  }
  void qmlEngineAvailable(QQmlEngine* engine) {
    engine->addImportPath(QStringLiteral("qrc:/qt/qml"));
    stage_ = std::make_unique<paluku::Stage>(true);
    stage_->settings().setLanguageIndex(1);
    connect(&stage_->language(), &paluku::Language::changed, engine, &QQmlEngine::retranslate);
    engine->rootContext()->setContextProperty(QStringLiteral("stage"), stage_.get());
  }
  void cleanupTestCase() { stage_.reset(); }

 private:
  std::unique_ptr<paluku::Stage> stage_;
};

}  // namespace

QUICK_TEST_MAIN_WITH_SETUP(ui, Setup)

#include "ui_test.moc"
