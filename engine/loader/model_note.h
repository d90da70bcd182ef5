// ModelNote: what a person should know of a model file that runs: values assumed for keys the file
// lacks, parts of it that are not used.
//
// A code plus the things it speaks of, like Error, so that the window can say it in any language.
// Plain values, free to copy.
#pragma once

#include <cstdint>
#include <string>

namespace paluku {

// One code per sentence; ModelNoteTemplate() holds the sentences, `%1` stands for the subject, `%2`
// for the detail.
enum class ModelNoteCode : std::uint8_t {
  kValueAssumed,       // subject: metadata key that is absent; detail: the value taken for it
  kPredictionSkipped,  // subject: layers for multi-token prediction that the file has
};

struct ModelNote {
  ModelNoteCode code = ModelNoteCode::kValueAssumed;
  std::string subject;  // %1
  std::string detail;   // %2

  // The English sentence, subject and detail filled in.
  std::string Message() const;
  bool operator==(const ModelNote&) const = default;
};

// The English sentence of `code` with its placeholders.
const char* ModelNoteTemplate(ModelNoteCode code);

}  // namespace paluku
