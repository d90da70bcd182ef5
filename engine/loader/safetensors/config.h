// config.json of a Hugging Face checkpoint as the metadata of a GGUF file: "deepseek2.block_count"
// for num_hidden_layers. Pure functions.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/base/error.h"
#include "engine/loader/model_file.h"

namespace paluku {

// Adds the entries of `config`, read from `path`, to `out`. A class that Paluku does not know
// becomes general.architecture alone, so that ModelConfig refuses it by name. Errors: kMissingKey,
// kBadValue for what changes the answer and has no key in GGUF.
Status AddConfigEntries(const nlohmann::json& config, const std::string& path,
                        ModelFile::Contents& out);

}  // namespace paluku
