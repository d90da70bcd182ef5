// The security advisories of neighbours that concern model files, one crafted file each, through
// the whole of Engine::Load: refused in one sentence, in under a second of work and without memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstring>
#include <ctime>
#include <functional>

#include "engine/base/utf8.h"
#include "engine/session/engine.h"
#include "tests/engine/loader/gguf_builder.h"
#include "tests/engine/loader/safetensors_builder.h"
#include "tests/engine/loader/tiny_model.h"

namespace paluku::test {
namespace {

using Bytes = std::vector<std::byte>;
using testing::HasSubstr;

constexpr std::uint64_t kHuge = ~0ull;
constexpr auto kStringType = static_cast<std::uint32_t>(ValueType::kString);

// Bytes of the value at `at`; only of the kinds that a tiny model has.
std::size_t ValueBytes(const Bytes& file, std::size_t at, ValueType type) {
  const auto u64 = [&](std::size_t where) {
    std::uint64_t value = 0;
    std::memcpy(&value, file.data() + where, sizeof value);
    return static_cast<std::size_t>(value);
  };
  if (type == ValueType::kString) return 8 + u64(at);
  if (type != ValueType::kArray) return 4;
  std::uint32_t of = 0;
  std::memcpy(&of, file.data() + at, sizeof of);
  const std::size_t count = u64(at + 4);
  if (static_cast<ValueType>(of) != ValueType::kString) return 12 + 4 * count;
  std::size_t bytes = 12;
  for (std::size_t i = 0; i < count; ++i) bytes += 8 + u64(at + bytes);
  return bytes;
}

// The bytes of a tiny model that runs, with another value for one key.
Bytes WithEntry(std::string_view key, ValueType type, const ByteWriter& value) {
  const Bytes file = MakeTinyModel().Bytes();
  ByteWriter name;
  name.Text(key);
  const auto found =
      std::search(file.begin(), file.end(), name.bytes().begin(), name.bytes().end());
  PALUKU_CHECK(found != file.end());
  const auto at = static_cast<std::size_t>(found - file.begin()) + name.bytes().size();
  std::uint32_t old = 0;
  std::memcpy(&old, file.data() + at, sizeof old);
  const std::size_t end = at + 4 + ValueBytes(file, at + 4, static_cast<ValueType>(old));
  ByteWriter out;
  out.Raw(std::span(file).first(at)).U32(static_cast<std::uint32_t>(type)).Raw(value.bytes());
  // A shorter header moves the weights by less than an alignment.
  return out.Raw(std::span(file).subspan(end)).Raw(Bytes(32)).bytes();
}

Bytes WithU32(std::string_view key, std::uint32_t value) {
  return WithEntry(key, ValueType::kU32, ByteWriter().U32(value));
}

// A header with these counts and nothing sensible behind it.
Bytes Header(std::uint64_t tensors, std::uint64_t entries) {
  ByteWriter out;
  out.Chars("GGUF").U32(3).U64(tensors).U64(entries).Raw(Bytes(4096));
  return out.bytes();
}

Bytes OneEntry(ValueType type, const ByteWriter& value) {
  ByteWriter out;
  out.Chars("GGUF").U32(3).U64(0).U64(1).Text("key").U32(static_cast<std::uint32_t>(type));
  return out.Raw(value.bytes()).Raw(Bytes(64)).bytes();
}

Bytes OneArray(ValueType of, std::uint64_t count) {
  return OneEntry(ValueType::kArray, ByteWriter().U32(static_cast<std::uint32_t>(of)).U64(count));
}

Bytes OneTensor(const std::vector<std::uint64_t>& dims, std::uint32_t type = 0,
                std::uint64_t offset = 0) {
  return GgufBuilder().RawTensor("t", dims, type, offset).Tail(4096).Bytes();
}

Bytes ManyTensors(int count, std::uint64_t dim) {
  GgufBuilder builder;
  for (int i = 0; i < count; ++i) {
    builder.RawTensor("t" + std::to_string(i), {dim, dim}, 0, 0);
  }
  return builder.Tail(4096).Bytes();
}

Bytes CutAfterAnArray() {
  const Bytes file = MakeTinyModel().Bytes();
  return {file.begin(), file.begin() + 3000};
}

// A tiny model whose SentencePiece vocabulary calls the byte 0x41 something else.
Bytes SentencePieceByteNamed(const std::string& name) {
  std::vector<std::string> tokens = {"<unk>", "<s>", "</s>"};
  ByteWriter types, scores;
  types.U32(static_cast<std::uint32_t>(ValueType::kI32)).U64(kTinyVocabulary).U32(2).U32(3).U32(3);
  scores.U32(static_cast<std::uint32_t>(ValueType::kF32)).U64(kTinyVocabulary);
  for (int byte = 0; byte < 256; ++byte) {
    char text[8];
    std::snprintf(text, sizeof text, "<0x%02X>", static_cast<unsigned>(byte));
    tokens.push_back(byte == 0x41 ? name : text);
    types.U32(6);
  }
  for (const char* word : {"a", "b", "ab"}) {
    tokens.emplace_back(word);
    types.U32(1);
  }
  for (int id = 0; id < kTinyVocabulary; ++id) scores.Number(-1.0f);
  return GgufBuilder(MakeTinyModel({.tokenizer = false}))
      .Text("tokenizer.ggml.model", "llama")
      .Texts("tokenizer.ggml.tokens", tokens)
      .Entry("tokenizer.ggml.token_type", ValueType::kArray, types)
      .Entry("tokenizer.ggml.scores", ValueType::kArray, scores)
      .Bytes();
}

// `count` texts of `length` bytes as the value of an entry.
ByteWriter Texts(std::size_t count, std::size_t length) {
  ByteWriter value;
  value.U32(static_cast<std::uint32_t>(ValueType::kString)).U64(count);
  for (std::size_t i = 0; i < count; ++i) value.Text(std::string(length, 'x'));
  return value;
}

struct Advisory {
  std::string name;
  std::function<Bytes()> file;
  ErrorCode code;
  std::string detail;
};

std::vector<Advisory> Counts() {
  using enum ErrorCode;
  using enum ValueType;
  return {
      {"CVE_2024_21825_ArrayOfU64Wraps", [] { return OneArray(kU64, kHuge / 8 + 2); },
       kLimitExceeded, "array"},
      {"CVE_2024_21825_ArrayOfTextsWraps", [] { return OneArray(kString, kHuge / 16 + 2); },
       kLimitExceeded, "array"},
      {"CVE_2024_21825_ArrayBeyondTheFile", [] { return OneArray(kString, 16u << 20); },
       kFileTruncated, "key"},
      {"CVE_2024_21825_MoreTextsThanAnyVocabulary",
       [] {
         return OneEntry(kArray,
                         ByteWriter().U32(kStringType).U64((4u << 20) + 1).Raw(Bytes(40u << 20)));
       },
       kLimitExceeded, "texts"},
      {"CVE_2024_23496_TextLengthPlusOneWraps",
       [] { return OneEntry(kString, ByteWriter().U64(kHuge)); }, kLimitExceeded, "key"},
      {"CVE_2024_23496_TextLengthOfAnInt",
       [] { return OneEntry(kString, ByteWriter().U64(1ull << 31)); }, kLimitExceeded, "key"},
      {"CVE_2024_21802_FiveDimensions",
       [] {
         return OneTensor({1, 1, 1, 1, 1});
       },
       kFileDamaged, "5 dimensions"},
      {"CVE_2024_21836_TensorInfosWrap", [] { return Header(kHuge / 88 + 2, 0); }, kLimitExceeded,
       "tensors"},
      {"CVE_2026_27940_TensorOverheadWraps", [] { return Header(kHuge / 368 + 2, 0); },
       kLimitExceeded, "tensors"},
      {"CVE_2024_25664_MoreTensorsThanBytes", [] { return Header(65'536, 0); }, kFileTruncated,
       "header"},
      {"CVE_2024_23605_EntriesWrap", [] { return Header(0, kHuge / 48 + 2); }, kLimitExceeded,
       "entries"},
      {"CVE_2024_25665_MoreEntriesThanBytes", [] { return Header(0, 65'536); }, kFileTruncated,
       "header"},
      {"CVE_2024_25666_KeyLengthWraps",
       [] {
         return ByteWriter().Chars("GGUF").U32(3).U64(0).U64(1).U64(kHuge).Raw(Bytes(64)).bytes();
       },
       kLimitExceeded, "entry 0"},
      {"CVE_2024_25667_TensorNameLengthWraps",
       [] {
         return ByteWriter().Chars("GGUF").U32(3).U64(1).U64(0).U64(kHuge).Raw(Bytes(64)).bytes();
       },
       kLimitExceeded, "tensor 0"},
      {"CVE_2024_25668_ArrayOfArrays", [] { return OneArray(kArray, 1); }, kFileDamaged, "array"},
      {"CVE_2024_32878_ErrorAmidAnArray", CutAfterAnArray, kFileTruncated, "tokenizer"},
      {"CVE_2024_41130_ValueOfNoKind",
       [] { return OneEntry(static_cast<ValueType>(13), ByteWriter()); }, kFileDamaged, "key"},
  };
}

std::vector<Advisory> Sizes() {
  using enum ErrorCode;
  return {
      {"CVE_2025_53630_SumOfSizesWraps", [] { return ManyTensors(5, 1ull << 31); }, kFileTruncated,
       "t0"},
      {"CVE_2026_33298_BytesWrap",
       [] {
         return OneTensor({1ull << 31, 1ull << 31, 16});
       },
       kFileTruncated, "t"},
      {"CVE_2026_33298_BytesWrapInBlocks",
       [] {
         return OneTensor({1ull << 31, 1ull << 31, 8}, 8);
       },
       kFileTruncated, "t"},
      {"CVE_2026_33298_DimensionBeyondALong", [] { return OneTensor({1ull << 62}); },
       kLimitExceeded, "dimension"},
      {"CVE_2026_7482_TensorBeyondTheFile", [] { return OneTensor({1024}, 0, 4064); },
       kFileTruncated, "t"},
      {"CVE_2026_7482_OffsetPlusSizeWraps", [] { return OneTensor({8}, 0, kHuge - 31); },
       kFileTruncated, "t"},
      {"CVE_2025_2439_TensorsOverlap", [] { return ManyTensors(2, 8); }, kFileDamaged, "overlaps"},
      {"CVE_2024_39720_CutInTheHeader",
       [] { return ByteWriter().Chars("GGUF").U32(3).U64(1).bytes(); }, kFileTruncated, "header"},
      {"CVE_2025_0315_AlignmentOfNought",
       [] { return GgufBuilder().U32("general.alignment", 0).Tensor("t", {4}).Bytes(); }, kBadValue,
       "alignment"},
      {"Issue_26318_AlignmentWraps",
       [] { return GgufBuilder().U32("general.alignment", 1u << 31).Tensor("t", {4}).Bytes(); },
       kBadValue, "alignment"},
      {"Issue_26318_AlignmentOfText",
       [] { return GgufBuilder().Text("general.alignment", "32").Tensor("t", {4}).Bytes(); },
       kBadValue, "alignment"},
  };
}

std::vector<Advisory> Models() {
  using enum ErrorCode;
  using enum ValueType;
  return {
      {"CVE_2025_0312_NoLayers", [] { return WithU32("deepseek2.block_count", 0); }, kBadValue,
       "block_count"},
      {"Issue_25821_MoreThan512Layers", [] { return WithU32("deepseek2.block_count", 513); },
       kBadValue, "block_count"},
      {"Issue_25821_MoreLayersThanTensors", [] { return WithU32("deepseek2.block_count", 512); },
       kMissingTensor, "blk.3."},
      {"CVE_2025_1975_ExpertsBeyondTheTensors",
       [] { return WithU32("deepseek2.expert_used_count", 64); }, kBadValue, "expert_used_count"},
      {"HeadsBeyondTheTensors", [] { return WithU32("deepseek2.attention.head_count", 1024); },
       kBadValue, "shape"},
      {"GHSA_g4cc_SpecialIdBeyondTheVocabulary",
       [] { return WithU32("tokenizer.ggml.eos_token_id", 262); }, kBadValue, "eos_token_id"},
      {"GHSA_g4cc_NegativeSpecialId",
       [] { return WithEntry("tokenizer.ggml.bos_token_id", kI32, ByteWriter().Number(-7)); },
       kBadValue, "bos_token_id"},
      {"Issue_26690_TokensThatAreNumbers",
       [] {
         return WithEntry("tokenizer.ggml.tokens", kArray,
                          ByteWriter().U32(static_cast<std::uint32_t>(kU32)).U64(1).U32(7));
       },
       kBadValue, "tokens"},
      {"Issue_26690_TypesThatAreTexts",
       [] { return WithEntry("tokenizer.ggml.token_type", kArray, Texts(1, 4)); }, kBadValue,
       "token_type"},
      {"CVE_2025_49847_TokenOf64KiB",
       [] { return WithEntry("tokenizer.ggml.tokens", kArray, Texts(1, (64u << 10) + 1)); },
       kLimitExceeded, "token"},
      {"CVE_2025_49847_TokensOf17MiB",
       [] {
         return GgufBuilder(MakeTinyModel({.tokenizer = false}))
             .Text("tokenizer.ggml.model", "gpt2")
             .Text("tokenizer.ggml.pre", "deepseek-v3")
             .Entry("tokenizer.ggml.tokens", kArray, Texts(kTinyVocabulary, 65'000))
             .Texts("tokenizer.ggml.merges", {})
             .Bytes();
       },
       kLimitExceeded, "length of the tokens"},
      {"Issue_27226_ByteNamedWithASign", [] { return SentencePieceByteNamed("<0x-1>"); }, kBadValue,
       "no token for byte 65"},
      {"Issue_27226_ByteNamedWithThreeDigits", [] { return SentencePieceByteNamed("<0x100>"); },
       kBadValue, "no token for byte 65"},
      {"NamesOfAFamilyThatSteerATerminal",
       [] {
         return WithEntry("general.architecture", kString,
                          ByteWriter().Text("\x1b[2J\n" + std::string(1u << 20, '\r')));
       },
       kUnsupportedArchitecture, "\uFFFD[2J\uFFFD"},
      {"CVE_2025_52566_FewerTypesThanTokens",
       [] {
         return WithEntry("tokenizer.ggml.token_type", kArray,
                          ByteWriter().U32(static_cast<std::uint32_t>(kI32)).U64(1).U32(1));
       },
       kBadValue, "token_type"},
      {"Issue_27166_AProjectorIsNoModel",
       [] { return WithEntry("general.architecture", kString, ByteWriter().Text("clip")); },
       kUnsupportedArchitecture, "clip"},
      {"CVE_2024_34359_TemplateBeyondItsLimit",
       [] {
         return GgufBuilder(MakeTinyModel())
             .Text("tokenizer.chat_template", std::string((256u << 10) + 1, 'x'))
             .Bytes();
       },
       kLimitExceeded, "chat_template"},
  };
}

std::vector<Advisory> Safetensors() {
  using enum ErrorCode;
  const auto file = [](std::string json, std::size_t weights) {
    return [json = std::move(json), weights] { return SafetensorsBytes(json, weights); };
  };
  return {
      {"Safetensors_ShapeWraps",
       file(R"({"t":{"dtype":"F32","shape":[2147483648,2147483648,4],"data_offsets":[0,16]}})", 16),
       kFileDamaged, "size"},
      {"Safetensors_OffsetsBeyondTheFile",
       file(R"({"t":{"dtype":"F32","shape":[1024],"data_offsets":[0,4096]}})", 16), kFileTruncated,
       "t"},
      {"Safetensors_HeaderOfALong", [] { return ByteWriter().U64(1ull << 63).Chars("{}").bytes(); },
       kLimitExceeded, "header"},
      {"Safetensors_KeyTwice",
       file(R"({"t":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},
                "t":{"dtype":"I8","shape":[1],"data_offsets":[1,2]}})",
            2),
       kFileDamaged, "twice"},
      {"Safetensors_EmptyTensorAtAnothersPlace",
       file(R"({"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]},
                "b":{"dtype":"I8","shape":[0],"data_offsets":[2,2]}})",
            4),
       kFileDamaged, "empty"},
      {"Safetensors_HundredThousandEntries",
       [] {
         std::string json = "{";
         for (int i = 0; i < 100'000; ++i) {
           const std::string at = std::to_string(i);
           json += "\"" + at + R"(":{"dtype":"I8","shape":[1],"data_offsets":[)" + at + "," +
                   std::to_string(i + 1) + "]},";
         }
         json.back() = '}';
         return SafetensorsBytes(json, 100'000);
       },
       kLimitExceeded, "many"},
  };
}

long PeakKilobytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

class Advisories : public testing::TestWithParam<Advisory> {};

TEST_P(Advisories, IsRefusedAtOnce) {
  const Advisory& advisory = GetParam();
  const bool checkpoint = advisory.name.starts_with("Safetensors");
  Checkpoint folder(advisory.name);
  if (checkpoint) folder.Put("config.json", TinyConfig());
  folder.Put(checkpoint ? "model.safetensors" : "model.gguf", advisory.file());
  const auto engine = Engine::Create({.backend = "reference", .threads = 1}).value();
  const long before = PeakKilobytes();
  const std::clock_t start = std::clock();
  const Status loaded =
      engine->Load(checkpoint ? folder.path() : folder.File("model.gguf"), {}, {}, {});
  // Work, not waiting, so that a busy machine changes nothing.
  EXPECT_LT(std::clock() - start, CLOCKS_PER_SEC);
  EXPECT_LT(PeakKilobytes() - before, 512 << 10);
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().code, advisory.code) << loaded.error().Message();
  EXPECT_THAT(loaded.error().detail, HasSubstr(advisory.detail));
  EXPECT_EQ(PlainLine(loaded.error().Message(), 1024), loaded.error().Message());
  EXPECT_EQ(engine->model(), nullptr);
}

std::string CaseName(const testing::TestParamInfo<Advisory>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Counts, Advisories, testing::ValuesIn(Counts()), CaseName);
INSTANTIATE_TEST_SUITE_P(Sizes, Advisories, testing::ValuesIn(Sizes()), CaseName);
INSTANTIATE_TEST_SUITE_P(Models, Advisories, testing::ValuesIn(Models()), CaseName);
INSTANTIATE_TEST_SUITE_P(Checkpoints, Advisories, testing::ValuesIn(Safetensors()), CaseName);

// --- templates: the model loads, its template is refused

struct HostileTemplate {
  std::string name;
  std::string source;
};

std::vector<HostileTemplate> Templates() {
  const auto many = [](const char* part, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += part;
    return text;
  };
  return {
      {"CVE_2024_34359_Classes", "{{ ''.__class__.__mro__[1].__subclasses__() }}"},
      {"CVE_2026_5760_Globals", "{{ cycler.__init__.__globals__.os.popen('id').read() }}"},
      {"CVE_2024_34359_Include", "{% include '/etc/passwd' %}"},
      {"CVE_2024_34359_Import", "{% import 'os' as os %}{{ os.system('id') }}"},
      {"Issue_26600_Parentheses", "{{ " + many("(", 60'000)},
      {"Issue_19085_Lists", "{{ " + many("[", 10'000) + many("]", 10'000) + " }}"},
      {"Issue_19086_Blocks", many("{% if true %}", 5'000) + many("{% endif %}", 5'000)},
      {"Issue_26387_MacroOfItself", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"},
      {"Issue_26387_Negations", "{{ " + many("not ", 20'000) + "true }}"},
      {"Issue_24140_RangeOfABillion", "{% for i in range(1000000000) %}x{% endfor %}"},
      {"Issue_24140_LoopsInLoops",
       many("{% for i in range(1000) %}", 5) + "x" + many("{% endfor %}", 5)},
      {"Issue_24140_TextThatDoubles",
       "{% set n = namespace(x='ab') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor "
       "%}{{ n.x }}"},
      {"Issue_24140_PowerOfPowers", "{{ 9 ** 9 ** 9 ** 9 }}"},
  };
}

class ChatTemplates : public testing::TestWithParam<HostileTemplate> {};

TEST_P(ChatTemplates, IsRefusedAtOnce) {
  const std::string path = GgufBuilder(MakeTinyModel())
                               .Text("tokenizer.chat_template", GetParam().source)
                               .Write("hostile-template.gguf");
  const auto engine = Engine::Create({.backend = "reference", .threads = 1}).value();
  const long before = PeakKilobytes();
  const std::clock_t start = std::clock();
  ASSERT_TRUE(engine->Load(path, {}, {}, {}).has_value());
  EXPECT_LT(std::clock() - start, CLOCKS_PER_SEC);
  EXPECT_LT(PeakKilobytes() - before, 512 << 10);
  EXPECT_EQ(engine->model()->chat_template, nullptr);
  const Error& error = engine->model()->template_error;
  EXPECT_EQ(error.code, ErrorCode::kUnsupportedTemplate) << error.Message();
  EXPECT_EQ(PlainLine(error.Message(), 1024), error.Message());
}

std::string TemplateName(const testing::TestParamInfo<HostileTemplate>& info) {
  return info.param.name;
}
INSTANTIATE_TEST_SUITE_P(Advisories, ChatTemplates, testing::ValuesIn(Templates()), TemplateName);

}  // namespace
}  // namespace paluku::test
