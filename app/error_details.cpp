#include "app/error_details.h"

#include <QCoreApplication>
#include <QLocale>
#include <array>

namespace paluku {
namespace {

// The reasons that engine and storage give, as they write them; %1 stands for a name or a figure.
constexpr std::array kReasons{
    QT_TRANSLATE_NOOP("ErrorDetail", "not a whole number"),
    QT_TRANSLATE_NOOP("ErrorDetail", "not whole numbers"),
    QT_TRANSLATE_NOOP("ErrorDetail", "not numbers"),
    QT_TRANSLATE_NOOP("ErrorDetail", "not finite"),
    QT_TRANSLATE_NOOP("ErrorDetail", "while it was read"),
    QT_TRANSLATE_NOOP("ErrorDetail", "too much metadata"),
    QT_TRANSLATE_NOOP("ErrorDetail", "too many metadata entries"),
    QT_TRANSLATE_NOOP("ErrorDetail", "too many tensors"),
    QT_TRANSLATE_NOOP("ErrorDetail", "too many texts"),
    QT_TRANSLATE_NOOP("ErrorDetail", "too many files"),
    QT_TRANSLATE_NOOP("ErrorDetail", "too many files are mapped"),
    QT_TRANSLATE_NOOP("ErrorDetail", "too many dimensions"),
    QT_TRANSLATE_NOOP("ErrorDetail", "a text is too long"),
    QT_TRANSLATE_NOOP("ErrorDetail", "the name is too long"),
    QT_TRANSLATE_NOOP("ErrorDetail", "a name is too long"),
    QT_TRANSLATE_NOOP("ErrorDetail", "the name is not readable"),
    QT_TRANSLATE_NOOP("ErrorDetail", "a name is not readable"),
    QT_TRANSLATE_NOOP("ErrorDetail", "it is there twice"),
    QT_TRANSLATE_NOOP("ErrorDetail", "a field is there twice"),
    QT_TRANSLATE_NOOP("ErrorDetail", "neither true nor false"),
    QT_TRANSLATE_NOOP("ErrorDetail", "unknown kind of value"),
    QT_TRANSLATE_NOOP("ErrorDetail", "unknown kind of array"),
    QT_TRANSLATE_NOOP("ErrorDetail", "the array is too long"),
    QT_TRANSLATE_NOOP("ErrorDetail", "not a power of two"),
    QT_TRANSLATE_NOOP("ErrorDetail", "its place is not aligned"),
    QT_TRANSLATE_NOOP("ErrorDetail", "an empty dimension"),
    QT_TRANSLATE_NOOP("ErrorDetail", "a dimension is too large"),
    QT_TRANSLATE_NOOP("ErrorDetail", "its rows are no whole blocks of %1"),
    QT_TRANSLATE_NOOP("ErrorDetail", "it overlaps another tensor"),
    QT_TRANSLATE_NOOP("ErrorDetail", "a gap lies before it"),
    QT_TRANSLATE_NOOP("ErrorDetail", "bytes behind the last tensor"),
    QT_TRANSLATE_NOOP("ErrorDetail", "another file has it as well"),
    QT_TRANSLATE_NOOP("ErrorDetail", "an unknown field"),
    QT_TRANSLATE_NOOP("ErrorDetail", "not a JSON object"),
    QT_TRANSLATE_NOOP("ErrorDetail", "its table is no JSON"),
    QT_TRANSLATE_NOOP("ErrorDetail", "size of the file"),
    QT_TRANSLATE_NOOP("ErrorDetail", "depth of the JSON"),
    QT_TRANSLATE_NOOP("ErrorDetail", "number of values in the JSON"),
    QT_TRANSLATE_NOOP("ErrorDetail", "length of a token"),
    QT_TRANSLATE_NOOP("ErrorDetail", "length of the tokens"),
    QT_TRANSLATE_NOOP("ErrorDetail", "number of tokens"),
    QT_TRANSLATE_NOOP("ErrorDetail", "number of scores"),
    QT_TRANSLATE_NOOP("ErrorDetail", "score of a token"),
    QT_TRANSLATE_NOOP("ErrorDetail", "id of a token"),
    QT_TRANSLATE_NOOP("ErrorDetail", "special token"),
    QT_TRANSLATE_NOOP("ErrorDetail", "two tokens with one id"),
    QT_TRANSLATE_NOOP("ErrorDetail", "more tokens than the model has rows for"),
    QT_TRANSLATE_NOOP("ErrorDetail", "no token for byte %1"),
    QT_TRANSLATE_NOOP("ErrorDetail", "merge %1 joins tokens that are not there"),
    QT_TRANSLATE_NOOP("ErrorDetail", "no layers"),
    QT_TRANSLATE_NOOP("ErrorDetail", "queries with a temperature are not known"),
    QT_TRANSLATE_NOOP("ErrorDetail", "its attention has no latent"),
    QT_TRANSLATE_NOOP("ErrorDetail", "the attention of this generation is not known"),
    QT_TRANSLATE_NOOP("ErrorDetail", "layers that share an indexer are not known"),
    QT_TRANSLATE_NOOP("ErrorDetail", "its linear attention is not known"),
    QT_TRANSLATE_NOOP("ErrorDetail", "its double layers are not known"),
    QT_TRANSLATE_NOOP(
        "ErrorDetail",
        "the model is spread over %1 files, which Paluku cannot join; use a single file"),
    QT_TRANSLATE_NOOP("ErrorDetail", "it changed while it was loaded"),
    QT_TRANSLATE_NOOP("ErrorDetail", "it was cut short while in use"),
    QT_TRANSLATE_NOOP("ErrorDetail", "its weights give no answer"),
    QT_TRANSLATE_NOOP("ErrorDetail", "it is empty"),
    QT_TRANSLATE_NOOP("ErrorDetail", "the model has no token %1"),
    QT_TRANSLATE_NOOP("ErrorDetail",
                      "this model's latent of %1 values cannot be divided into groups"),
    QT_TRANSLATE_NOOP("ErrorDetail", "the file names none"),
    QT_TRANSLATE_NOOP("ErrorDetail", "the vocabulary lacks %1"),
    QT_TRANSLATE_NOOP("ErrorDetail", "length of the chat template"),
    QT_TRANSLATE_NOOP("ErrorDetail", "it leaves out what the user says"),
    QT_TRANSLATE_NOOP("ErrorDetail", "it leaves out earlier messages"),
    QT_TRANSLATE_NOOP("ErrorDetail", "the tag \"%1\" is not supported here"),
    QT_TRANSLATE_NOOP("ErrorDetail", "the filter \"%1\" is not supported"),
    QT_TRANSLATE_NOOP("ErrorDetail", "the test \"%1\" is not supported"),
    QT_TRANSLATE_NOOP("ErrorDetail", "the function \"%1\" is not known"),
    QT_TRANSLATE_NOOP("ErrorDetail", "\"%1\" is undefined"),
    QT_TRANSLATE_NOOP("ErrorDetail", "\"%1\" is undefined and holds nothing"),
    QT_TRANSLATE_NOOP("ErrorDetail", "the template refuses this conversation: %1"),
    QT_TRANSLATE_NOOP("ErrorDetail", "takes too many steps"),
    QT_TRANSLATE_NOOP("ErrorDetail", "needs too much memory"),
    QT_TRANSLATE_NOOP("ErrorDetail", "makes a text that is too long"),
    QT_TRANSLATE_NOOP("ErrorDetail", "writes too much"),
    QT_TRANSLATE_NOOP("ErrorDetail", "is nested too deeply"),
    QT_TRANSLATE_NOOP("ErrorDetail", "goes too deep"),
    QT_TRANSLATE_NOOP("ErrorDetail", "this processor cannot run it"),
    QT_TRANSLATE_NOOP("ErrorDetail", "there is no NVIDIA card"),
    QT_TRANSLATE_NOOP("ErrorDetail", "the NVIDIA driver is missing or too old"),
    QT_TRANSLATE_NOOP("ErrorDetail", "the package paluku-cuda is not installed"),
    QT_TRANSLATE_NOOP("ErrorDetail", "the package paluku-cuda is of another version than Paluku"),
    QT_TRANSLATE_NOOP("ErrorDetail", "%1 is older than Turing"),
    QT_TRANSLATE_NOOP("ErrorDetail", "there is no backend of this name"),
    QT_TRANSLATE_NOOP("ErrorDetail", "the message is of another conversation"),
    QT_TRANSLATE_NOOP("ErrorDetail", "only a last reply can be continued"),
    QT_TRANSLATE_NOOP("ErrorDetail", "the backup does not verify"),
    QT_TRANSLATE_NOOP("ErrorDetail", "the repaired database is not sound"),
    QT_TRANSLATE_NOOP("ErrorDetail", "it is damaged; Paluku repairs it at the next start"),
    QT_TRANSLATE_NOOP("ErrorDetail", "another program is using it"),
    QT_TRANSLATE_NOOP("ErrorDetail", "a text of more than 64 MiB cannot be kept"),
    QT_TRANSLATE_NOOP("ErrorDetail", "a file is where a folder should be"),
    QT_TRANSLATE_NOOP("ErrorDetail", "no home directory is known"),
    QT_TRANSLATE_NOOP("ErrorDetail",
                      "this folder is on a network file system (%1); conversations can only be "
                      "kept on a disk of this computer"),
    QT_TRANSLATE_NOOP("ErrorDetail", "Input/output error"),
    QT_TRANSLATE_NOOP("ErrorDetail", "Read-only file system"),
    QT_TRANSLATE_NOOP("ErrorDetail", "No such device"),
};

// `%1` of `reason` in `text`; a null string when it is not this reason.
QString argumentOf(QStringView text, QStringView reason) {
  const qsizetype at = reason.indexOf(u"%1");
  if (at < 0) return text == reason ? u""_qs : QString();
  const QStringView before = reason.first(at);
  const QStringView after = reason.sliced(at + 2);
  const bool fits =
      text.size() > before.size() + after.size() && text.startsWith(before) && text.endsWith(after);
  return fits ? text.sliced(before.size(), text.size() - reason.size() + 2).toString() : QString();
}

// Empty when no reason of the table says `text`.
QString translatedReason(QStringView text) {
  for (const char* reason : kReasons) {
    const QString argument = argumentOf(text, QString::fromUtf8(reason));
    if (argument.isNull()) continue;
    return QCoreApplication::translate("ErrorDetail", reason).replace(u"%1"_qs, argument);
  }
  return {};
}

// What stands before a reason: a name, or a line of a template. Empty for other words.
QString translatedPlace(const QString& place) {
  if (!place.contains(u' ')) return place;
  const QString line = argumentOf(place, u"line %1");
  if (line.isEmpty()) return {};
  return QCoreApplication::translate("ErrorDetail", "line %1").replace(u"%1"_qs, line);
}

}  // namespace

QString errorDetail(const QString& detail) {
  // English, or a key, a name, a figure, a type: the same in every language.
  if (QLocale().language() == QLocale::English || !detail.contains(u' ')) return detail;
  if (const QString said = translatedReason(detail); !said.isEmpty()) return said;
  // "general.alignment: not a power of two", "line 3: takes too many steps"
  const qsizetype colon = detail.indexOf(u": ");
  if (colon < 0) return {};
  const QString name = translatedPlace(detail.first(colon));
  const QString said = errorDetail(detail.sliced(colon + 2));
  return name.isEmpty() || said.isEmpty() ? said : name + u": " + said;
}

}  // namespace paluku
