// Any bytes as a checkpoint. Whole: as a safetensors file and as a config.json. Where a line holds
// nothing but U+001F, also as the files of a directory, in the order of kNames.
#include <cstdint>
#include <iterator>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/loader/json_file.h"
#include "engine/loader/safetensors/config.h"
#include "engine/loader/safetensors/names.h"
#include "engine/loader/safetensors/safetensors.h"
#include "engine/loader/safetensors/table.h"
#include "tests/fuzz/checks.h"
#include "tests/fuzz/input_file.h"

namespace {

using paluku::test::CheckShown;
using paluku::test::GuardedTail;
using paluku::test::InputFile;

void ReadAsFile(std::span<const std::uint8_t> bytes) {
  const InputFile input(bytes);
  const auto mapping = paluku::MappedFile::Open(input.path());
  if (!mapping) return;
  const GuardedTail guard((*mapping)->bytes());
  const auto table = paluku::ReadSafetensorsTable(**mapping);
  if (!table) return CheckShown(table.error());
  const auto mapped = (*mapping)->bytes();
  std::size_t covered = 0;
  for (const auto& [name, tensor] : *table) {
    covered += tensor.bytes.size();
    PALUKU_CHECK(tensor.bytes.data() + tensor.bytes.size() <= mapped.data() + mapped.size());
    PALUKU_CHECK(!paluku::GgufTensorName(name) || !paluku::GgufTensorName(name)->name.empty());
  }
  PALUKU_CHECK(covered < mapped.size());
}

void ReadAsConfig(std::span<const std::uint8_t> bytes) {
  const InputFile input(bytes);
  const auto json = paluku::ReadJsonObject(input.path());
  if (!json) return CheckShown(json.error());
  paluku::ModelFile::Contents contents;
  const auto added = paluku::AddConfigEntries(*json, "config.json", contents);
  if (!added) return CheckShown(added.error());
  PALUKU_CHECK(contents.entries.contains("general.architecture"));
}

// The files of a checkpoint, in the order of the parts of an input.
constexpr const char* kNames[] = {
    "config.json",    "model.safetensors",     "model.safetensors.index.json", "b.safetensors",
    "tokenizer.json", "tokenizer_config.json", "generation_config.json"};

void ReadAsFolder(std::string_view bytes) {
  const auto parts = paluku::test::PartsOf(bytes, std::size(kNames));
  if (parts.size() < 2) return;
  static const paluku::test::InputFolder folder;
  std::vector<std::pair<std::string, std::string_view>> files;
  for (std::size_t i = 0; i < parts.size(); ++i) files.emplace_back(kNames[i], parts[i]);
  folder.Fill(files);
  const auto file = paluku::OpenSafetensors(folder.path());
  if (!file) return CheckShown(file.error());
  for (const auto& [name, tensor] : (*file)->tensors()) {
    std::vector<std::byte> rows(static_cast<std::size_t>(tensor.bytes()));
    (*file)->CopyRows(name, 0, tensor.rows(), rows.data());
  }
  paluku::test::CheckCard(paluku::DescribeModel(**file));
  paluku::test::CheckModel(*file);
  auto vocabulary = paluku::VocabularyFromGguf(**file);  // what the entries of tokenizer.json say
  if (!vocabulary) return CheckShown(vocabulary.error());
  paluku::test::CheckVocabulary(std::move(*vocabulary));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ReadAsFile({data, size});
  ReadAsConfig({data, size});
  ReadAsFolder({reinterpret_cast<const char*>(data), size});
  return 0;
}
