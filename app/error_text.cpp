#include "app/error_text.h"

#include <QCoreApplication>
#include <QRegularExpression>

#include "app/chat/markdown.h"
#include "app/error_details.h"
#include "app/platform/formatting.h"

namespace paluku {
namespace {

// Only the file's name: the whole path is in the tooltip or in the library.
QString shortSubject(const std::string& subject) {
  const QString text = QString::fromStdString(subject);
  return text.startsWith(u'/') ? text.sliced(text.lastIndexOf(u'/') + 1) : text;
}

// The detail is a name, a version or a file, not a reason in words.
bool detailIsName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUnsupportedVersion:
    case ErrorCode::kUnsupportedArchitecture:
    case ErrorCode::kUnsupportedTokenizer:
    case ErrorCode::kMissingKey:
    case ErrorCode::kMissingTensor:
    case ErrorCode::kNewerSchema:
    case ErrorCode::kDatabaseDamaged:
      return true;
    default:
      return false;
  }
}

// The detail as it may be shown: figures with units and grouping, reasons translated. Empty when
// there is nothing to show.
QString shownDetail(const Error& error) {
  const QString detail = QString::fromStdString(error.detail);
  bool isFigure = false;
  const qint64 figure = detail.toLongLong(&isFigure);
  if (isFigure && error.code == ErrorCode::kOutOfMemory) return formatMemory(figure);
  // Part of the engine wants memory: that it is "a workspace" helps nobody.
  if (error.code == ErrorCode::kOutOfMemory) return {};
  if (isFigure && error.code == ErrorCode::kContextFull) return formatCount(figure);
  return safeText(detailIsName(error.code) ? detail : errorDetail(detail));
}

// `sentence` without the part that would give a reason: "(%2)" or ": %2".
QString withoutDetail(QString sentence) {
  static const QRegularExpression reason(u" ?\\(%2\\)|: ?%2"_qs);
  return sentence.remove(reason);
}

QString templateOf(const Error& error, const QString& detail) {
  if (error.code == ErrorCode::kOutOfMemory && error.subject.empty())
    return detail.isEmpty()
               ? QCoreApplication::translate("Error", "There is not enough memory.")
               : QCoreApplication::translate("Error", "There is not enough memory: %2 are needed.");
  const QString sentence = QCoreApplication::translate("Error", translatableTemplate(error.code));
  return detail.isEmpty() ? withoutDetail(sentence) : sentence;
}

}  // namespace

const char* translatableTemplate(ErrorCode code) {
  switch (code) {
    case ErrorCode::kFileNotFound:
      return QT_TRANSLATE_NOOP("Error", "“%1” is not there.");
    case ErrorCode::kFileNotReadable:
      return QT_TRANSLATE_NOOP("Error", "“%1” may not be read: permission is missing.");
    case ErrorCode::kNotARegularFile:
      return QT_TRANSLATE_NOOP("Error", "“%1” is not a file.");
    case ErrorCode::kIo:
      return QT_TRANSLATE_NOOP("Error", "“%1” could not be read or written: %2.");
    case ErrorCode::kDiskFull:
      return QT_TRANSLATE_NOOP("Error", "The disk is full: “%1” could not be written.");
    case ErrorCode::kFileEmpty:
      return QT_TRANSLATE_NOOP("Error", "“%1” is empty.");
    case ErrorCode::kNotAModelFile:
      return QT_TRANSLATE_NOOP("Error", "“%1” is not a GGUF model file.");
    case ErrorCode::kFileTruncated:
      return QT_TRANSLATE_NOOP("Error", "“%1” ends too early (%2). Download it again.");
    case ErrorCode::kFileDamaged:
      return QT_TRANSLATE_NOOP("Error", "“%1” is damaged (%2). Download it again.");
    case ErrorCode::kLimitExceeded:
      return QT_TRANSLATE_NOOP("Error", "“%1” goes beyond what a model file may hold (%2).");
    case ErrorCode::kUnsupportedVersion:
      return QT_TRANSLATE_NOOP("Error", "“%1” has format version %2, which Paluku cannot read.");
    case ErrorCode::kUnsupportedArchitecture:
      return QT_TRANSLATE_NOOP("Error",
                               "“%1” holds a model of the family “%2”, which Paluku cannot run.");
    case ErrorCode::kUnsupportedTensorType:
      return QT_TRANSLATE_NOOP("Error",
                               "“%1” stores weights in a way that Paluku cannot read (%2).");
    case ErrorCode::kUnsupportedTokenizer:
      return QT_TRANSLATE_NOOP("Error",
                               "“%1” needs the tokenizer “%2”, which Paluku does not have.");
    case ErrorCode::kUnsupportedTemplate:
      return QT_TRANSLATE_NOOP("Error", "The chat template of “%1” cannot be used (%2).");
    case ErrorCode::kModelNotRunnable:
      return QT_TRANSLATE_NOOP("Error", "“%1” cannot be run by Paluku: %2.");
    case ErrorCode::kMissingKey:
      return QT_TRANSLATE_NOOP("Error", "“%1” lacks the entry “%2”.");
    case ErrorCode::kMissingTensor:
      return QT_TRANSLATE_NOOP("Error", "“%1” lacks the tensor “%2”.");
    case ErrorCode::kBadValue:
      return QT_TRANSLATE_NOOP("Error", "“%1” holds a value that cannot be right (%2).");
    case ErrorCode::kOutOfMemory:
      return QT_TRANSLATE_NOOP("Error", "There is not enough memory for “%1”: %2 are needed.");
    case ErrorCode::kContextFull:
      return QT_TRANSLATE_NOOP("Error", "The context is full: %2 tokens.");
    case ErrorCode::kCancelled:
      return QT_TRANSLATE_NOOP("Error", "Stopped.");
    case ErrorCode::kNoModel:
      return QT_TRANSLATE_NOOP("Error", "No model is loaded.");
    case ErrorCode::kDeviceFailed:
      return QT_TRANSLATE_NOOP("Error", "The device “%1” failed: %2.");
    case ErrorCode::kInvalidArgument:
      return QT_TRANSLATE_NOOP("Error", "%1: %2.");
    case ErrorCode::kAlreadyOpen:
      return QT_TRANSLATE_NOOP("Error", "Paluku is already open and holds “%1”. Close it first.");
    case ErrorCode::kNewerSchema:
      return QT_TRANSLATE_NOOP(
          "Error",
          "“%1” was saved by a newer Paluku (version %2). It can be read here, not changed.");
    case ErrorCode::kDatabaseDamaged:
      return QT_TRANSLATE_NOOP("Error", "“%1” was damaged; the damaged file is kept as “%2”.");
    case ErrorCode::kNotFound:
      return QT_TRANSLATE_NOOP("Error", "“%1” was not found.");
    case ErrorCode::kInternal:
      return QT_TRANSLATE_NOOP("Error", "Something went wrong inside Paluku (%2).");
  }
  return "";
}

QString errorText(const Error& error) {
  const QString detail = shownDetail(error);
  const QString pattern = templateOf(error, detail);
  QString text;
  for (qsizetype i = 0; i < pattern.size(); ++i) {
    const QStringView rest = QStringView(pattern).sliced(i);
    const bool subject = rest.startsWith(u"%1");
    if (subject || rest.startsWith(u"%2")) {
      text += subject ? safeText(shortSubject(error.subject)) : detail;
      ++i;
    } else {
      text += pattern[i];
    }
  }
  return text;
}

const char* translatableTemplate(ModelNoteCode code) {
  switch (code) {
    case ModelNoteCode::kValueAssumed:
      return QT_TRANSLATE_NOOP("ModelNote", "The file lacks “%1”; %2 is assumed.");
    case ModelNoteCode::kPredictionSkipped:
      return QT_TRANSLATE_NOOP("ModelNote", "Layers for multi-token prediction are not used: %1.");
  }
  return "";
}

QString noteText(const ModelNote& note) {
  QString detail = safeText(QString::fromStdString(note.detail));
  if (detail == u"yes"_qs) detail = QCoreApplication::translate("ModelNote", "yes");
  if (detail == u"no"_qs) detail = QCoreApplication::translate("ModelNote", "no");
  return QCoreApplication::translate("ModelNote", translatableTemplate(note.code))
      .arg(safeText(QString::fromStdString(note.subject)), detail);
}

}  // namespace paluku
