// The ground floor: checked integers, errors, UTF-8, mapped files, the thread checker.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <thread>

#include "engine/base/checked.h"
#include "engine/base/error.h"
#include "engine/base/log.h"
#include "engine/base/mapped_file.h"
#include "engine/base/thread_checker.h"
#include "engine/base/utf8.h"

namespace paluku {
namespace {

using testing::HasSubstr;
using U64 = Checked<std::uint64_t>;
constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

std::string TemporaryPath(const std::string& name) {
  return testing::TempDir() + std::to_string(getpid()) + "-" + name;
}

TEST(Checked, ComputesLikeIntegersUntilItOverflows) {
  EXPECT_EQ((U64(6) * U64(7) + U64(1) - U64(3)).Get(), 40u);
  EXPECT_EQ((U64(kMax) + U64(0)).Get(), kMax);
  for (const U64 broken : {U64(kMax) + U64(1), U64(1) - U64(2), U64(kMax / 2) * U64(3)}) {
    EXPECT_FALSE(broken.valid());
    EXPECT_FALSE((broken * U64(0)).valid()) << "an overflow is never forgotten";
    EXPECT_FALSE((U64(0) + broken).valid());
    EXPECT_FALSE(broken <= U64(kMax));
    EXPECT_FALSE(U64(0) <= broken);
    EXPECT_EQ(broken.Get(), std::nullopt);
  }
}

TEST(Error, EveryCodeHasASentenceOfItsOwn) {
  std::set<std::string> sentences;
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    const std::string sentence = ErrorTemplate(static_cast<ErrorCode>(code));
    EXPECT_GT(sentence.size(), 5u) << code;
    EXPECT_EQ(sentence.back(), '.') << sentence;
    EXPECT_TRUE(sentences.insert(sentence).second) << sentence;
  }
}

TEST(Error, TheSentenceHoldsSubjectAndDetail) {
  const Error error{ErrorCode::kMissingKey, "/m/%2.gguf", "a.key"};
  EXPECT_EQ(error.Message(), "“/m/%2.gguf” lacks the entry “a.key”.");
}

TEST(Error, ReasonsOfTheSystemBecomeCodes) {
  EXPECT_EQ(ErrorFromErrno(ENOENT, "x").code, ErrorCode::kFileNotFound);
  EXPECT_EQ(ErrorFromErrno(EACCES, "x").code, ErrorCode::kFileNotReadable);
  EXPECT_EQ(ErrorFromErrno(ENOSPC, "x").code, ErrorCode::kDiskFull);
  EXPECT_EQ(ErrorFromErrno(EIO, "x").code, ErrorCode::kIo);
  EXPECT_EQ(ErrorFromErrno(EIO, "x").detail, std::strerror(EIO));
}

Result<int> Half(int value) {
  if (value % 2 != 0) return Fail(ErrorCode::kInvalidArgument, "half", "odd");
  return value / 2;
}
Result<int> Quarter(int value) {
  PALUKU_ASSIGN_OR_RETURN(const int half, Half(value));
  PALUKU_TRY(Half(half));
  return half / 2;
}

TEST(Error, PassesThroughTheMacros) {
  EXPECT_EQ(Quarter(12).value(), 3);
  EXPECT_EQ(Quarter(7).error().detail, "odd");
  EXPECT_EQ(Quarter(6).error().detail, "odd");
}

// Every byte sequence of table 3-7 of Unicode 15, decided by encoding all code points.
TEST(Utf8, AcceptsExactlyTheValidSequences) {
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    AppendUtf8(text, c);
    ASSERT_EQ(ValidUtf8Prefix(text), text.size()) << static_cast<std::uint32_t>(c);
    ASSERT_EQ(Utf8SequenceLength(static_cast<unsigned char>(text[0])), text.size());
    std::size_t length = 0;
    ASSERT_EQ(DecodeUtf8(text, &length), c);
    ASSERT_EQ(length, text.size());
    text.pop_back();
    ASSERT_TRUE(text.empty() || ValidUtf8Prefix(text) == 0) << "cut short";
  }
  for (const char* wrong :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xE2(\xA1", "\xF0\x9F(\x8D"}) {
    EXPECT_FALSE(IsValidUtf8(wrong));
    EXPECT_EQ(ValidUtf8Prefix(wrong), 0u);
  }
}

TEST(Utf8, RepairReplacesEachMaximalPart) {
  EXPECT_EQ(RepairUtf8("శుభం"), "శుభం");
  EXPECT_EQ(RepairUtf8("a\xFFz"), "a\uFFFDz");
  EXPECT_EQ(RepairUtf8("\xE0\xB0"), "\uFFFD") << "a character cut short is one mark";
  EXPECT_EQ(RepairUtf8("\xF0\x9F\x91z"), "\uFFFDz");
  EXPECT_EQ(RepairUtf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD") << "a surrogate is three";
  EXPECT_EQ(RepairUtf8("\xC0\xAF"), "\uFFFD\uFFFD");
  EXPECT_EQ(RepairUtf8(""), "");
}

TEST(Utf8, APlainLineSteersNothingAndHasALimit) {
  EXPECT_EQ(PlainLine("పలుకు 👩‍🌾 – x", 64),
            "పలుకు 👩‍🌾 – x");
  EXPECT_EQ(PlainLine("a\x1b[2J\r\n\t\x7f", 64), "a\uFFFD[2J\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(PlainLine("\u202Eexe.fdp\u2066\u200F\u2028\u0085", 64),
            "\uFFFDexe.fdp\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(PlainLine("\xE0\xB0|\xFF", 64), "\uFFFD|\uFFFD");
  EXPECT_EQ(PlainLine("123456", 6), "123456");
  EXPECT_EQ(PlainLine("1234567", 6), "123…");
  EXPECT_EQ(PlainLine("1పలుకు", 8), "1ప…") << "no character is cut";
  EXPECT_EQ(PlainLine(std::string(1 << 20, '\n'), 30).size(), 30u);
}

TEST(MappedFile, GivesTheBytesAndNamesWhatIsWrong) {
  const std::string path = TemporaryPath("mapped");
  std::ofstream(path) << "hello";
  const auto file = MappedFile::Open(path).value();
  EXPECT_EQ(std::memcmp(file->bytes().data(), "hello", 5), 0);
  EXPECT_EQ(file->bytes().size(), 5u);
  EXPECT_FALSE(file->damaged());
  EXPECT_EQ(MappedFile::Open(path + ".no").error().code, ErrorCode::kFileNotFound);
  EXPECT_EQ(MappedFile::Open(path + "/below").error().code, ErrorCode::kFileNotFound);
  EXPECT_EQ(MappedFile::Open(testing::TempDir()).error().code, ErrorCode::kNotARegularFile);
  EXPECT_EQ(MappedFile::Open("/dev/null").error().code, ErrorCode::kNotARegularFile);
  std::ofstream(path, std::ios::trunc).flush();
  EXPECT_EQ(MappedFile::Open(path).error().code, ErrorCode::kFileEmpty);
}

TEST(MappedFile, LostPagesReadAsZerosOnEveryThread) {
  const std::string path = TemporaryPath("lost");
  std::ofstream(path) << std::string(1 << 20, 'x');
  const auto whole = MappedFile::Open(path).value();
  const std::string other_path = TemporaryPath("kept");
  std::ofstream(other_path) << std::string(1 << 16, 'y');
  const auto other = MappedFile::Open(other_path).value();
  std::filesystem::resize_file(path, 4096);
  const auto zeros = [&](std::size_t first) {
    for (std::size_t i = first; i < whole->bytes().size(); i += 4096) {
      if (whole->bytes()[i] != std::byte{0}) return false;
    }
    return true;
  };
  bool right[2] = {};
  {
    std::jthread a([&] { right[0] = zeros(4096); });
    std::jthread b([&] { right[1] = zeros(4096 + 100); });
  }
  EXPECT_TRUE(right[0] && right[1]);
  EXPECT_EQ(whole->bytes()[0], std::byte{'x'});
  EXPECT_TRUE(whole->damaged());
  EXPECT_FALSE(other->damaged()) << "only the file that was cut";
}

TEST(MappedFile, ManyFilesAreALimitNotACrash) {
  const std::string path = TemporaryPath("many");
  std::ofstream(path) << "x";
  std::vector<std::shared_ptr<const MappedFile>> open;
  Result<std::shared_ptr<const MappedFile>> file = MappedFile::Open(path);
  while (file && open.size() < 2000) {
    open.push_back(*file);
    file = MappedFile::Open(path);
  }
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().code, ErrorCode::kLimitExceeded);
  EXPECT_GE(open.size(), 200u);
  open.clear();
  EXPECT_TRUE(MappedFile::Open(path).has_value()) << "the places come back";
}

TEST(ThreadChecker, AnotherThreadAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  ThreadChecker checker;
  checker.Check();
  checker.Check();
  EXPECT_DEATH(std::jthread([&] { checker.Check(); }).join(), "check failed");
  checker.Release();
  std::jthread([&] { checker.Check(); }).join();
}

TEST(Log, WritesLinesOnceItIsOpen) {
  const std::string path = TemporaryPath("paluku.log");
  ASSERT_TRUE(OpenLog(path).has_value());
  Log(LogLevel::kInfo, "model loaded");
  Log(LogLevel::kWarning, "the mapping lost a page");
  std::ifstream in(path);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  EXPECT_THAT(text, HasSubstr("model loaded"));
  EXPECT_THAT(text, HasSubstr("the mapping lost a page"));
}

}  // namespace
}  // namespace paluku
