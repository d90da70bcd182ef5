#include "engine/loader/safetensors/safetensors.h"

#include <algorithm>
#include <climits>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/utf8.h"
#include "engine/loader/json_file.h"
#include "engine/loader/required_files.h"
#include "engine/loader/safetensors/config.h"
#include "engine/loader/safetensors/names.h"
#include "engine/loader/safetensors/table.h"
#include "engine/loader/safetensors/vocabulary_entries.h"

namespace paluku {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

constexpr std::string_view kScaleEnd = "_scale_inv";

// Where the index says that tensors lie: name -> file in the directory.
using WeightMap = std::map<std::string, std::string>;

Result<WeightMap> ReadIndex(const std::string& path) {
  PALUKU_ASSIGN_OR_RETURN(const Json index, ReadJsonObject(path));
  const auto map = index.find("weight_map");
  if (map == index.end() || !map->is_object() || map->empty()) {
    return Fail(ErrorCode::kMissingKey, path, "weight_map");
  }
  WeightMap weights;
  for (const auto& [name, file] : map->items()) {
    // A name in the directory and nothing else: no path may lead out of it.
    const std::string shard = file.is_string() ? file.get<std::string>() : std::string();
    if (!shard.ends_with(".safetensors") || fs::path(shard).filename() != shard ||
        PlainLine(shard, NAME_MAX) != shard) {
      return Fail(ErrorCode::kBadValue, path, "weight_map");
    }
    weights.emplace(name, shard);
  }
  return weights;
}

DType TypeOf(std::string_view type) {
  if (type == "F32") return DType::kF32;
  return type == "F16" ? DType::kF16 : DType::kBF16;
}

// One source of a GGUF tensor: a whole one, or the part of one expert.
struct Part {
  int expert = -1;
  const SafetensorsTensor* tensor = nullptr;
  const SafetensorsTensor* scales = nullptr;  // of F8_E4M3
};

class CheckpointReader {
 public:
  CheckpointReader(std::string directory, std::stop_token stop)
      : directory_(std::move(directory)), stop_(std::move(stop)) {}

  Result<ModelFile::Contents> Read() {
    out_.path = directory_;
    out_.format = "safetensors";
    const std::string config_path = In("config.json");
    PALUKU_ASSIGN_OR_RETURN(const Json config, ReadJsonObject(config_path));
    PALUKU_TRY(OpenShards());
    PALUKU_TRY(AddConfigEntries(config, config_path, out_));
    const std::string name = fs::absolute(directory_).lexically_normal().filename().string();
    out_.entries["general.name"] = std::string_view(out_.owned.emplace_back(name));
    const auto tied = config.find("tie_word_embeddings");
    CollectParts(tied != config.end() && *tied == true);
    PALUKU_TRY(RefuseUnknownTensors());
    for (const auto& [gguf_name, parts] : parts_) PALUKU_TRY(AddTensor(gguf_name, parts));
    CountPredictionLayers();
    PALUKU_TRY(AddVocabularyEntries(directory_, out_, stop_));
    return std::move(out_);
  }

 private:
  std::string In(std::string_view file) const {
    return (fs::path(directory_) / std::string(file)).string();
  }

  // The shards by name and what the index says of them.
  Status OpenShards() {
    std::error_code error;
    WeightMap index;
    std::set<std::string> shards;
    const std::string index_path = In("model.safetensors.index.json");
    if (fs::exists(index_path, error)) {
      PALUKU_ASSIGN_OR_RETURN(index, ReadIndex(index_path));
      for (const auto& [tensor, shard] : index) shards.insert(shard);
    } else {
      shards.insert("model.safetensors");
    }
    if (shards.size() > kSafetensorsLimits.shards) {
      return Fail(ErrorCode::kLimitExceeded, index_path, "too many files");
    }
    PALUKU_TRY(RequireFiles(directory_, {shards.begin(), shards.end()}));
    std::map<std::string, std::size_t> place;
    for (const std::string& shard : shards) {
      PALUKU_TRY(OpenShard(shard));
      place[shard] = tables_.size() - 1;
    }
    for (const auto& [tensor, shard] : index) {
      if (!tables_[place[shard]].contains(tensor)) {
        return Fail(ErrorCode::kMissingTensor, In(shard),
                    PlainLine(tensor, kSafetensorsLimits.name_bytes));
      }
    }
    return {};
  }

  Status OpenShard(const std::string& shard) {
    if (stop_.stop_requested()) return Fail(ErrorCode::kCancelled);
    PALUKU_ASSIGN_OR_RETURN(auto file, MappedFile::Open(In(shard)));
    PALUKU_ASSIGN_OR_RETURN(SafetensorsTable table, ReadSafetensorsTable(*file));
    for (const auto& [name, tensor] : table) {
      if (!all_.emplace(name, &tensor).second) {
        return Fail(ErrorCode::kFileDamaged, file->path(), name + ": another file has it as well");
      }
    }
    if (all_.size() > kSafetensorsLimits.tensors) {
      return Fail(ErrorCode::kLimitExceeded, file->path(), "too many tensors");
    }
    tables_.push_back(std::move(table));  // moves no element
    out_.mappings.push_back(std::move(file));
    return {};
  }

  const SafetensorsTensor* Find(const std::string& name) const {
    const auto it = all_.find(name);
    return it == all_.end() ? nullptr : it->second;
  }

  void CollectParts(bool tied) {
    for (const auto& [name, tensor] : all_) {
      if (IsNoLanguageWeight(name)) continue;
      if (name.ends_with(kScaleEnd) &&
          Find(name.substr(0, name.size() - kScaleEnd.size())) != nullptr) {
        continue;  // belongs to its weight
      }
      const std::optional<TensorName> known = GgufTensorName(name);
      if (tied && known && known->name == "output.weight") continue;
      const Part part{known ? known->expert : -1, tensor, Find(name + std::string(kScaleEnd))};
      parts_[known ? known->name : name].push_back(part);
    }
  }

  // In a family that Paluku knows, a tensor it does not know would change the answer.
  Status RefuseUnknownTensors() const {
    if (!out_.entries.contains(Architecture() + ".block_count")) return {};
    for (const auto& [name, parts] : parts_) {
      if (all_.contains(name)) {
        return Fail(ErrorCode::kModelNotRunnable, directory_,
                    "the tensor “" + name + "” is none of its family");
      }
    }
    return {};
  }

  std::string Architecture() const {
    return std::string(std::get<std::string_view>(out_.entries.at("general.architecture")));
  }

  tl::unexpected<Error> Damaged(const std::string& name, std::string_view what) const {
    return Fail(ErrorCode::kFileDamaged, directory_, name + ": " + std::string(what));
  }

  // Experts 0, 1, 2.. of one shape and type, or one tensor that stands alone.
  Status CheckParts(const std::string& name, const std::vector<Part>& parts) const {
    const bool stacked = parts.front().expert >= 0;
    if (!stacked && parts.size() > 1) return Damaged(name, "it is there twice");
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (stacked && parts[i].expert != static_cast<int>(i)) {
        return Damaged(name, "expert " + std::to_string(i) + " is missing");
      }
      if (parts[i].tensor->shape != parts.front().tensor->shape ||
          parts[i].tensor->type != parts.front().tensor->type) {
        return Damaged(name, "experts of different shapes");
      }
    }
    return {};
  }

  Status AddTensor(const std::string& name, std::vector<Part> parts) {
    std::sort(parts.begin(), parts.end(),
              [](const Part& a, const Part& b) { return a.expert < b.expert; });
    PALUKU_TRY(CheckParts(name, parts));
    const SafetensorsTensor& first = *parts.front().tensor;
    std::vector<std::int64_t> shape = first.shape;
    if (parts.front().expert >= 0) {
      shape.insert(shape.begin(), static_cast<std::int64_t>(parts.size()));
    }
    const bool scaled = first.type == "F8_E4M3" && parts.front().scales != nullptr;
    const bool plain = first.type == "F32" || first.type == "F16" || first.type == "BF16";
    if ((!plain && !scaled) || shape.empty() || shape.size() > Tensor::kMaxRank) {
      out_.foreign_tensors.emplace(name, ForeignTensor{first.type, std::move(shape)});
      return {};
    }
    Tensor tensor;
    tensor.dtype = TypeOf(first.type);
    tensor.rank = static_cast<int>(shape.size());
    std::copy(shape.begin(), shape.end(), tensor.shape.begin());
    const auto address = reinterpret_cast<std::uintptr_t>(first.bytes.data());
    const bool aligned = address % static_cast<std::uintptr_t>(Info(tensor.dtype).block_bytes) == 0;
    if (plain && parts.size() == 1 && aligned) {
      tensor.data = const_cast<std::byte*>(first.bytes.data());
    } else {
      PALUKU_ASSIGN_OR_RETURN(out_.pieces[name], Pieces(name, parts));
    }
    out_.tensors.emplace(name, tensor);
    return {};
  }

  // What the rows are copied from. A scaled tensor of experts in one block is cut into experts,
  // because each has scales of its own.
  Result<std::vector<TensorPiece>> Pieces(const std::string& name,
                                          const std::vector<Part>& parts) const {
    std::vector<TensorPiece> pieces;
    for (const Part& part : parts) {
      const auto& shape = part.tensor->shape;
      const std::int64_t columns = shape.back();
      const bool scaled = part.tensor->type == "F8_E4M3";
      const std::size_t outer =
          scaled && shape.size() == 3 ? static_cast<std::size_t>(shape[0]) : 1;
      std::int64_t rows = 1;
      for (std::size_t i = 0; i + 1 < shape.size(); ++i) rows *= shape[i];
      rows /= static_cast<std::int64_t>(outer);
      std::span<const std::byte> scales;
      if (scaled) {
        PALUKU_ASSIGN_OR_RETURN(scales, Scales(name, part, outer, rows, columns));
      }
      for (std::size_t i = 0; i < outer; ++i) {
        const std::size_t bytes = part.tensor->bytes.size() / outer;
        const std::size_t scale_bytes = scales.size() / outer;
        pieces.push_back({rows, part.tensor->bytes.subspan(i * bytes, bytes),
                          scales.subspan(i * scale_bytes, scale_bytes)});
      }
    }
    return pieces;
  }

  Result<std::span<const std::byte>> Scales(const std::string& name, const Part& part,
                                            std::size_t outer, std::int64_t rows,
                                            std::int64_t columns) const {
    if (part.scales == nullptr) return Damaged(name, "an expert without weight_scale_inv");
    const auto blocks = [](std::int64_t n) { return (n + kF8Block - 1) / kF8Block; };
    const std::uint64_t count = outer * static_cast<std::uint64_t>(blocks(rows)) *
                                static_cast<std::uint64_t>(blocks(columns));
    if (part.scales->type != "F32" || part.scales->bytes.size() != count * sizeof(float)) {
      return Damaged(name, "weight_scale_inv is not one F32 for each 128 x 128 block");
    }
    return part.scales->bytes;
  }

  // Layers behind num_hidden_layers belong to multi-token prediction; block_count counts them in.
  void CountPredictionLayers() {
    const std::string prefix = Architecture();
    const auto blocks = out_.entries.find(prefix + ".block_count");
    if (blocks == out_.entries.end()) return;
    auto& count = std::get<std::uint64_t>(blocks->second);
    std::uint64_t extra = 0;
    while (
        out_.tensors.contains("blk." + std::to_string(count + extra) + ".nextn.eh_proj.weight")) {
      ++extra;
    }
    if (extra == 0) return;
    count += extra;
    out_.entries[prefix + ".nextn_predict_layers"] = extra;
  }

  std::string directory_;
  std::stop_token stop_;
  ModelFile::Contents out_;
  std::vector<SafetensorsTable> tables_;
  std::map<std::string, const SafetensorsTensor*> all_;  // of all shards
  std::map<std::string, std::vector<Part>> parts_;       // by GGUF name
};

}  // namespace

bool IsSafetensorsPath(const std::string& path) {
  std::error_code error;
  return fs::exists(fs::path(path) / "config.json", error) || path.ends_with(".safetensors") ||
         path.ends_with(".json");
}

Result<std::shared_ptr<const ModelFile>> OpenSafetensors(const std::string& path,
                                                         const std::stop_token& stop) {
  std::error_code error;
  fs::path directory(path);
  if (!fs::is_directory(directory, error)) directory = directory.parent_path();
  if (!directory.has_filename()) directory = directory.parent_path();  // "model/"
  PALUKU_ASSIGN_OR_RETURN(ModelFile::Contents contents,
                          CheckpointReader(directory.string(), stop).Read());
  return std::make_shared<const ModelFile>(std::move(contents));
}

}  // namespace paluku
