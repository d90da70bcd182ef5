// Binding and reading of sealed columns: the stores' only way to write or read a text field.
// Used inside storage, within Database::Read or Write.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <string>
#include <string_view>

#include "storage/field_codec.h"

namespace paluku {

inline void BindSealed(SQLite::Statement& statement, int index, const FieldCodec& codec,
                       const FieldPlace& place, std::string_view text) {
  const std::string bytes = codec.Seal(place, text);
  statement.bind(index, bytes.data(), static_cast<int>(bytes.size()));
}

inline Result<std::string> OpenSealed(const SQLite::Column& column, const FieldCodec& codec,
                                      const FieldPlace& place) {
  const char* bytes = static_cast<const char*>(column.getBlob());
  return codec.Open(place, {bytes, static_cast<std::size_t>(column.getBytes())});
}

}  // namespace paluku
