// Renderings against Jinja2 (tests/data/jinja_golden.py): every template over 200 conversations,
// and snippets of one construct each.
#include <gtest/gtest.h>

#include <cinttypes>
#include <cstdio>

#include "engine/text/jinja/template.h"
#include "tests/engine/text/jinja_values.h"
#include "tests/engine/text/vocabularies.h"

namespace paluku::jinja {
namespace {

const Json& Golden() {
  static const Json golden =
      Json::parse(ReadFile(PALUKU_SOURCE_DIR "/tests/data/jinja_golden.json"));
  return golden;
}

std::string Digest(std::string_view text) {
  std::uint64_t value = 0xCBF29CE484222325u;
  for (const char byte : text) value = (value ^ static_cast<unsigned char>(byte)) * 0x100000001B3u;
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016" PRIx64, value);
  return digits;
}

Result<std::string> Render(const Template& parsed, Json variables) {
  variables["bos_token"] = Golden()["bos"];
  variables["eos_token"] = Golden()["eos"];
  const auto fill = [&](Heap& heap, Dict& dict) {
    dict = DictOf(variables, heap, Origin::kMessage);
  };
  return parsed.Render(variables.dump().size(), fill, 0).map([](const Text& text) {
    return text.bytes();
  });
}

TEST(JinjaGolden, SnippetsAreWhatJinjaMakesOfThem) {
  int compared = 0;
  for (const Json& snippet : Golden()["snippets"]) {
    const std::string source = snippet[0];
    const auto parsed = Template::Parse(source, "snippet");
    const Result<std::string> text = parsed ? Render(**parsed, Golden()["context"][0])
                                            : Result<std::string>(tl::unexpected(parsed.error()));
    ++compared;
    if (snippet[1].is_null()) {
      EXPECT_FALSE(text.has_value()) << source << "\ngave " << text.value_or("");
    } else if (text) {
      EXPECT_EQ(*text, snippet[1].get<std::string>()) << source;
    } else {
      ADD_FAILURE() << source << "\nwants " << snippet[1] << "\n" << text.error().Message();
    }
  }
  EXPECT_GE(compared, 500);
}

// "" when every rendering agrees.
void ExpectRenderings(const Json& golden, const std::string& source) {
  const auto parsed = Template::Parse(source, golden["file"]);
  ASSERT_TRUE(parsed.has_value()) << parsed.error().Message();
  const Json& conversations = Golden()["conversations"];
  ASSERT_EQ(golden["digests"].size(), conversations.size());
  ASSERT_GE(conversations.size(), 200u);
  for (std::size_t i = 0; i < conversations.size(); ++i) {
    const Result<std::string> text = Render(**parsed, conversations[i]);
    ASSERT_EQ(text ? Digest(*text) : "error", golden["digests"][i].get<std::string>())
        << "conversation " << i << ": " << conversations[i].dump(1) << "\n"
        << (text ? *text : text.error().Message());
  }
}

TEST(JinjaGolden, OwnTemplatesRenderAsJinjaDoes) {
  int rendered = 0;
  for (const Json& golden : Golden()["templates"]) {
    if (golden["shared"]) continue;
    SCOPED_TRACE(golden["file"]);
    ExpectRenderings(
        golden, ReadFile(PALUKU_SOURCE_DIR "/tests/data/" + golden["file"].get<std::string>()));
    ++rendered;
  }
  EXPECT_GE(rendered, 4);
}

TEST(JinjaGolden, PublishedTemplatesRenderAsJinjaDoes) {
  if (!std::filesystem::exists(SharedData("templates"))) GTEST_SKIP() << "needs shared data";
  int rendered = 0;
  for (const Json& golden : Golden()["templates"]) {
    if (!golden["shared"]) continue;
    SCOPED_TRACE(golden["file"]);
    const std::string source = ReadFile(SharedData(golden["file"]));
    ASSERT_FALSE(source.empty());
    ExpectRenderings(golden, source);
    ++rendered;
  }
  EXPECT_GE(rendered, 10);
}

}  // namespace
}  // namespace paluku::jinja
