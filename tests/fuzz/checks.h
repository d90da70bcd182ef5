// What must hold whatever file a text, a tokenizer or a chat template comes from. A failed check
// ends the program. One thread.
#pragma once

#include <memory>
#include <string_view>

#include "engine/base/error.h"
#include "engine/loader/model_card.h"
#include "engine/loader/model_file.h"
#include "engine/text/vocabulary.h"

namespace paluku::test {

// A text that people are shown: one line, valid, not longer than a screen, steering nothing.
void CheckShown(std::string_view text);
void CheckShown(const Error& error);

void CheckCard(const ModelCard& card);

// Computes with the weights of `file` on the processor, two steps, or is refused. Models that take
// more than 64 MiB for it are left out.
void CheckModel(std::shared_ptr<const ModelFile> file);

// Builds a tokenizer and a chat template from `vocabulary`, and lists merges that only its ids
// tell, or is refused. Texts must come back from a byte-level tokenizer as they went in, and no
// text of a user may become a control token.
void CheckVocabulary(Vocabulary vocabulary);

}  // namespace paluku::test
