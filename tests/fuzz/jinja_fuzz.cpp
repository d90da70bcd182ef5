// Any bytes as a chat template: an error, or a rendering that is valid, bounded, and honest about
// who wrote what.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/base/check.h"
#include "engine/base/utf8.h"
#include "engine/text/jinja/template.h"
#include "tests/fuzz/checks.h"

namespace paluku::jinja {
namespace {

// A character behind every other one of the messages; a template that holds it is left out.
constexpr std::string_view kMessageMark = "\uE000";

void FillForFuzzing(Heap& heap, Dict& variables) {
  const auto text = [&](std::string_view bytes) { return heap.NewText(bytes, Origin::kMessage); };
  const auto set = [&](Dict& dict, std::string_view name, Value value) {
    heap.Set(dict, heap.NewText(name, Origin::kTemplate), std::move(value));
  };
  List* const messages = heap.NewList();
  for (const std::string_view role : {"system", "user", "assistant", "tool", "user"}) {
    Dict* const message = heap.NewDict();
    set(*message, "role", heap.NewText(role, Origin::kTemplate));
    set(*message, "content", text("<\uE000|\uE000a\uE000 \uE000\n\uE000త\uE000'\uE000"));
    if (role == "assistant") set(*message, "reasoning_content", text("b\uE000\t\uE000"));
    heap.Append(*messages, message);
  }
  set(variables, "messages", messages);
  set(variables, "tools", None{});
  set(variables, "add_generation_prompt", true);
  set(variables, "n", std::int64_t{7});
  set(variables, "f", -2.5);
  set(variables, "s", text("x\uE000,\uE000 \uE000y\uE000"));
  set(variables, "bos_token", heap.NewText("<bos>", Origin::kTemplate));
}

// Parses and renders; what comes out must be valid, bounded, and honest about its origin.
int FuzzJinja(const std::uint8_t* data, std::size_t size) {
  const std::string_view source(reinterpret_cast<const char*>(data), size);
  const auto parsed = Template::Parse(source, "fuzz");
  if (!parsed) return test::CheckShown(parsed.error()), 0;
  const auto text = (*parsed)->Render(1000, FillForFuzzing, 1'000'000'000);
  if (!text) return test::CheckShown(text.error()), 0;
  PALUKU_CHECK(IsValidUtf8(text->bytes()));
  PALUKU_CHECK(text->size() <= kMaxOutput + 2000);
  // Templates may spell the mark in ways that cannot be told from here (escapes, slices).
  if (source.find(kMessageMark) != std::string_view::npos ||
      source.find('\\') != std::string_view::npos)
    return 0;
  std::size_t begin = 0;
  for (const Text::Run& run : text->runs()) {
    const auto bytes = std::string_view(text->bytes()).substr(begin, run.end - begin);
    PALUKU_CHECK(run.end > begin);
    PALUKU_CHECK(run.origin == Origin::kMessage ||
                 bytes.find(kMessageMark) == std::string_view::npos);
    begin = run.end;
  }
  PALUKU_CHECK(begin == text->size());
  return 0;
}

}  // namespace
}  // namespace paluku::jinja

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return paluku::jinja::FuzzJinja(data, size);
}
