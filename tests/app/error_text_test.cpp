// The translated sentences are those of the engine.
#include "app/error_text.h"

#include <gtest/gtest.h>

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

TEST(ErrorText, FillsInSubjectAndDetail) {
  EXPECT_EQ(errorText({.code = ErrorCode::kMissingKey, .subject = "model.gguf", .detail = "a.b"}),
            u"“model.gguf” lacks the entry “a.b”."_qs);
  EXPECT_EQ(errorText({.code = ErrorCode::kNoModel, .subject = {}, .detail = {}}),
            u"No model is loaded."_qs);
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
