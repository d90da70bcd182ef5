#include "engine/loader/model_card.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <string_view>

#include "engine/base/utf8.h"
#include "engine/loader/model_file.h"
#include "engine/model/model_config.h"
#include "engine/text/jinja/template.h"
#include "engine/text/native_templates.h"
#include "engine/text/pretokenizer_patterns.h"

namespace paluku {
namespace {

struct FileType {
  std::uint64_t id;
  std::string_view name;
};
// Values of general.file_type, of which one file holds several tensor types.
constexpr std::array<FileType, 31> kFileTypes = {{
    {0, "F32"},      {1, "F16"},      {2, "Q4_0"},    {3, "Q4_1"},    {7, "Q8_0"},
    {8, "Q5_0"},     {9, "Q5_1"},     {10, "Q2_K"},   {11, "Q3_K_S"}, {12, "Q3_K_M"},
    {13, "Q3_K_L"},  {14, "Q4_K_S"},  {15, "Q4_K_M"}, {16, "Q5_K_S"}, {17, "Q5_K_M"},
    {18, "Q6_K"},    {19, "IQ2_XXS"}, {20, "IQ2_XS"}, {21, "Q2_K_S"}, {22, "IQ3_XS"},
    {23, "IQ3_XXS"}, {24, "IQ1_S"},   {25, "IQ4_NL"}, {26, "IQ3_S"},  {27, "IQ3_M"},
    {28, "IQ2_S"},   {29, "IQ2_M"},   {30, "IQ4_XS"}, {31, "IQ1_M"},  {32, "BF16"},
    {38, "MXFP4"},
}};

std::string BaseName(const std::string& path) {
  std::string name = path.substr(path.find_last_of('/') + 1);
  const std::size_t dot = name.find_last_of('.');
  return dot == std::string::npos || dot == 0 ? name : name.substr(0, dot);
}

// A short text of the file, fit to be shown.
std::string TextOr(const ModelFile& file, std::string_view key, std::string_view fallback) {
  constexpr std::size_t kMost = 256;
  const auto text = file.String(key);
  return PlainLine(text && !text->empty() ? *text : fallback, kMost);
}

// One tensor as the card counts it.
struct Counted {
  std::string_view name;
  std::string_view type;
  std::int64_t elements;
  std::int64_t bytes;
};

std::vector<Counted> CountTensors(const ModelFile& file) {
  std::vector<Counted> all;
  for (const auto& [name, tensor] : file.tensors()) {
    all.push_back({name, Info(tensor.dtype).name, tensor.elements(), tensor.bytes()});
  }
  for (const auto& [name, tensor] : file.foreign_tensors()) {
    double elements = 1;  // not held against the size of the file, so it may be absurd
    for (const std::int64_t dimension : tensor.shape) elements *= static_cast<double>(dimension);
    all.push_back({name, tensor.type, static_cast<std::int64_t>(std::min(elements, 1e15)), 0});
  }
  return all;
}

// Adds without passing what no file can hold: sizes of unknown types are claims.
void Add(std::int64_t& sum, std::int64_t count) {
  constexpr std::int64_t kMost = 1ll << 56;
  sum = std::min(sum + count, kMost);
}

void FillTypes(const ModelFile& file, const std::vector<Counted>& tensors, ModelCard& card) {
  std::map<std::string_view, std::pair<int, std::int64_t>> by_type;  // tensors, elements
  for (const Counted& tensor : tensors) {
    auto& [count, elements] = by_type[tensor.type];
    ++count;
    Add(elements, tensor.elements);
  }
  std::int64_t most = 0;
  for (const auto& [type, counts] : by_type) {
    card.tensor_types.emplace_back(type, counts.first);
    if (counts.second > most) {
      most = counts.second;
      card.type_name = type;
    }
  }
  std::stable_sort(card.tensor_types.begin(), card.tensor_types.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  const auto file_type = file.Integer("general.file_type", 0, 1'000);
  for (const FileType& known : kFileTypes) {
    if (file_type && known.id == *file_type) card.type_name = known.name;
  }
}

// The layer of "blk.12.name"; -1 outside the layers.
int LayerOf(std::string_view name) {
  int layer = -1;
  if (name.starts_with("blk.")) std::from_chars(name.data() + 4, name.data() + name.size(), layer);
  return layer;
}

TensorGroupKind GroupOf(std::string_view name, const ModelConfig* config) {
  const auto has = [&](std::string_view part) { return name.find(part) != std::string_view::npos; };
  const bool beyond = config != nullptr && LayerOf(name) >= config->layers;
  if (has("nextn.") || beyond) return TensorGroupKind::kPrediction;
  if (name.starts_with("token_embd")) return TensorGroupKind::kEmbedding;
  if (name.starts_with("output")) return TensorGroupKind::kOutput;
  if (has("_exps.")) return TensorGroupKind::kExperts;
  if (has("_shexp.")) return TensorGroupKind::kSharedExperts;
  if (has("ffn_gate_inp.") || has("exp_probs_b.")) return TensorGroupKind::kRouter;
  if (has(".indexer.")) return TensorGroupKind::kIndexer;
  if (has(".attn_") || has(".ffn_norm.")) return TensorGroupKind::kAttention;
  return has(".ffn_") ? TensorGroupKind::kDense : TensorGroupKind::kOther;
}

void FillGroups(const std::vector<Counted>& tensors, const ModelConfig* config, ModelCard& card) {
  std::map<TensorGroupKind, TensorGroup> groups;
  std::map<TensorGroupKind, std::map<std::string_view, int>> types;
  for (const Counted& tensor : tensors) {
    const TensorGroupKind kind = GroupOf(tensor.name, config);
    Add(groups[kind].parameters, tensor.elements);
    Add(groups[kind].bytes, tensor.bytes);
    ++types[kind][tensor.type];
  }
  for (auto& [kind, group] : groups) {
    group.kind = kind;
    for (const auto& [type, count] : types[kind]) group.types.emplace_back(type, count);
    std::stable_sort(group.types.begin(), group.types.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    card.tensor_groups.push_back(std::move(group));
  }
}

// A token touches one row of the embedding, the chosen of the routed experts and everything else.
void FillParameters(const std::vector<Counted>& tensors, const ModelConfig* config,
                    ModelCard& card) {
  const bool tied = std::none_of(tensors.begin(), tensors.end(),
                                 [](const Counted& t) { return t.name == "output.weight"; });
  for (const Counted& tensor : tensors) {
    Add(card.parameters, tensor.elements);
    if (config == nullptr || GroupOf(tensor.name, config) == TensorGroupKind::kPrediction) continue;
    if (tensor.name.find("_exps.") != std::string_view::npos && config->experts > 0) {
      Add(card.active_parameters, tensor.elements / config->experts * config->experts_chosen);
      Add(card.active_bytes, tensor.bytes / config->experts * config->experts_chosen);
    } else if (tensor.name != "token_embd.weight" || tied) {
      Add(card.active_parameters, tensor.elements);
      Add(card.active_bytes, tensor.bytes);
    }
  }
}

void FillConfig(const ModelConfig& config, ModelCard& card) {
  card.family = config.family;
  card.proof = config.proof;
  card.layers = config.layers;
  card.dense_layers = config.dense_layers;
  card.hidden = config.hidden;
  card.heads = config.heads;
  card.latent = config.latent;
  card.nope = config.nope;
  card.rope = config.rope;
  card.value = config.value;
  card.q_lora = config.q_lora;
  card.experts = config.experts;
  card.experts_chosen = config.experts_chosen;
  card.experts_shared = config.experts_shared;
  card.vocabulary = config.vocabulary;
  card.context_length = config.context_length;
  card.notes = config.notes;
}

void AddForeignTypes(const ModelFile& file, ModelCard& card) {
  std::map<std::string_view, int> types;
  for (const auto& [name, tensor] : file.foreign_tensors()) ++types[tensor.type];
  for (const auto& [type, count] : types) {
    card.unsupported.push_back(
        {ErrorCode::kUnsupportedTensorType, file.path(),
         std::string(type) + ", " + std::to_string(count) + (count == 1 ? " tensor" : " tensors")});
  }
}

// The name of the rules: that of the pre-tokenizer, or of a model that has none.
void FillTokenizer(const ModelFile& file, ModelCard& card) {
  const std::string model = TextOr(file, "tokenizer.ggml.model", "");
  if (model == "llama" || model == "t5") {
    card.tokenizer = model == "llama" ? "SentencePiece" : "SentencePiece (unigram)";
    if (file.Has("tokenizer.ggml.precompiled_charsmap"))
      card.unsupported.push_back(
          {ErrorCode::kUnsupportedTokenizer, file.path(), "t5 with a map of characters"});
    return;
  }
  const bool byte_level = model == "gpt2" || model.empty();
  card.tokenizer = byte_level ? TextOr(file, "tokenizer.ggml.pre", "") : model;
  if (!FindPreTokenizer(card.tokenizer))
    card.unsupported.push_back({ErrorCode::kUnsupportedTokenizer, file.path(), card.tokenizer});
}

// Tokenizer and chat template, told from their names without building them.
void FillText(const ModelFile& file, ModelCard& card) {
  FillTokenizer(file, card);
  const auto tokens = file.Strings("tokenizer.ggml.tokens");
  if (tokens && card.vocabulary == 0) card.vocabulary = static_cast<int>(tokens->size());
  const auto source = file.StringOr("tokenizer.chat_template", "");
  if (source && !source->empty()) {
    const auto parsed = jinja::Template::Parse(*source, file.path());
    if (parsed) card.chat_template = "own";
    if (!parsed) card.unsupported.push_back(parsed.error());
    return;
  }
  // What ChatTemplate::Create falls back to.
  const auto has_token = [&](std::string_view text) {
    return tokens && std::find(tokens->begin(), tokens->end(), text) != tokens->end();
  };
  if (const NativeTemplate* const native = FindNativeTemplate(card.tokenizer, has_token))
    card.chat_template = native->name;
}

}  // namespace

std::string_view TensorGroupName(TensorGroupKind kind) {
  switch (kind) {
    case TensorGroupKind::kEmbedding:
      return "embedding";
    case TensorGroupKind::kAttention:
      return "attention";
    case TensorGroupKind::kIndexer:
      return "indexer";
    case TensorGroupKind::kDense:
      return "dense layers";
    case TensorGroupKind::kRouter:
      return "router";
    case TensorGroupKind::kExperts:
      return "routed experts";
    case TensorGroupKind::kSharedExperts:
      return "shared experts";
    case TensorGroupKind::kOutput:
      return "output";
    case TensorGroupKind::kPrediction:
      return "prediction (unused)";
    case TensorGroupKind::kOther:
      break;
  }
  return "other";
}

ModelCard DescribeModel(const ModelFile& file) {
  ModelCard card;
  card.path = file.path();
  card.name = TextOr(file, "general.name", BaseName(file.path()));
  card.architecture = TextOr(file, "general.architecture", "");
  card.format = file.format();
  card.file_bytes = static_cast<std::int64_t>(file.size_bytes());
  const std::vector<Counted> tensors = CountTensors(file);
  FillTypes(file, tensors, card);
  const Result<ModelConfig> config = ModelConfig::Parse(file);
  if (config) {
    FillConfig(*config, card);
  } else {
    card.unsupported.push_back(config.error());
  }
  AddForeignTypes(file, card);
  FillParameters(tensors, config ? &*config : nullptr, card);
  FillGroups(tensors, config ? &*config : nullptr, card);
  FillText(file, card);
  return card;
}

Result<ModelCard> ReadModelCard(const std::string& path) {
  PALUKU_ASSIGN_OR_RETURN(const auto file, ModelFile::Open(path));
  return DescribeModel(*file);
}

}  // namespace paluku
