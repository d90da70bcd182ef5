// Any bytes as a safetensors file: an error, or a table whose tensors cover the file's weights. Any
// JSON at its head as config.json: an error, or metadata.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>

#include "engine/base/check.h"
#include "engine/loader/safetensors/config.h"
#include "engine/loader/safetensors/names.h"
#include "engine/loader/safetensors/table.h"
#include "tests/fuzz/input_file.h"

namespace {

using paluku::test::GuardedTail;
using paluku::test::InputFile;

void ReadAsFile(std::span<const std::uint8_t> bytes) {
  const InputFile input(bytes);
  const auto mapping = paluku::MappedFile::Open(input.path());
  if (!mapping) return;
  const GuardedTail guard((*mapping)->bytes());
  const auto table = paluku::ReadSafetensorsTable(**mapping);
  if (!table) return;
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
  const auto json = nlohmann::json::parse(bytes.begin(), bytes.end(), nullptr, false);
  if (!json.is_object()) return;
  paluku::ModelFile::Contents contents;
  const auto added = paluku::AddConfigEntries(json, "config.json", contents);
  PALUKU_CHECK(added.has_value() || !added.error().Message().empty());
  if (added) PALUKU_CHECK(contents.entries.contains("general.architecture"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ReadAsFile({data, size});
  ReadAsConfig({data, size});
  return 0;
}
