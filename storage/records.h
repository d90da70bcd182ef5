// The records of the database as plain values: what the stores take and give.
//
// Text is UTF-8, times are milliseconds since 1970-01-01 UTC, ids are random version 4 UUIDs in
// lower case (36 characters); an empty id means "none". Values own everything they hold and are
// free to move between threads. Numbers of the enumerations are stored: append, never renumber.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/error.h"

namespace paluku {

enum class MessageRole : std::uint8_t { kUser = 1, kAssistant = 2, kSystem = 3 };

// What became of a message. Everything but kStreaming is final; a row still kStreaming when the
// database is opened for writing becomes kInterrupted.
enum class MessageState : std::uint8_t {
  kComplete = 1,
  kStreaming = 2,    // being written now
  kStopped = 3,      // by the person
  kFailed = 4,       // `error` says why
  kInterrupted = 5,  // the program ended in the middle
  kLength = 6,       // the limit of the answer was reached, or with `error` that of the context
};

// "user", "assistant", "system": the words of the command line's JSON.
std::string_view RoleName(MessageRole role);
// "complete", "streaming", "stopped", "failed", "interrupted", "length".
std::string_view StateName(MessageState state);

struct ConversationRecord {
  std::string id;
  std::string title;
  std::int64_t created_ms = 0;
  std::int64_t updated_ms = 0;             // last turn begun or finished; lists are sorted by it
  std::optional<std::int64_t> deleted_ms;  // marked for deletion, can still be restored
  std::string current_leaf;                // id of the last message of the shown branch
  std::string instruction;                 // system prompt, empty for none
  std::string model;                       // id of the model to answer with, empty for the default
  std::string draft;                       // text of the composer
};

struct MessageStats {
  std::int64_t token_count = 0;     // tokens of the answer
  double tokens_per_second = 0.0;   // while decoding
  std::int64_t first_token_ms = 0;  // from the request to the first token
};

struct MessageRecord {
  std::string id;
  std::string conversation;
  std::string parent;  // empty: a root of the tree
  MessageRole role = MessageRole::kUser;
  MessageState state = MessageState::kComplete;
  std::string text;
  std::optional<std::string> reasoning;  // the thinking part of an answer
  std::string model;                     // name of the model that wrote it, empty for a person
  std::int64_t created_ms = 0;
  MessageStats stats;
  std::optional<Error> error;  // why the answer failed, or that the context was full
};

struct ModelRecord {
  std::string id;
  std::string path;  // absolute; the file stays where it is
  std::string name;  // what the person sees
  std::int64_t size_bytes = 0;
  std::int64_t added_ms = 0;
  std::optional<std::int64_t> last_used_ms;
};

}  // namespace paluku
