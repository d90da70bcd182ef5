// What every command shares: the global options, the data directory, the way to a model.
#pragma once

#include <cstdio>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "engine/base/error.h"
#include "engine/session/engine.h"
#include "storage/paths.h"
#include "storage/storage.h"

namespace paluku::cli {

struct Context {
  bool json = false;
  std::string data_dir;  // empty: the XDG places

  // The database, for reading beside a running window or for writing. Reading an absent one gives
  // nullptr.
  Result<std::unique_ptr<Storage>> OpenStorage(StorageAccess access) const;
  // Path of a model argument; see ResolveModel.
  Result<std::string> ModelPath(const std::string& model) const;
};

// "f32", "f16" or "q8".
LatentType LatentTypeOf(const std::string& name);

// How to make an engine and load a model; options that several commands share.
struct EngineArguments {
  std::string model;
  std::string backend = "auto";
  int threads = 0;
  int context_tokens = 0;
  std::string latent = "f16";
  std::string path = "auto";

  Result<LoadOptions> ToLoadOptions() const;
};

// An engine with the model loaded.
Result<std::unique_ptr<Engine>> LoadEngine(const Context& context,
                                           const EngineArguments& arguments);

// Writes text that comes from a model, a file or a stored message; on a terminal without its
// control characters, which could retitle the window, hide lines or fill the clipboard.
void WriteText(std::FILE* stream, std::string_view text);
// The same text as it is written.
std::string TextFor(std::FILE* stream, std::string_view text);

// One line of JSON on stdout; invalid UTF-8 in it becomes U+FFFD.
void PrintJson(const nlohmann::json& value);

// "1,234,567"; "1.61 GB", decimal units.
std::string GroupedDigits(std::int64_t value);
std::string Bytes(std::int64_t value);

}  // namespace paluku::cli
