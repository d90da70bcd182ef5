// GGUF files: what right ones say, and that wrong ones end in one sentence and nothing else.
#include "engine/loader/gguf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "engine/loader/gguf_types.h"
#include "tests/engine/loader/gguf_builder.h"

namespace paluku::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

GgufBuilder SmallFile() {
  GgufBuilder builder;
  const float values[] = {1, 2, 3, 4, 5, 6};
  builder.Text("general.architecture", "deepseek2")
      .U32("number", 7)
      .Entry("signed", ValueType::kI16, ByteWriter().Number<std::int16_t>(-3))
      .Entry("wide", ValueType::kU64, ByteWriter().U64(1ull << 40))
      .F32("real", 0.5f)
      .Entry("double", ValueType::kF64, ByteWriter().Number(0.25))
      .Bool("flag", true)
      .Texts("words", {"a", "", "శుభం"})
      .Entry("ids", ValueType::kArray, ByteWriter().U32(5).U64(3).U32(1).U32(2).U32(9))
      .Entry("scores", ValueType::kArray, ByteWriter().U32(6).U64(2).Number(1.5f).Number(-2.f))
      .Tensor("matrix", {2, 3}, std::as_bytes(std::span(values)))
      .Tensor("blocks", {4, 2, 64}, {}, DType::kQ8_0);
  return builder;
}

TEST(Gguf, ReadsEveryKindOfValue) {
  const auto file = ModelFile::Open(SmallFile().Write("kinds.gguf")).value();
  EXPECT_EQ(file->format(), "GGUF 3");
  EXPECT_EQ(file->String("general.architecture").value(), "deepseek2");
  EXPECT_EQ(file->Integer("number", 1, 10).value(), 7u);
  EXPECT_EQ(file->Integer("wide", 0, 1ull << 41).value(), 1ull << 40);
  EXPECT_EQ(file->Number("signed").value(), -3.0);
  EXPECT_EQ(file->Number("real").value(), 0.5);
  EXPECT_EQ(file->Number("double").value(), 0.25);
  EXPECT_TRUE(file->Bool("flag").value());
  EXPECT_THAT(file->Strings("words").value(), ElementsAre("a", "", "శుభం"));
  EXPECT_THAT(file->Integers("ids").value(), ElementsAre(1, 2, 9));
  EXPECT_THAT(file->Floats("scores").value(), ElementsAre(1.5f, -2.0f));
  EXPECT_EQ(file->IntegerOr("absent", 4, 0, 9).value(), 4u);
  EXPECT_EQ(file->StringOr("absent", "x").value(), "x");
}

TEST(Gguf, RefusesValuesOfAnotherKindOrRange) {
  const auto file = ModelFile::Open(SmallFile().Write("wrong-kinds.gguf")).value();
  EXPECT_EQ(file->Integer("absent", 0, 9).error().code, ErrorCode::kMissingKey);
  for (const auto& error :
       {file->Integer("number", 8, 10).error(), file->Integer("number", 0, 6).error(),
        file->Integer("signed", 0, 10).error(), file->Integer("flag", 0, 10).error(),
        file->Integer("real", 0, 10).error(), file->Number("flag").error(),
        file->Bool("number").error(), file->String("number").error(), file->Strings("ids").error(),
        file->Integers("words").error(), file->Integers("scores").error(),
        file->Floats("words").error(), file->IntegerOr("number", 4, 8, 9).error()}) {
    EXPECT_EQ(error.code, ErrorCode::kBadValue) << error.Message();
    EXPECT_EQ(error.subject, file->path());
  }
}

TEST(Gguf, ReadsTensorsInPlaceOutermostFirst) {
  const auto file = ModelFile::Open(SmallFile().Write("tensors.gguf")).value();
  const Tensor matrix = file->RequireTensor("matrix").value();
  EXPECT_EQ(matrix.rank, 2);
  EXPECT_EQ(matrix.dim(0), 2);
  EXPECT_EQ(matrix.dim(1), 3);
  EXPECT_EQ(matrix.f32()[4], 5.0f);
  const Tensor blocks = file->RequireTensor("blocks").value();
  EXPECT_EQ(blocks.dtype, DType::kQ8_0);
  EXPECT_EQ(blocks.dim(0), 4);
  EXPECT_EQ(blocks.dim(2), 64);
  const auto mapped = file->mappings().front()->bytes();
  EXPECT_GE(matrix.data, mapped.data());
  EXPECT_EQ(blocks.data + blocks.bytes(), mapped.data() + mapped.size());
  EXPECT_EQ(file->RequireTensor("nothing").error().code, ErrorCode::kMissingTensor);
}

TEST(Gguf, VersionTwoAndFilesWithoutTensorsOpen) {
  GgufBuilder builder;
  builder.version = 2;
  builder.Texts("tokenizer.ggml.tokens", {"a", "b"});
  const auto file = ModelFile::Open(builder.Write("vocabulary.gguf")).value();
  EXPECT_EQ(file->format(), "GGUF 2");
  EXPECT_TRUE(file->tensors().empty());
  EXPECT_EQ(file->Strings("tokenizer.ggml.tokens").value().size(), 2u);
}

TEST(Gguf, AnUnknownTensorTypeIsNamedWhenItIsWanted) {
  GgufBuilder builder;
  builder.RawTensor("blk.0.odd", {256, 2}, 34, 0).Tail(4096);
  const auto file = ModelFile::Open(builder.Write("foreign.gguf")).value();
  EXPECT_EQ(file->FindTensor("blk.0.odd"), nullptr);
  EXPECT_THAT(file->foreign_tensors().at("blk.0.odd").shape, ElementsAre(2, 256));
  const Error error = file->RequireTensor("blk.0.odd").error();
  EXPECT_EQ(error.code, ErrorCode::kUnsupportedTensorType);
  EXPECT_THAT(error.detail, HasSubstr("blk.0.odd"));
  EXPECT_THAT(error.detail, HasSubstr("TQ1_0"));
}

TEST(Gguf, TypesOfOtherProgramsAreNamed) {
  EXPECT_EQ(GgufTypeName(12), "Q4_K");
  EXPECT_EQ(GgufTypeName(32), "Q4_0_4_8");
  EXPECT_EQ(GgufTypeName(144), "ik_llama.cpp IQ4_KS");
  EXPECT_EQ(GgufTypeName(344), "ik_llama.cpp IQ4_KS_R4");
  EXPECT_EQ(GgufTypeName(4), "type 4");
  EXPECT_EQ(GgufTypeName(4000000000u), "type 4000000000");
}

TEST(Gguf, AlignmentOfTheFileIsKept) {
  GgufBuilder builder;
  builder.alignment = 4096;
  builder.U32("general.alignment", 4096).Tensor("a", {3}).Tensor("b", {5});
  const auto file = ModelFile::Open(builder.Write("aligned.gguf")).value();
  for (const char* name : {"a", "b"}) {
    const auto offset = file->RequireTensor(name)->data - file->mappings().front()->bytes().data();
    EXPECT_EQ(offset % 4096, 0) << name;
  }
}

// --- files that cannot be opened
// ------------------------------------------------------------------

TEST(Gguf, PathsThatAreNoFiles) {
  EXPECT_EQ(ModelFile::Open("/nowhere/model.gguf").error().code, ErrorCode::kFileNotFound);
  EXPECT_EQ(ModelFile::Open(testing::TempDir()).error().code, ErrorCode::kNotARegularFile);
  EXPECT_EQ(ModelFile::Open(WriteFile("empty.gguf", {})).error().code, ErrorCode::kFileEmpty);
  if (geteuid() != 0) {
    const std::string path = SmallFile().Write("locked.gguf");
    std::filesystem::permissions(path, std::filesystem::perms::none);
    EXPECT_EQ(ModelFile::Open(path).error().code, ErrorCode::kFileNotReadable);
  }
}

struct Hostile {
  std::string name;
  std::vector<std::byte> bytes;
  ErrorCode code;
  std::string detail;  // part of the error's detail
};

ByteWriter Header(std::uint64_t tensors, std::uint64_t entries) {
  ByteWriter out;
  out.Chars("GGUF").U32(3).U64(tensors).U64(entries);
  return out;
}

ByteWriter OneEntry(ValueType type, const ByteWriter& value) {
  ByteWriter out = Header(0, 1);
  out.Text("the.key").U32(static_cast<std::uint32_t>(type)).Raw(value.bytes());
  return out;
}

// One tensor "the.tensor" of f32, unless told otherwise, in a file with 4 KiB of weights.
std::vector<std::byte> OneTensor(const std::vector<std::uint64_t>& dims, std::uint32_t type = 0,
                                 std::uint64_t offset = 0) {
  GgufBuilder builder;
  return builder.RawTensor("the.tensor", dims, type, offset).Tail(4096).Bytes();
}

std::vector<std::byte> TwoTensors(const char* second, std::uint64_t offset) {
  GgufBuilder builder;
  builder.RawTensor("the.tensor", {256}, 0, 0).RawTensor(second, {256}, 0, offset);
  return builder.Tail(4096).Bytes();
}

std::vector<std::byte> Alignment(ValueType type, const ByteWriter& value) {
  GgufBuilder builder;
  return builder.Entry("general.alignment", type, value).Tensor("t", {4}).Bytes();
}

std::vector<std::byte> Bytes(const ByteWriter& writer) { return writer.bytes(); }

std::vector<Hostile> HeaderCases() {
  constexpr std::uint64_t kHuge = ~0ull;
  using enum ErrorCode;
  return {
      {"WrongMagic", Bytes(ByteWriter().Chars("GGML").U32(3).U64(0).U64(0)), kNotAModelFile, ""},
      {"ThreeBytes", Bytes(ByteWriter().Chars("GGU")), kNotAModelFile, ""},
      {"VersionOne", Bytes(ByteWriter().Chars("GGUF").U32(1).U64(0)), kUnsupportedVersion, "1"},
      {"BigEndian", Bytes(ByteWriter().Chars("GGUF").U32(3u << 24)), kUnsupportedVersion, ""},
      {"TensorCountWraps", Bytes(Header(kHuge / 24 + 1, 0)), kLimitExceeded, "tensors"},
      {"EntryCountWraps", Bytes(Header(0, kHuge)), kLimitExceeded, "entries"},
      {"MoreTensorsThanBytes", Bytes(Header(65'536, 0)), kFileTruncated, "header"},
      {"MoreEntriesThanBytes", Bytes(Header(0, 65'536)), kFileTruncated, "header"},
      {"KeyLengthWraps", Bytes(Header(0, 1).U64(kHuge).Raw(std::vector<std::byte>(64))),
       kLimitExceeded, "metadata entry 0"},
      {"KeyTooLong", Bytes(Header(0, 1).Text(std::string(257, 'k')).U32(4).U32(1)), kLimitExceeded,
       "name"},
      {"KeyEmpty", Bytes(Header(0, 1).Text("").U32(4).U32(1)), kFileDamaged, "metadata entry 0"},
      {"KeyWithLineBreak", Bytes(Header(0, 1).Text("a\nb").U32(4).U32(1)), kFileDamaged, "name"},
      {"SameKeyTwice", GgufBuilder().U32("the.key", 1).U32("other", 2).U32("the.key", 1).Bytes(),
       kFileDamaged, "the.key: it is there twice"},
  };
}

std::vector<Hostile> ValueCases() {
  constexpr std::uint64_t kHuge = ~0ull;
  using enum ErrorCode;
  using enum ValueType;
  const auto array = [](std::uint32_t type, std::uint64_t count) {
    return Bytes(OneEntry(kArray, ByteWriter().U32(type).U64(count)).U64(0));
  };
  return {
      {"UnknownType", Bytes(OneEntry(static_cast<ValueType>(77), ByteWriter().U64(0))),
       kFileDamaged, "the.key"},
      {"BoolOfTwo", Bytes(OneEntry(kBool, ByteWriter().Number<std::uint8_t>(2))), kFileDamaged,
       "the.key"},
      {"TextLengthWraps", Bytes(OneEntry(kString, ByteWriter().U64(kHuge))), kLimitExceeded,
       "the.key"},
      {"TextBeyondTheFile", Bytes(OneEntry(kString, ByteWriter().U64(1000))), kFileTruncated,
       "the.key"},
      {"ArraySizeWraps", array(10, kHuge / 8 + 1), kLimitExceeded, "array is too long"},
      {"ArrayBeyondTheLimit", array(0, (16u << 20) + 1), kLimitExceeded, "array is too long"},
      {"ArrayBeyondTheFile", array(0, 16u << 20), kFileTruncated, "the.key"},
      {"TextsBeyondTheFile", array(8, 16u << 20), kFileTruncated, "the.key"},
      {"ArrayOfArrays", array(9, 1), kFileDamaged, "kind of array"},
      {"ArrayOfNothingKnown", array(99, 0), kFileDamaged, "kind of array"},
      {"AlignmentZero", Alignment(kU32, ByteWriter().U32(0)), kBadValue, "general.alignment"},
      {"AlignmentSmall", Alignment(kU32, ByteWriter().U32(4)), kBadValue, "general.alignment"},
      {"AlignmentOdd", Alignment(kU32, ByteWriter().U32(48)), kFileDamaged, "power of two"},
      {"AlignmentHuge", Alignment(kU32, ByteWriter().U32(1u << 31)), kBadValue, ""},
      {"AlignmentOfText", Alignment(kString, ByteWriter().Text("32")), kBadValue, ""},
  };
}

std::vector<Hostile> TensorCases() {
  constexpr std::uint64_t kHuge = ~0ull;
  using enum ErrorCode;
  return {
      {"NoDimensions", OneTensor({}), kFileDamaged, "the.tensor: 0 dimensions"},
      {"FiveDimensions", OneTensor({1, 1, 1, 1, 1}), kFileDamaged, "5 dimensions"},
      {"EmptyDimension", OneTensor({32, 0}), kFileDamaged, "empty dimension"},
      {"DimensionTooLarge", OneTensor({1, (1ull << 31) + 1}), kLimitExceeded, "dimension"},
      {"SizeWraps", OneTensor({1ull << 31, 1ull << 31, 4, 4}), kFileTruncated, "the.tensor"},
      {"LargerThanTheFile", OneTensor({1024, 2}), kFileTruncated, "the.tensor"},
      {"RowsOfHalfABlock", OneTensor({48}, 8), kFileDamaged, "whole blocks of Q8_0"},
      {"OffsetNotAligned", OneTensor({8}, 0, 16), kFileDamaged, "not aligned"},
      {"OffsetAtTheEnd", OneTensor({8}, 0, 4096), kFileTruncated, "the.tensor"},
      {"OffsetWraps", OneTensor({8}, 0, kHuge - 31), kFileTruncated, "the.tensor"},
      {"ForeignBeyondTheFile", OneTensor({256}, 34, 1u << 20), kFileTruncated, "the.tensor"},
      {"SameNameTwice", TwoTensors("the.tensor", 1024), kFileDamaged, "it is there twice"},
      {"SamePlaceTwice", TwoTensors("other", 0), kFileDamaged, "overlaps"},
      {"PartlyTheSamePlace", TwoTensors("other", 992), kFileDamaged, "overlaps"},
      {"NameTooLong", GgufBuilder().RawTensor(std::string(300, 't'), {1}, 0, 0).Tail(32).Bytes(),
       kLimitExceeded, "name is too long"},
  };
}

class HostileGguf : public testing::TestWithParam<Hostile> {};

TEST_P(HostileGguf, IsOneSentence) {
  const Hostile& hostile = GetParam();
  const std::string path = WriteFile(hostile.name + ".gguf", hostile.bytes);
  const auto file = ModelFile::Open(path);
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().code, hostile.code) << file.error().Message();
  EXPECT_EQ(file.error().subject, path);
  EXPECT_THAT(file.error().detail, HasSubstr(hostile.detail));
  EXPECT_EQ(file.error().Message().find('\n'), std::string::npos);
}

std::string CaseName(const testing::TestParamInfo<Hostile>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Header, HostileGguf, testing::ValuesIn(HeaderCases()), CaseName);
INSTANTIATE_TEST_SUITE_P(Values, HostileGguf, testing::ValuesIn(ValueCases()), CaseName);
INSTANTIATE_TEST_SUITE_P(Tensors, HostileGguf, testing::ValuesIn(TensorCases()), CaseName);

TEST(Gguf, MetadataBeyondItsLimitIsRefused) {
  // 33 texts of 16 MiB are more than 512 MiB; the file is sparse and takes no room.
  constexpr std::uint64_t kText = 16u << 20;
  ByteWriter start = Header(0, 33);
  const std::string path = WriteFile("much.gguf", start.bytes());
  std::FILE* out = std::fopen(path.c_str(), "r+b");
  ASSERT_NE(out, nullptr);
  for (int i = 0; i < 33; ++i) {
    ByteWriter entry;
    entry.Text("key" + std::to_string(i)).U32(8).U64(kText);
    std::fseek(out, i == 0 ? static_cast<long>(start.bytes().size()) : 0,
               i == 0 ? SEEK_SET : SEEK_CUR);
    std::fwrite(entry.bytes().data(), 1, entry.bytes().size(), out);
    std::fseek(out, kText, SEEK_CUR);
  }
  std::fputc(0, out);
  std::fclose(out);
  const auto file = ModelFile::Open(path);
  std::filesystem::remove(path);
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().code, ErrorCode::kLimitExceeded);
  EXPECT_THAT(file.error().detail, HasSubstr("metadata"));
}

// --- a right file, damaged
// --------------------------------------------------------------------------

// Reads all that an opened file claims to have.
void Touch(const ModelFile& file) {
  std::uint64_t sum = 0;
  const auto mapped = file.mappings().front()->bytes();
  for (const auto& [name, tensor] : file.tensors()) {
    ASSERT_GE(tensor.data, mapped.data()) << name;
    ASSERT_LE(tensor.data + tensor.bytes(), mapped.data() + mapped.size()) << name;
    sum += static_cast<std::uint64_t>(tensor.data[0]);
    sum += static_cast<std::uint64_t>(tensor.data[tensor.bytes() - 1]);
  }
  for (const auto& [key, value] : file.entries()) {
    if (const auto* text = std::get_if<std::string_view>(&value)) sum += text->size();
    if (std::holds_alternative<NumberArray>(value)) sum += file.Floats(key).has_value();
  }
  EXPECT_NE(sum, ~0ull);
}

TEST(Gguf, CutAnywhereIsAnError) {
  const std::vector<std::byte> whole = SmallFile().Bytes();
  constexpr std::size_t kCuts = 300;
  for (std::size_t i = 0; i < kCuts; ++i) {
    const std::size_t size = 1 + i * (whole.size() - 1) / kCuts;
    const auto file = ModelFile::Open(
        WriteFile("cut.gguf", std::span(whole).first(std::min(size, whole.size() - 1))));
    ASSERT_FALSE(file.has_value()) << size;
    EXPECT_TRUE(file.error().code == ErrorCode::kFileTruncated ||
                file.error().code == ErrorCode::kNotAModelFile)
        << size << ": " << file.error().Message();
  }
}

TEST(Gguf, AnyFlippedBitIsAnErrorOrAnAnswerWithinTheFile) {
  const std::vector<std::byte> whole = SmallFile().Bytes();
  const auto good = ModelFile::Open(WriteFile("good.gguf", whole)).value();
  const auto header = static_cast<std::size_t>(good->RequireTensor("matrix")->data -
                                               good->mappings().front()->bytes().data());
  int refused = 0;
  for (std::size_t bit = 0; bit < header * 8; ++bit) {
    std::vector<std::byte> flipped = whole;
    flipped[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    const auto file = ModelFile::Open(WriteFile("flipped.gguf", flipped));
    if (file) {
      Touch(**file);
    } else {
      ++refused;
    }
  }
  EXPECT_GT(refused, static_cast<int>(header));  // most flips hit a length, a count or a type
}

TEST(Gguf, AFileCutWhileItIsMappedIsDamagedNotACrash) {
  GgufBuilder builder;
  const std::vector<std::byte> weights(1 << 20, std::byte{7});
  builder.Tensor("large", {1 << 18}, weights);
  const std::string path = builder.Write("shrinks.gguf");
  const auto file = ModelFile::Open(path).value();
  const Tensor large = file->RequireTensor("large").value();
  EXPECT_EQ(large.data[large.bytes() - 1], std::byte{7});
  EXPECT_FALSE(file->damaged());
  std::filesystem::resize_file(path, 4096);
  EXPECT_EQ(large.data[large.bytes() - 1], std::byte{0});
  EXPECT_TRUE(file->damaged());
}

}  // namespace
}  // namespace paluku::test
