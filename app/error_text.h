// The sentence of an Error or a ModelNote in the language of the interface. The English sentences
// are those of engine/base/error.cpp and engine/loader/model_note.cpp, repeated here because
// translation tools read source text; a test compares the tables. Interface thread.
#pragma once

#include <QString>

#include "engine/base/error.h"
#include "engine/loader/model_note.h"

namespace paluku {

// Never empty. Paths are shortened to the file's name.
QString errorText(const Error& error);
QString noteText(const ModelNote& note);

// The English template of `code` as it is handed to the translator.
const char* translatableTemplate(ErrorCode code);
const char* translatableTemplate(ModelNoteCode code);

}  // namespace paluku
