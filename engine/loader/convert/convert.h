// Conversion of a model to a GGUF file of the current generation (attn_k_b and attn_v_b apart), in
// one of the types of recipe.h.
//
// Tensors stream from the mapping to the new file a slice at a time: memory stays far below 2 GiB
// for any model. The new file is there whole or not at all (GgufWriter). Any thread; the work is
// spread over `threads`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "engine/loader/convert/recipe.h"
#include "engine/loader/model_file.h"

namespace paluku {

struct ConvertOptions {
  const Recipe* recipe = nullptr;
  int threads = 0;  // 0: one per processor
};

// Bytes of the new file written so far, of `total`.
using ConvertProgress = std::function<void(std::int64_t done, std::int64_t total)>;

struct ConvertResult {
  std::int64_t file_bytes = 0;
  std::vector<std::pair<std::string, int>> tensor_types;  // name, number of tensors; by name
};

// Writes `path`. Layers for multi-token prediction are left out. Errors: those of
// ModelConfig::Parse and GgufWriter; kUnsupportedTensorType, also for a recipe that this build
// cannot write; kBadValue for weights that are no finite numbers or beyond the type; kFileDamaged;
// kCancelled.
Result<ConvertResult> ConvertModel(const ModelFile& file, const std::string& path,
                                   const ConvertOptions& options, const ConvertProgress& progress,
                                   std::stop_token stop);

}  // namespace paluku
