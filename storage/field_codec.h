// The one place where a text field is turned into the bytes of the database and back. Every title,
// text, reasoning, instruction, draft, setting and error detail passes through it; when sealing
// arrives, this class gets the keys and nothing else changes.
//
// Format: one version byte, then the payload. Version 0 is the text itself. `FieldPlace` is what a
// sealed field will be bound to, so that a value moved to another row no longer opens.
// Owned by Storage; const, used on its thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/error.h"

namespace paluku {

// Stored numbers: append, never renumber.
enum class Field : std::uint8_t {
  kTitle = 1,
  kInstruction = 2,
  kDraft = 3,
  kText = 4,
  kReasoning = 5,
  kErrorSubject = 6,
  kErrorDetail = 7,
  kSettingValue = 8,
};

struct FieldPlace {
  Field field;
  std::string_view conversation;  // id, empty for settings
  std::string_view row;           // id of the row, key of a setting
};

class FieldCodec {
 public:
  std::string Seal(const FieldPlace& place, std::string_view text) const;
  // Errors: kBadValue (subject: the row, detail: the field) when the bytes were not made by Seal().
  Result<std::string> Open(const FieldPlace& place, std::string_view bytes) const;
};

}  // namespace paluku
