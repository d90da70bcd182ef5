// ModelCard: what a model file says of itself, read from its header alone in milliseconds.
// Used by the library, the model picker and `paluku-cli inspect`. Plain values, free to copy.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "engine/loader/model_note.h"

namespace paluku {

class ModelFile;

// Tensors that do the same work in a model.
enum class TensorGroupKind : std::uint8_t {
  kEmbedding,
  kAttention,  // norms included
  kIndexer,    // of sparse attention
  kDense,      // networks of dense layers
  kRouter,
  kExperts,  // routed ones
  kSharedExperts,
  kOutput,      // the last norm and the output matrix
  kPrediction,  // layers for multi-token prediction, which are not used
  kOther,
};
// In English, for terminals: "shared experts".
std::string_view TensorGroupName(TensorGroupKind kind);

struct TensorGroup {
  TensorGroupKind kind = TensorGroupKind::kOther;
  std::int64_t parameters = 0;
  std::int64_t bytes = 0;                          // without tensors of unknown types
  std::vector<std::pair<std::string, int>> types;  // type name, number of tensors; most used first
};

struct ModelCard {
  std::string path;
  std::string format;        // "GGUF 3", "safetensors"
  std::string name;          // general.name, else the file name without its ending
  std::string architecture;  // "deepseek2"
  std::string family;        // "DeepSeek-V2-Lite", "GLM-4.7-Flash"; empty when it cannot run
  std::string proof;         // what this model was compared with; empty when that was none
  std::string
      type_name;  // what most weights are stored as: "Q8_0"; "Q4_K_M" where the file says so
  std::int64_t file_bytes = 0;
  std::int64_t parameters = 0;         // weights in all
  std::int64_t active_parameters = 0;  // weights that a token touches
  std::int64_t active_bytes = 0;       // the same as bytes of the file
  int layers = 0;
  int dense_layers = 0;
  int hidden = 0;
  int heads = 0;
  int latent = 0;  // kv_lora_rank
  int nope = 0;
  int rope = 0;
  int value = 0;
  int q_lora = 0;  // 0: none
  int experts = 0;
  int experts_chosen = 0;
  int experts_shared = 0;
  int vocabulary = 0;
  int context_length = 0;
  std::string tokenizer;      // pre-tokenizer name
  std::string chat_template;  // "own", or the native one's name; empty when there is none
  std::vector<std::pair<std::string, int>>
      tensor_types;                        // type name, number of tensors; most used first
  std::vector<TensorGroup> tensor_groups;  // of those it has, in the order of TensorGroupKind
  std::vector<Error> unsupported;          // why it cannot run; empty when it can
  std::vector<ModelNote> notes;            // what was assumed, what is not used
};

// Errors: those of ModelFile::Open. A readable file that Paluku cannot run is a card with reasons
// in `unsupported`.
Result<ModelCard> ReadModelCard(const std::string& path);

// The same for a file that is open.
ModelCard DescribeModel(const ModelFile& file);

}  // namespace paluku
