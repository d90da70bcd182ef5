// The tensors of a converted file: what each is called, its type, and where its values come from.
#pragma once

#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/loader/convert/recipe.h"
#include "engine/loader/gguf_writer.h"
#include "engine/loader/model_file.h"
#include "engine/model/model_config.h"

namespace paluku {

enum class TensorSource {
  kWhole,    // the rows of one tensor, in their order
  kKeyUp,    // W_UK of attn_kv_b, turned: [heads, latent, nope]
  kValueUp,  // W_UV of attn_kv_b: [heads, value, latent]
};

struct PlannedTensor {
  GgufTensorInfo out;
  std::string from;  // name in the old file
  TensorSource source = TensorSource::kWhole;
};

// True where the current generation of files keeps W_UK and W_UV apart; minicpm3 and plm do not.
bool SplitsUpProjections(std::string_view architecture);

// In the order of the layers. Errors: kUnsupportedTensorType for tensors that cannot be read,
// kBadValue for an attn_kv_b of another shape than the configuration tells.
Result<std::vector<PlannedTensor>> PlanTensors(const ModelFile& file, const ModelConfig& config,
                                               const Recipe& recipe);

}  // namespace paluku
