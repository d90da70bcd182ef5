// `paluku`: the window. Reads the command line, then Program does the rest.
#include <QCommandLineParser>
#include <QDir>
#include <QFileInfo>
#include <QGuiApplication>
#include <QProcess>
#include <cstdio>
#include <optional>

#include "app/program.h"

namespace {

constexpr int kFailed = 1;

struct Arguments {
  QString dataDir;
  QStringList files;  // absolute
};

Arguments parseArguments(const QCoreApplication& application) {
  QCommandLineParser parser;
  parser.setApplicationDescription(u"Private, offline chat with DeepSeek-family models."_qs);
  parser.addHelpOption();
  parser.addVersionOption();
  const QCommandLineOption dataDir(u"data-dir"_qs, u"Keep everything under this folder."_qs,
                                   u"folder"_qs);
  parser.addOption(dataDir);
  parser.addPositionalArgument(u"files"_qs, u"Model files to add."_qs, u"[files...]"_qs);
  parser.process(application);
  Arguments arguments;
  if (parser.isSet(dataDir)) arguments.dataDir = QDir(parser.value(dataDir)).absolutePath();
  for (const QString& file : parser.positionalArguments())
    arguments.files += QFileInfo(file).absoluteFilePath();
  return arguments;
}

int fail(const paluku::Error& error) {
  std::fprintf(stderr, "paluku: %s\n", error.Message().c_str());
  return kFailed;
}

// Without the files of this start, which are in the library by now.
void startAgain(const QString& dataDir) {
  QStringList arguments;
  if (!dataDir.isEmpty()) arguments << u"--data-dir"_qs << dataDir;
  QProcess::startDetached(QCoreApplication::applicationFilePath(), arguments);
}

}  // namespace

int main(int argc, char** argv) {
  QGuiApplication application(argc, argv);
  QGuiApplication::setApplicationName(u"paluku"_qs);
  QGuiApplication::setApplicationDisplayName(u"Paluku"_qs);
  QGuiApplication::setApplicationVersion(QStringLiteral(PALUKU_VERSION));
  QGuiApplication::setDesktopFileName(QStringLiteral(PALUKU_APP_ID));
  const Arguments arguments = parseArguments(application);

  const auto paths = paluku::ResolvePaths(arguments.dataDir.toStdString());
  if (!paths) return fail(paths.error());
  if (const auto created = paluku::CreatePaths(*paths); !created) return fail(created.error());
  auto settings = paluku::PlainSettings::Load(paths->config + "/settings.json");
  if (!settings) return fail(settings.error());

  std::optional<paluku::Program> program(std::in_place, *paths, std::move(*settings));
  if (program->handOver(arguments.files)) return 0;
  if (!program->start(arguments.files)) return kFailed;
  const int code = QGuiApplication::exec();
  const bool again = program->restartWanted();
  program.reset();  // the next start finds the data unlocked
  if (again) startAgain(arguments.dataDir);
  return code;
}
