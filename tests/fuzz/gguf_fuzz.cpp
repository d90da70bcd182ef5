// Any bytes as a GGUF file: an error, or a file whose every claim can be followed and whose
// weights, where they are a whole model, compute. Where a line holds nothing but U+001F, as the
// parts of a split set.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/loader/gguf_parser.h"
#include "tests/fuzz/checks.h"
#include "tests/fuzz/input_file.h"

namespace paluku::test {
namespace {

constexpr std::size_t kMostParts = 4;

bool IsMapped(const ModelFile& file, const Tensor& tensor) {
  return std::any_of(file.mappings().begin(), file.mappings().end(), [&](const auto& mapping) {
    const auto mapped = mapping->bytes();
    return tensor.data >= mapped.data() &&
           tensor.data + tensor.bytes() <= mapped.data() + mapped.size();
  });
}

// Reads all that the file says of itself.
std::uint64_t Follow(const ModelFile& file) {
  std::uint64_t sum = 0;
  for (const auto& [name, tensor] : file.tensors()) {
    PALUKU_CHECK(IsMapped(file, tensor));
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

void Use(const std::shared_ptr<const ModelFile>& file) {
  volatile const std::uint64_t read = Follow(*file);  // nothing may be optimised away
  (void)read;
  CheckCard(DescribeModel(*file));
  CheckModel(file);
  auto vocabulary = VocabularyFromGguf(*file);
  if (!vocabulary) return CheckShown(vocabulary.error());
  CheckVocabulary(std::move(*vocabulary));
}

void ReadAsFile(std::span<const std::uint8_t> bytes) {
  const InputFile input(bytes);
  const auto mapping = MappedFile::Open(input.path());
  if (!mapping) return;  // no bytes at all
  const GuardedTail guard((*mapping)->bytes());
  auto contents = GgufParser(*mapping).Parse();
  if (!contents) return CheckShown(contents.error());
  Use(std::make_shared<const ModelFile>(std::move(*contents)));
}

// Opened by its last part.
void ReadAsSet(const std::vector<std::string_view>& parts) {
  static const InputFolder folder;
  std::vector<std::pair<std::string, std::string_view>> files;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    char name[64];
    std::snprintf(name, sizeof name, "m-%05zu-of-%05zu.gguf", i + 1, parts.size());
    files.emplace_back(name, parts[i]);
  }
  folder.Fill(files);
  const auto file = OpenGguf(folder.path() + "/" + files.back().first);
  if (!file) return CheckShown(file.error());
  Use(*file);
}

}  // namespace
}  // namespace paluku::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paluku::test;
  const auto parts = PartsOf({reinterpret_cast<const char*>(data), size}, kMostParts);
  if (parts.size() > 1) {
    ReadAsSet(parts);
  } else {
    ReadAsFile({data, size});
  }
  return 0;
}
