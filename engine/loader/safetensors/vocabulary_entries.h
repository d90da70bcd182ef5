// The tokenizer of a Hugging Face checkpoint as metadata of a GGUF file ("tokenizer.ggml.tokens").
#pragma once

#include <stop_token>
#include <string>

#include "engine/base/error.h"
#include "engine/loader/model_file.h"

namespace paluku {

// Reads tokenizer.json and tokenizer_config.json of `directory`. Without a
// tokenizer.json nothing is added. A kind that Paluku does not have becomes
// tokenizer.ggml.model alone, so that it is refused by name when it is wanted. Errors: those of
// VocabularyFromTokenizerJson.
Status AddVocabularyEntries(const std::string& directory, ModelFile::Contents& out,
                            const std::stop_token& stop);

}  // namespace paluku
