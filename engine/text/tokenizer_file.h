// How the files of a tokenizer are read, which are hostile: bounded in size, and JSON in depth and
// number of values as well. Used by the readers of tokenizer.json, tiktoken.model and the files
// beside them.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "engine/base/error.h"

namespace paluku {

// A value of a JsonDocument, or nothing where there was none: a chain of At asks a file of any
// shape without an error on the way. A view; the document outlives it.
class JsonValue {
 public:
  JsonValue() = default;
  JsonValue(simdjson::dom::element value) : value_(value) {}

  // The value of a key; nothing where this is no object or has no such key.
  JsonValue At(std::string_view key) const;
  // The value, where it is of that kind.
  std::optional<std::string_view> Text() const { return As<std::string_view>(); }
  std::optional<std::uint64_t> Unsigned() const { return As<std::uint64_t>(); }
  std::optional<double> Number() const { return As<double>(); }
  std::optional<simdjson::dom::array> Array() const { return As<simdjson::dom::array>(); }
  std::optional<simdjson::dom::object> Object() const { return As<simdjson::dom::object>(); }
  bool Is(bool value) const { return As<bool>() == value; }
  // Also a null that stands in the file.
  bool IsNothing() const { return !value_ || value_->is_null(); }

 private:
  template <class T>
  std::optional<T> As() const {
    T value;
    if (!value_ || value_->get(value) != simdjson::SUCCESS) return std::nullopt;
    return value;
  }

  std::optional<simdjson::dom::element> value_;
};

// The string at a key; empty where there is none.
std::string StringAt(const JsonValue& object, std::string_view key);

// The tree of a JSON text. It lies in two blocks of memory, so that a million values are let go as
// fast as one.
class JsonDocument {
 public:
  // Of an object. Errors: those of ReadTokenizerFile, kFileDamaged. The parse itself does not look
  // at `stop`; the limit of a file's size keeps it short.
  static Result<JsonDocument> Read(const std::string& path, const std::stop_token& stop = {});

  JsonValue root() const { return root_; }

 private:
  JsonDocument(std::unique_ptr<simdjson::dom::parser> parser, JsonValue root)
      : parser_(std::move(parser)), root_(root) {}

  std::unique_ptr<simdjson::dom::parser> parser_;  // owns the tree, and may not move
  JsonValue root_;
};

// A whole file of at most `limit` bytes. Errors: those of reading a file, kLimitExceeded,
// kCancelled.
Result<std::string> ReadTokenizerFile(const std::string& path, std::size_t limit,
                                      const std::stop_token& stop = {});

}  // namespace paluku
