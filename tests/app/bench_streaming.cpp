// What the interface costs per token while an answer streams, in English and in Telugu: parsing,
// the row's change, the styles and the layout of the last block, in a real ListView of TextEdits.
// Prints the median and the worst of 200 tokens around the 1st, 1,000th, 4,000th and 8,000th.
//   bench_streaming     (software rendering, no screen; run it while nothing else runs)
#include <QElapsedTimer>
#include <QGuiApplication>
#include <QQmlContext>
#include <QQuickItem>
#include <QQuickView>
#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

#include "app/chat/transcript_model.h"
#include "tests/app/answer_tokens.h"

namespace paluku {
namespace {

constexpr int kWindow = 200;
constexpr std::array<int, 4> kPlaces{1, 1000, 4000, 8000};

constexpr const char* kView = R"(
import QtQuick
import PalukuApp
ListView {
  id: view
  required property TranscriptModel transcript
  width: 600; height: 800; model: transcript; reuseItems: true; cacheBuffer: 800
  delegate: Item {
    id: row
    required property string text
    required property var spans
    width: 600; height: edit.implicitHeight
    TextEdit {
      id: edit
      width: 600; readOnly: true; textFormat: TextEdit.PlainText; wrapMode: TextEdit.Wrap
      font.pixelSize: 16
      readonly property TextStyler styler: TextStyler {
        document: edit.textDocument; text: row.text; spans: row.spans; lineHeight: 27
      }
    }
  }
}
)";

struct Cost {
  double median;
  double worst;
};

Cost costOf(std::vector<double> milliseconds) {
  std::sort(milliseconds.begin(), milliseconds.end());
  return {milliseconds[milliseconds.size() / 2], milliseconds.back()};
}

// Everything the GUI thread does for one token, painting left out.
double spend(TranscriptModel& transcript, QQuickItem& view, const QString& token) {
  QElapsedTimer timer;
  timer.start();
  transcript.appendText(u"a"_qs, token, {});
  QMetaObject::invokeMethod(&view, "forceLayout");
  QMetaObject::invokeMethod(&view, "positionViewAtEnd");
  QCoreApplication::sendPostedEvents();
  return double(timer.nsecsElapsed()) / 1e6;
}

void measure(const char* name, const QStringList& tokens) {
  TranscriptModel transcript;
  MessageRecord answer;
  answer.id = "a";
  answer.role = MessageRole::kAssistant;
  answer.state = MessageState::kStreaming;
  transcript.setMessages({answer});
  QQuickView window;
  window.resize(600, 800);
  QQmlComponent component(window.engine());
  component.setData(kView, {});
  auto* const view = qobject_cast<QQuickItem*>(component.createWithInitialProperties(
      {{u"transcript"_qs, QVariant::fromValue(&transcript)}}));
  if (view == nullptr) {
    std::fprintf(stderr, "%s\n", qPrintable(component.errorString()));
    std::exit(1);
  }
  view->setParentItem(window.contentItem());
  window.show();
  std::vector<double> costs;
  for (const QString& token : tokens) costs.push_back(spend(transcript, *view, token));
  for (const int place : kPlaces) {
    const auto begin = costs.begin() + (place - 1);
    if (costs.end() - begin < kWindow) break;
    const Cost cost = costOf({begin, begin + kWindow});
    std::printf("%-8s token %5d  median %.3f ms  worst %.3f ms\n", name, place, cost.median,
                cost.worst);
  }
  delete view;
}

}  // namespace
}  // namespace paluku

int main(int argc, char** argv) {
  qputenv("QT_QPA_PLATFORM", "offscreen");
  qputenv("QT_QUICK_BACKEND", "software");
  const QGuiApplication application(argc, argv);
  constexpr int kCount = 8200;
  paluku::measure("English", paluku::tokensOf(paluku::kEnglishWords, kCount));
  paluku::measure("Telugu", paluku::tokensOf(paluku::kTeluguWords, kCount));
  paluku::measure("Code", paluku::codeTokens(kCount));
  return 0;
}
