// Opening of a GGUF model: one file, or the parts that gguf-split made of one.
#include "engine/loader/gguf.h"

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/loader/gguf_parser.h"
#include "engine/loader/required_files.h"

namespace paluku {
namespace {

constexpr std::uint64_t kMaxParts = 512;
constexpr std::string_view kCountKey = "split.count";
constexpr std::string_view kNumberKey = "split.no";  // from 0
constexpr std::string_view kTensorsKey = "split.tensors.count";

// "model-00002-of-00004.gguf", taken apart.
struct PartName {
  std::string stem;          // all before "-00002"
  std::uint64_t number = 0;  // from 1
  std::uint64_t count = 0;

  std::string Path(std::uint64_t part) const {
    char end[48];
    std::snprintf(end, sizeof end, "-%05u-of-%05u.gguf", static_cast<unsigned>(part),
                  static_cast<unsigned>(count));
    return stem + end;
  }
};

std::optional<PartName> ParsePartName(const std::string& path) {
  constexpr std::size_t kEnd = std::string_view("-00000-of-00000.gguf").size();
  if (path.size() <= kEnd) return std::nullopt;
  PartName name;
  name.stem = path.substr(0, path.size() - kEnd);
  const char* end = path.data() + name.stem.size();
  std::from_chars(end + 1, end + 6, name.number);
  std::from_chars(end + 10, end + 15, name.count);
  if (name.number < 1 || name.number > name.count || name.Path(name.number) != path)
    return std::nullopt;
  return name;
}

Result<ModelFile::Contents> ParseFile(const std::string& path, const std::stop_token& stop) {
  PALUKU_ASSIGN_OR_RETURN(auto file, MappedFile::Open(path));
  return GgufParser(std::move(file), stop).Parse();
}

// A whole number that the keys of a split set hold, of any integer type.
Result<std::uint64_t> SplitEntry(const ModelFile::Contents& part, std::string_view key) {
  const auto entry = part.entries.find(key);
  if (entry == part.entries.end()) {
    return Fail(ErrorCode::kMissingKey, part.path, std::string(key));
  }
  if (const auto* plain = std::get_if<std::uint64_t>(&entry->second)) return *plain;
  const auto* with_sign = std::get_if<std::int64_t>(&entry->second);
  if (with_sign != nullptr && *with_sign >= 0) return static_cast<std::uint64_t>(*with_sign);
  return Fail(ErrorCode::kBadValue, part.path, std::string(key));
}

Status ExpectEntry(const ModelFile::Contents& part, std::string_view key, std::uint64_t wanted) {
  PALUKU_ASSIGN_OR_RETURN(const std::uint64_t value, SplitEntry(part, key));
  if (value == wanted) return {};
  return Fail(ErrorCode::kBadValue, part.path,
              std::string(key) + ": " + std::to_string(value) + ", not " + std::to_string(wanted));
}

// Every part lies beside the others.
Status RequireParts(const PartName& name) {
  const std::filesystem::path stem(name.stem);
  std::vector<std::string> names;
  for (std::uint64_t part = 1; part <= name.count; ++part) {
    names.push_back(std::filesystem::path(name.Path(part)).filename().string());
  }
  return RequireFiles(stem.parent_path().string(), names);
}

// Adds the tensors of `part` to those of the parts before it.
Status Append(ModelFile::Contents part, ModelFile::Contents& joined) {
  for (const auto& [key, tensor] : part.tensors) {
    if (joined.foreign_tensors.contains(key) || !joined.tensors.emplace(key, tensor).second)
      return Fail(ErrorCode::kFileDamaged, part.path, key + ": it is there twice");
  }
  for (const auto& [key, tensor] : part.foreign_tensors) {
    if (joined.tensors.contains(key) || !joined.foreign_tensors.emplace(key, tensor).second)
      return Fail(ErrorCode::kFileDamaged, part.path, key + ": it is there twice");
  }
  joined.mappings.push_back(std::move(part.mappings.front()));
  return {};
}

// All parts of the set that `opened` belongs to. Only the first has the metadata of the model.
Result<ModelFile::Contents> JoinParts(const ModelFile::Contents& opened, std::uint64_t count,
                                      const std::stop_token& stop) {
  const std::optional<PartName> name = ParsePartName(opened.path);
  if (!name || name->count != count) {
    return Fail(ErrorCode::kBadValue, opened.path,
                "split.count: " + std::to_string(count) + ", which its name does not tell");
  }
  PALUKU_TRY(RequireParts(*name));
  PALUKU_ASSIGN_OR_RETURN(const std::uint64_t tensors, SplitEntry(opened, kTensorsKey));
  ModelFile::Contents joined;
  for (std::uint64_t number = 1; number <= count; ++number) {
    PALUKU_ASSIGN_OR_RETURN(ModelFile::Contents part, ParseFile(name->Path(number), stop));
    PALUKU_TRY(ExpectEntry(part, kCountKey, count));
    PALUKU_TRY(ExpectEntry(part, kNumberKey, number - 1));
    PALUKU_TRY(ExpectEntry(part, kTensorsKey, tensors));
    if (number == 1) {
      joined = std::move(part);
    } else {
      PALUKU_TRY(Append(std::move(part), joined));
    }
  }
  joined.path = opened.path;
  const std::uint64_t found = joined.tensors.size() + joined.foreign_tensors.size();
  if (found != tensors) {
    return Fail(ErrorCode::kBadValue, opened.path,
                "split.tensors.count: " + std::to_string(tensors) + ", but the parts hold " +
                    std::to_string(found));
  }
  return joined;
}

}  // namespace

Result<std::shared_ptr<const ModelFile>> OpenGguf(const std::string& path,
                                                  const std::stop_token& stop) {
  PALUKU_ASSIGN_OR_RETURN(ModelFile::Contents contents, ParseFile(path, stop));
  if (contents.entries.contains(kCountKey)) {
    PALUKU_ASSIGN_OR_RETURN(const std::uint64_t count, SplitEntry(contents, kCountKey));
    if (count > kMaxParts) return Fail(ErrorCode::kLimitExceeded, path, std::string(kCountKey));
    if (count > 1) {
      PALUKU_ASSIGN_OR_RETURN(contents, JoinParts(contents, count, stop));
    }
  }
  return std::make_shared<const ModelFile>(std::move(contents));
}

}  // namespace paluku
