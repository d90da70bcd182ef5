// Reader of Hugging Face checkpoints: a directory with config.json and *.safetensors files, seen as
// a ModelFile with the names and keys of GGUF.
//
// Types F32, F16, BF16 and F8_E4M3 with a scale per 128 x 128 block, which is presented as BF16.
// Every file is hostile until read. Nothing of the weights is touched. A pure function of the
// directory.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "engine/base/error.h"
#include "engine/loader/model_file.h"

namespace paluku {

// `path`: the directory, or a file in it. Errors: those of reading files, kFileNotFound with the
// names of missing shards, those of ReadSafetensorsTable and AddConfigEntries, kMissingTensor for
// an index that promises more than the shards hold; kCancelled.
Result<std::shared_ptr<const ModelFile>> OpenSafetensors(const std::string& path,
                                                         const std::stop_token& stop = {});

// True for a directory with a config.json and for a file of a checkpoint (*.safetensors, *.json).
bool IsSafetensorsPath(const std::string& path);

}  // namespace paluku
