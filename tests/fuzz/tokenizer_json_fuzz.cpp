// Any bytes as the vocabulary of a checkpoint: an error, or a tokenizer whose ids are all of its
// vocabulary and, where it loses nothing, give every text back. A tokenizer.json where they begin
// as JSON does, a tiktoken.model where they begin with a letter or digit. Where a line holds
// nothing but U+001F, the files beside it follow.
#include <cctype>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/fuzz/checks.h"
#include "tests/fuzz/input_file.h"

namespace paluku::test {
namespace {

constexpr const char* kBeside[] = {"tokenizer_config.json", "generation_config.json",
                                   "chat_template.jinja"};

Result<Vocabulary> Read(std::string_view bytes) {
  const auto parts = PartsOf(bytes, 1 + std::size(kBeside));
  const bool tiktoken = !bytes.empty() && std::isalnum(static_cast<unsigned char>(bytes[0])) != 0;
  const auto read = tiktoken ? VocabularyFromTiktoken : VocabularyFromTokenizerJson;
  if (parts.size() == 1) {
    const InputFile input({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    return read(input.path(), {});
  }
  static const InputFolder folder;
  std::vector<std::pair<std::string, std::string_view>> files = {{"vocabulary", parts[0]}};
  for (std::size_t i = 1; i < parts.size(); ++i) files.emplace_back(kBeside[i - 1], parts[i]);
  folder.Fill(files);
  return read(folder.path() + "/vocabulary", {});
}

}  // namespace
}  // namespace paluku::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paluku::test;
  auto vocabulary = Read({reinterpret_cast<const char*>(data), size});
  if (!vocabulary) return CheckShown(vocabulary.error()), 0;
  CheckVocabulary(std::move(*vocabulary));
  return 0;
}
