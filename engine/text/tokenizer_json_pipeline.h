// What a tokenizer.json says of the way from text to tokens, beside the tokens themselves: model,
// normaliser, pre-tokenizer, template of special tokens. Used by vocabulary_json.cpp alone. The
// file may have any shape; a step that Paluku does not have is refused by its name.
#pragma once

#include <string_view>

#include "engine/text/tokenizer_file.h"
#include "engine/text/vocabulary.h"

namespace paluku {

// "<0x41>": the form of the byte tokens of SentencePiece.
bool IsByteName(std::string_view text);

// Fills `kind`, `pre_tokenizer`, `ignores_merges`, `composes`, what is said of spaces, and
// `add_bos`. Error: kUnsupportedTokenizer. A sequence of splits that is not known is no error yet:
// it becomes the name of the pre-tokenizer, for Tokenizer::Create to refuse and for `inspect` to
// tell.
Status ReadPipeline(const JsonValue& root, Vocabulary& vocabulary);

}  // namespace paluku
