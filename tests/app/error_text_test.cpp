// The translated sentences are those of the engine.
#include "app/error_text.h"

#include <gtest/gtest.h>

#include <QRegularExpression>

#include "app/platform/language.h"
#include "tests/app/app_test_util.h"

namespace paluku {
namespace {

constexpr int kLastCode = static_cast<int>(ErrorCode::kInternal);

TEST(ErrorText, TheTemplatesAreThoseOfTheEngine) {
  for (int code = 0; code <= kLastCode; ++code) {
    const auto error = static_cast<ErrorCode>(code);
    EXPECT_STREQ(translatableTemplate(error), ErrorTemplate(error));
    EXPECT_STRNE(translatableTemplate(error), "") << code;
  }
  EXPECT_STREQ(ErrorTemplate(static_cast<ErrorCode>(kLastCode + 1)), "")
      << "a code after the last one: raise kLastCode";
}

TEST(ErrorText, NotesAreThoseOfTheEngine) {
  for (const auto code : {ModelNoteCode::kValueAssumed, ModelNoteCode::kPredictionSkipped}) {
    EXPECT_STREQ(translatableTemplate(code), ModelNoteTemplate(code));
    const ModelNote note{code, "a.b", "2"};
    EXPECT_EQ(noteText(note), QString::fromStdString(note.Message()));
  }
  Language language;
  language.set(u"te"_qs);
  EXPECT_EQ(
      noteText({ModelNoteCode::kValueAssumed, "a.b", "no"}),
      u"ఫైల్‌లో “a.b” లేదు; దాని విలువ “కాదు” అని తీసుకున్నాం."_qs);
}

TEST(ErrorText, FillsInSubjectAndDetail) {
  EXPECT_EQ(errorText({.code = ErrorCode::kMissingKey, .subject = "model.gguf", .detail = "a.b"}),
            u"“model.gguf” lacks the entry “a.b”."_qs);
  EXPECT_EQ(errorText({.code = ErrorCode::kNoModel, .subject = {}, .detail = {}}),
            u"No model is loaded."_qs);
}

TEST(ErrorText, FiguresHaveUnitsAndGrouping) {
  EXPECT_EQ(errorText({.code = ErrorCode::kContextFull, .subject = {}, .detail = "32768"}),
            u"The context is full: 32,768 tokens."_qs);
  EXPECT_EQ(errorText({.code = ErrorCode::kOutOfMemory, .subject = {}, .detail = "1717986918"}),
            u"There is not enough memory: 1.60 GiB are needed."_qs);
  EXPECT_EQ(errorText({.code = ErrorCode::kOutOfMemory, .subject = {}, .detail = "a workspace"}),
            u"There is not enough memory."_qs);
}

// The whole sentence is Telugu: reasons in words are translated, and left out when there are none.
TEST(ErrorText, NoEnglishIsLeftInTelugu) {
  const auto damaged = [](const std::string& detail) {
    return errorText({.code = ErrorCode::kFileDamaged, .subject = "a.gguf", .detail = detail});
  };
  Language language;
  language.set(u"te"_qs);
  EXPECT_EQ(
      damaged("it is there twice"),
      u"“a.gguf” పాడైంది (రెండుసార్లు ఉంది). మళ్లీ డౌన్‌లోడ్ చేయండి."_qs);
  EXPECT_EQ(
      damaged("blk.0.attn_kv_b.weight: its rows are no whole blocks of Q4_K"),
      u"“a.gguf” పాడైంది (blk.0.attn_kv_b.weight: వరుసలు Q4_K దిమ్మెలుగా సరిపోవు). మళ్లీ డౌన్‌లోడ్ చేయండి."_qs);
  EXPECT_EQ(damaged("tensor 7: it is there twice"), damaged("it is there twice"));
  EXPECT_EQ(
      damaged("words that no table knows"),
      u"“a.gguf” పాడైంది. మళ్లీ డౌన్‌లోడ్ చేయండి."_qs);
  EXPECT_EQ(damaged("key.name: words that no table knows"), damaged("words that no table knows"));
  static const QRegularExpression english(u"[A-Za-z]{2,}"_qs);
  for (const ErrorCode code :
       {ErrorCode::kIo, ErrorCode::kFileTruncated, ErrorCode::kFileDamaged,
        ErrorCode::kLimitExceeded, ErrorCode::kUnsupportedTensorType,
        ErrorCode::kUnsupportedTemplate, ErrorCode::kModelNotRunnable, ErrorCode::kBadValue,
        ErrorCode::kOutOfMemory, ErrorCode::kDeviceFailed, ErrorCode::kInvalidArgument,
        ErrorCode::kInternal}) {
    const QString text =
        errorText({.code = code, .subject = "1", .detail = "words that no table knows"});
    EXPECT_FALSE(text.isEmpty());
    EXPECT_FALSE(text.contains(english)) << text.toStdString();
    EXPECT_FALSE(text.contains(u"%"_qs)) << text.toStdString();
  }
  EXPECT_TRUE(errorText({.code = ErrorCode::kDatabaseDamaged,
                         .subject = "a.db",
                         .detail = "/home/my files/a.db.damaged"})
                  .contains(u"my files"_qs))
      << "a name is never left out";
  language.set(u"en"_qs);
}

TEST(ErrorText, PathsAreShortened) {
  EXPECT_EQ(errorText({.code = ErrorCode::kFileEmpty, .subject = "/srv/a/b c.gguf", .detail = {}}),
            u"“b c.gguf” is empty."_qs);
}

TEST(ErrorText, PlaceholdersInASubjectAreText) {
  EXPECT_EQ(errorText({.code = ErrorCode::kMissingKey, .subject = "%2%1", .detail = "%1"}),
            u"“%2%1” lacks the entry “%1”."_qs);
}

TEST(ErrorText, HostileNamesAreMadeVisible) {
  EXPECT_EQ(errorText({.code = ErrorCode::kFileEmpty, .subject = "a\u202e\x1b.gguf", .detail = {}}),
            u"“a[U+202E].gguf” is empty."_qs);
}

}  // namespace
}  // namespace paluku
