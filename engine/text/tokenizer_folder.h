// The files beside a vocabulary in a Hugging Face checkpoint, and how JSON of a tokenizer is read:
// bounded, whatever it holds. Used by the readers of tokenizer.json and tiktoken.model.
#pragma once

#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>

#include "engine/base/error.h"
#include "engine/text/vocabulary.h"

namespace paluku {

using Json = nlohmann::json;

// The value of a key; null where the object or the key is not there.
const Json& At(const Json& object, const char* key);
// Empty where it is no string.
std::string StringAt(const Json& object, const char* key);

// A whole file of at most `limit` bytes. Errors: those of reading a file, kLimitExceeded.
Result<std::string> ReadTokenizerFile(const std::string& path, std::size_t limit);
// The JSON object in the file. Errors: as above, kFileDamaged, kCancelled.
Result<Json> ReadTokenizerJson(const std::string& path, const std::stop_token& stop = {});

// Fills in, from the files that are there: special ids, add_bos and the template
// (tokenizer_config.json), the template again (chat_template.jinja, which wins) and ids that end an
// answer (generation_config.json). `vocabulary` has its tokens. Errors: as above.
Status ReadTokenizerFolder(const std::string& folder, Vocabulary& vocabulary);

}  // namespace paluku
