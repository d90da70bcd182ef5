// Any bytes as a GGUF file: an error, or a file whose every claim can be followed.
#include <cstdint>
#include <span>
#include <utility>

#include "engine/base/check.h"
#include "engine/loader/gguf_parser.h"
#include "tests/fuzz/checks.h"
#include "tests/fuzz/input_file.h"

namespace paluku::test {
namespace {

// Reads all that the file says of itself.
std::uint64_t Follow(const ModelFile& file) {
  std::uint64_t sum = 0;
  const auto mapped = file.mappings().front()->bytes();
  for (const auto& [name, tensor] : file.tensors()) {
    PALUKU_CHECK(tensor.data >= mapped.data());
    PALUKU_CHECK(tensor.data + tensor.bytes() <= mapped.data() + mapped.size());
    sum += static_cast<std::uint64_t>(tensor.data[0]);
    sum += static_cast<std::uint64_t>(tensor.data[tensor.bytes() - 1]);
  }
  for (const auto& [key, value] : file.entries()) {
    if (const auto* text = std::get_if<std::string_view>(&value)) {
      for (const char c : *text) sum += static_cast<unsigned char>(c);
    }
    if (const auto* texts = std::get_if<std::vector<std::string_view>>(&value)) {
      for (const std::string_view text : *texts)
        sum += text.empty() ? 0 : static_cast<unsigned char>(text.back());
    }
    if (std::holds_alternative<NumberArray>(value)) {
      sum += file.Floats(key).has_value() + file.Integers(key).has_value();
    }
  }
  return sum;
}

}  // namespace
}  // namespace paluku::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paluku;
  const test::InputFile input({data, size});
  const auto mapping = MappedFile::Open(input.path());
  if (!mapping) return 0;  // no bytes at all
  const test::GuardedTail guard((*mapping)->bytes());
  auto contents = GgufParser(*mapping).Parse();
  if (!contents) return test::CheckShown(contents.error()), 0;
  const ModelFile file(std::move(*contents));
  volatile const std::uint64_t read = test::Follow(file);  // nothing may be optimised away
  (void)read;
  test::CheckCard(DescribeModel(file));
  auto vocabulary = VocabularyFromGguf(file);
  if (!vocabulary) return test::CheckShown(vocabulary.error()), 0;
  test::CheckVocabulary(std::move(*vocabulary));
  return 0;
}
