// What the whole window costs the interface thread while a long answer streams into it: every event
// that the thread handles is timed, and a frame is cut into ours (bindings, layout, polish, the
// scene graph's copy of the items) and painting, which a graphics card's thread does where there is
// one. Prints medians, 99th percentiles and maxima; no verdict.
//   bench_frames [TOKENS [English|Telugu|Code]]     (in a real window: needs a display, Xvfb is
//   one)
#include <QElapsedTimer>
#include <QGuiApplication>
#include <QQmlApplicationEngine>
#include <QQuickStyle>
#include <QQuickWindow>
#include <QTimer>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <vector>

#include "app/platform/fonts.h"
#include "tests/app/answer_tokens.h"
#include "tests/ui/stage.h"

namespace paluku {
namespace {

constexpr int kTokens = 4000;
constexpr double kFrameMs = 16;

// What this thread has computed so far: the work of other programs does not count.
double cpuMs() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) * 1e3 + double(now.tv_nsec) / 1e6;
}

void print(const char* what, std::vector<double> milliseconds) {
  if (milliseconds.empty()) return;
  std::sort(milliseconds.begin(), milliseconds.end());
  const auto at = [&](double share) {
    return milliseconds[static_cast<std::size_t>(share * double(milliseconds.size() - 1))];
  };
  const auto over =
      milliseconds.end() - std::upper_bound(milliseconds.begin(), milliseconds.end(), kFrameMs);
  std::printf("  %-34s %6zu times  median %6.2f  p99 %6.2f  max %6.2f ms, %td over %.0f ms\n", what,
              milliseconds.size(), at(0.5), at(0.99), milliseconds.back(), over, kFrameMs);
}

// Times every event of the outermost loop, and the parts of a frame, which is an event inside of
// one.
class TimedApplication : public QGuiApplication {
 public:
  using QGuiApplication::QGuiApplication;

  void watch(QQuickWindow* window) {
    window_ = window;
    connect(
        window, &QQuickWindow::afterSynchronizing, this, [this] { synchronised_ = cpuMs(); },
        Qt::DirectConnection);
  }
  void forget() {
    frames_.clear();
    painting_.clear();
    others_.clear();
  }
  void report() const {
    print("frame, ours", frames_);
    print("frame, painting (software)", painting_);
    print("any other event", others_);
  }

  bool notify(QObject* receiver, QEvent* event) override {
    const bool isFrame = receiver == window_ && event->type() == QEvent::UpdateRequest;
    const double began = cpuMs();
    if (isFrame) synchronised_ = inFrames_ = 0;
    ++depth_;
    const bool taken = QGuiApplication::notify(receiver, event);
    --depth_;
    const double took = cpuMs() - began;
    if (isFrame && synchronised_ > 0) {
      frames_.push_back(synchronised_ - began);
      painting_.push_back(took - frames_.back());
      inFrames_ = took;
    }
    if (depth_ == 0) {
      if (!isFrame) others_.push_back(took - inFrames_);
      inFrames_ = 0;
    }
    return taken;
  }

 private:
  QQuickWindow* window_ = nullptr;
  int depth_ = 0;
  double synchronised_ = 0;  // when, of the frame under way; 0: not yet
  double inFrames_ = 0;      // spent on frames inside of the outermost event
  std::vector<double> frames_, painting_, others_;
};

// Writes one token after each frame, as a fast model would.
class Answer : public QObject {
 public:
  Answer(Stage& stage, QQuickWindow& window, QStringList tokens)
      : stage_(stage), window_(window), tokens_(std::move(tokens)) {
    connect(&window, &QQuickWindow::frameSwapped, this, [this] { next_.start(0); });
    next_.setSingleShot(true);
    connect(&next_, &QTimer::timeout, this, &Answer::write);
    next_.start(0);
  }
  const std::vector<double>& costs() const { return costs_; }

 private:
  void write() {
    if (at_ == tokens_.size()) return QCoreApplication::exit();
    const double began = cpuMs();
    stage_.write(tokens_[at_++]);
    costs_.push_back(cpuMs() - began);
    window_.update();
  }

  Stage& stage_;
  QQuickWindow& window_;
  const QStringList tokens_;
  qsizetype at_ = 0;
  QTimer next_;
  std::vector<double> costs_;
};

void measure(TimedApplication& application, Stage& stage, QQuickWindow& window, const char* name,
             const QStringList& tokens) {
  const QString only = QCoreApplication::arguments().value(2);
  if (!only.isEmpty() && only != QLatin1String(name)) return;
  stage.app()->newConversation();
  stage.settle();
  stage.app()->chat()->setDraft(u"Tell me a long story."_qs);
  stage.app()->chat()->send();
  stage.settle();
  application.forget();
  QElapsedTimer timer;
  timer.start();
  const Answer answer(stage, window, tokens);
  QCoreApplication::exec();
  std::printf("%s, %zu tokens in %.1f s\n", name, answer.costs().size(),
              double(timer.elapsed()) / 1000);
  application.report();
  print("taking one token in", answer.costs());
  const auto tail =
      answer.costs().size() > 200 ? answer.costs().end() - 200 : answer.costs().begin();
  print("taking one of the last 200 in", {tail, answer.costs().end()});
  const double began = cpuMs();
  stage.finish();
  print("its end", {cpuMs() - began});
  std::fflush(stdout);
  stage.settle();
}

}  // namespace
}  // namespace paluku

int main(int argc, char** argv) {
  qputenv("QT_QUICK_BACKEND", "software");
  qputenv("QSG_RENDER_LOOP", "basic");
  paluku::TimedApplication application(argc, argv);
  const QStringList arguments = QCoreApplication::arguments();
  const int count = arguments.size() > 1 ? arguments[1].toInt() : paluku::kTokens;
  paluku::loadFonts();
  QQuickStyle::setStyle(QStringLiteral("Basic"));
  paluku::Stage stage(true);
  QQmlApplicationEngine engine;
  engine.addImportPath(QStringLiteral("qrc:/qt/qml"));
  engine.setInitialProperties({{QStringLiteral("app"), QVariant::fromValue(stage.app())}});
  engine.load(QUrl(QStringLiteral("qrc:/qt/qml/Paluku/Main.qml")));
  if (engine.rootObjects().isEmpty()) return 1;
  auto* const window = qobject_cast<QQuickWindow*>(engine.rootObjects().first());
  window->resize(1280, 800);
  application.watch(window);
  using paluku::measure;
  measure(application, stage, *window, "English", paluku::tokensOf(paluku::kEnglishWords, count));
  measure(application, stage, *window, "Telugu", paluku::tokensOf(paluku::kTeluguWords, count));
  measure(application, stage, *window, "Code", paluku::codeTokens(count));
  return 0;
}
