// Names of Hugging Face tensors and what GGUF calls them. Pure functions, one table for all
// families with multi-head latent attention.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace paluku {

struct TensorName {
  std::string name;  // GGUF's: "blk.3.ffn_up_exps.weight"
  int layer = -1;    // -1: outside the layers
  int expert = -1;   // place in the stack of experts; -1: the tensor stands alone
};

// Nothing when GGUF has no name for it. Prefixes of multimodal checkpoints ("language_model.") are
// looked through.
std::optional<TensorName> GgufTensorName(std::string_view hf_name);

// True for tensors that a language model does without: vision towers, stored rotary frequencies.
bool IsNoLanguageWeight(std::string_view hf_name);

}  // namespace paluku
