// The files beside a vocabulary in a Hugging Face checkpoint. Used by the readers of tokenizer.json
// and tiktoken.model.
#pragma once

#include <string>

#include "engine/base/error.h"
#include "engine/text/vocabulary.h"

namespace paluku {

// Fills in, from the files that are there: special ids, add_bos and the template
// (tokenizer_config.json), the template again (chat_template.jinja, which wins) and ids that end an
// answer (generation_config.json). `vocabulary` has its tokens. Errors: those of JsonDocument.
Status ReadTokenizerFolder(const std::string& folder, Vocabulary& vocabulary);

}  // namespace paluku
