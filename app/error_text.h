// The sentence of an Error in the language of the interface. The English sentences are those of
// engine/base/error.cpp, repeated here because translation tools read source text; a test compares
// the two tables. Interface thread.
#pragma once

#include <QString>

#include "engine/base/error.h"

namespace paluku {

// Never empty. Paths are shortened to the file's name.
QString errorText(const Error& error);

// The English template of `code` as it is handed to the translator.
const char* translatableTemplate(ErrorCode code);

}  // namespace paluku
