#include "engine/loader/model_note.h"

#include "engine/base/error.h"

namespace paluku {

const char* ModelNoteTemplate(ModelNoteCode code) {
  switch (code) {
    case ModelNoteCode::kValueAssumed:
      return "The file lacks “%1”; %2 is assumed.";
    case ModelNoteCode::kPredictionSkipped:
      return "Layers for multi-token prediction are not used: %1.";
  }
  return "";
}

std::string ModelNote::Message() const {
  return FillTemplate(ModelNoteTemplate(code), subject, detail);
}

}  // namespace paluku
