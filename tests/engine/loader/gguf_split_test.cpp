// Split sets: any part opens all of them; parts that are missing or do not belong are named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <vector>

#include "engine/loader/gguf.h"
#include "tests/engine/loader/gguf_builder.h"

namespace paluku::test {
namespace {

using testing::HasSubstr;

GgufBuilder& U16(GgufBuilder& builder, std::string_view key, std::uint16_t value) {
  return builder.Entry(key, ValueType::kU16, ByteWriter().Number(value));
}

// Part `number` (from 0) of three: the metadata and no tensor, two tensors, one tensor.
GgufBuilder Part(int number, int count = 3, int tensors = 3) {
  GgufBuilder part;
  U16(part, "split.no", static_cast<std::uint16_t>(number));
  U16(part, "split.count", static_cast<std::uint16_t>(count));
  part.Entry("split.tensors.count", ValueType::kI32, ByteWriter().Number<std::int32_t>(tensors));
  const float values[] = {1, 2, 3, 4};
  if (number == 0) part.Text("general.architecture", "deepseek2");
  if (number == 1) part.Tensor("first", {4}, std::as_bytes(std::span(values))).Tensor("odd", {2});
  if (number == 2) part.Tensor("last", {2, 2}, std::as_bytes(std::span(values)));
  return part;
}

class SplitGguf : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string Path(int number, int count = 3) const {
    char name[64];
    std::snprintf(name, sizeof name, "model-%05d-of-%05d.gguf", number + 1, count);
    return directory_ + "/" + name;
  }
  void Put(const GgufBuilder& part, const std::string& path) const {
    std::filesystem::rename(part.Write("part.gguf"), path);
  }
  void PutAll() const {
    for (int i = 0; i < 3; ++i) Put(Part(i), Path(i));
  }

  const std::string directory_ = testing::TempDir() + "split-" + std::to_string(getpid());
};

TEST_F(SplitGguf, AnyPartOpensTheWholeSet) {
  PutAll();
  for (int i = 0; i < 3; ++i) {
    const auto file = OpenGguf(Path(i)).value();
    EXPECT_EQ(file->path(), Path(i));
    EXPECT_EQ(file->String("general.architecture").value(), "deepseek2");
    EXPECT_EQ(file->tensors().size(), 3u);
    EXPECT_EQ(file->RequireTensor("first")->f32()[3], 4.0f);
    EXPECT_EQ(file->RequireTensor("last")->f32()[2], 3.0f);
    EXPECT_EQ(file->mappings().size(), 3u);
    std::uint64_t bytes = 0;
    for (int part = 0; part < 3; ++part) bytes += std::filesystem::file_size(Path(part));
    EXPECT_EQ(file->size_bytes(), bytes);
  }
}

TEST_F(SplitGguf, AStopEndsTheReading) {
  PutAll();
  std::stop_source stop;
  stop.request_stop();
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(OpenGguf(Path(i), stop.get_token()).error().code, ErrorCode::kCancelled);
}

TEST_F(SplitGguf, MissingPartsAreNamed) {
  Put(Part(1), Path(1));
  const Error error = OpenGguf(Path(1)).error();
  EXPECT_EQ(error.code, ErrorCode::kFileNotFound);
  EXPECT_EQ(error.Message(), "“" + Path(0) + "”, “model-00003-of-00003.gguf” is not there.");
}

TEST_F(SplitGguf, ASetOfManyMissingPartsStaysASentence) {
  Put(Part(0, 40), Path(0, 40));
  EXPECT_THAT(OpenGguf(Path(0, 40)).error().Message(),
              HasSubstr("model-00007-of-00040.gguf”, “… 33” is not there."));
}

struct Wrong {
  std::string name;
  int place;  // of the part that is put in
  GgufBuilder part;
  ErrorCode code;
  std::string detail;
};

std::vector<Wrong> WrongParts() {
  GgufBuilder doubled = Part(2);
  doubled.Tensor("first", {4});
  GgufBuilder no_number;
  U16(no_number, "split.count", 3);
  using enum ErrorCode;
  return {
      {"AnotherNumber", 1, Part(2), kBadValue, "split.no: 2, not 1"},
      {"AnotherCount", 2, Part(2, 4), kBadValue, "split.count: 4, not 3"},
      {"AnotherTotal", 1, Part(1, 3, 9), kBadValue, "split.tensors.count: 9, not 3"},
      {"NoPartAtAll", 2, GgufBuilder().Tensor("x", {4}), kMissingKey, "split.count"},
      {"NoNumber", 1, no_number, kMissingKey, "split.no"},
      {"ATensorTwice", 2, doubled, kFileDamaged, "first: it is there twice"},
  };
}

TEST_F(SplitGguf, PartsOfAnotherSetAreRefusedByName) {
  for (const Wrong& wrong : WrongParts()) {
    PutAll();
    Put(wrong.part, Path(wrong.place));
    const auto file = OpenGguf(Path(0));
    ASSERT_FALSE(file.has_value()) << wrong.name;
    EXPECT_EQ(file.error().code, wrong.code) << wrong.name << ": " << file.error().Message();
    EXPECT_EQ(file.error().subject, Path(wrong.place)) << wrong.name;
    EXPECT_THAT(file.error().detail, HasSubstr(wrong.detail)) << wrong.name;
  }
}

TEST_F(SplitGguf, TheTotalOfTensorsIsKept) {
  for (int i = 0; i < 3; ++i) Put(Part(i, 3, 4), Path(i));
  const Error error = OpenGguf(Path(0)).error();
  EXPECT_EQ(error.code, ErrorCode::kBadValue);
  EXPECT_THAT(error.detail, HasSubstr("split.tensors.count: 4, but the parts hold 3"));
}

TEST_F(SplitGguf, APartUnderAnotherNameIsRefused) {
  PutAll();
  std::filesystem::rename(Path(1), directory_ + "/renamed.gguf");
  EXPECT_EQ(OpenGguf(directory_ + "/renamed.gguf").error().code, ErrorCode::kBadValue);
  Put(Part(0), directory_ + "/model-00001-of-00004.gguf");
  EXPECT_EQ(OpenGguf(directory_ + "/model-00001-of-00004.gguf").error().code, ErrorCode::kBadValue);
  Put(Part(0, 60'000), Path(0, 60'000));
  EXPECT_EQ(OpenGguf(Path(0, 60'000)).error().code, ErrorCode::kLimitExceeded);
}

TEST_F(SplitGguf, DamageInAnyPartIsSeen) {
  PutAll();
  Put(Part(2), Path(2));
  const auto file = OpenGguf(Path(0)).value();
  EXPECT_FALSE(file->damaged());
  std::filesystem::resize_file(Path(2), 0);
  const std::byte touched = file->RequireTensor("last")->data[0];
  EXPECT_EQ(touched, std::byte{0});
  EXPECT_TRUE(file->damaged());
}

}  // namespace
}  // namespace paluku::test
