#include "app/cli/context.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/cli/progress_line.h"
#include "app/conversation/model_resolver.h"

namespace paluku::cli {

Result<std::unique_ptr<Storage>> Context::OpenStorage(StorageAccess access) const {
  PALUKU_ASSIGN_OR_RETURN(const Paths paths, ResolvePaths(data_dir));
  if (access == StorageAccess::kWrite) PALUKU_TRY(CreatePaths(paths));
  Result<std::unique_ptr<Storage>> storage =
      Storage::Open({.data_dir = paths.data, .access = access, .clock = SystemNowMs, .vfs = {}});
  if (storage || access == StorageAccess::kWrite) return storage;
  if (storage.error().code == ErrorCode::kFileNotFound) return nullptr;
  // An older schema is brought up to date by opening it for writing once.
  if (storage.error().code == ErrorCode::kUnsupportedVersion)
    return OpenStorage(StorageAccess::kWrite);
  return storage;
}

Result<std::string> Context::ModelPath(const std::string& model) const {
  Result<std::string> without_library = ResolveModel(model, nullptr);
  if (without_library) return without_library;
  PALUKU_ASSIGN_OR_RETURN(const std::unique_ptr<Storage> storage,
                          OpenStorage(StorageAccess::kReadOnly));
  if (!storage) return without_library;
  return storage->Run([&](Stores& stores) { return ResolveModel(model, &stores.models); }).get();
}

LatentType LatentTypeOf(const std::string& name) {
  if (name == "f32") return LatentType::kF32;
  return name == "q8" ? LatentType::kQ8 : LatentType::kF16;
}

Result<LoadOptions> EngineArguments::ToLoadOptions() const {
  LoadOptions options;
  options.context_tokens = context_tokens;
  options.latent_type = LatentTypeOf(latent);
  options.attention_path = path == "expanded"   ? AttentionPath::kExpanded
                           : path == "absorbed" ? AttentionPath::kAbsorbed
                                                : AttentionPath::kAuto;
  return options;
}

namespace {

// One line on stderr when a card is there and does not compute: that makes a model slower than it
// was yesterday.
void TellHome(const ModelHome& home) {
  if (home.expert_layers_on_card < home.expert_layers && !home.card.empty()) {
    std::fprintf(stderr, "The processor computes the experts of %d of %d layers.\n",
                 home.expert_layers - home.expert_layers_on_card, home.expert_layers);
  }
  if (!home.no_card) return;
  if (home.no_card->code == ErrorCode::kOutOfMemory) {
    std::fprintf(stderr, "The model does not fit on the graphics card: the processor computes.\n");
  } else if (home.card_lost) {
    std::fprintf(stderr, "%s The processor computes.\n", home.no_card->Message().c_str());
  }
}

}  // namespace

Result<std::unique_ptr<Engine>> LoadEngine(const Context& context,
                                           const EngineArguments& arguments) {
  PALUKU_ASSIGN_OR_RETURN(const std::string path, context.ModelPath(arguments.model));
  PALUKU_ASSIGN_OR_RETURN(const LoadOptions options, arguments.ToLoadOptions());
  PALUKU_ASSIGN_OR_RETURN(
      std::unique_ptr<Engine> engine,
      Engine::Create({.backend = arguments.backend, .threads = arguments.threads}));
  ProgressLine line;
  PALUKU_TRY(engine->Load(
      path, options, [&](std::int64_t done, std::int64_t total) { line.Show(done, total); }, {}));
  TellHome(engine->model()->home);
  return engine;
}

std::string TextFor(std::FILE* stream, std::string_view text) {
  if (isatty(fileno(stream)) == 0) return std::string(text);
  std::string shown;
  shown.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool c0 = (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F;
    const bool c1 =
        byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c1) ++i;
    if (!c0 && !c1) shown += text[i];
  }
  return shown;
}

void WriteText(std::FILE* stream, std::string_view text) {
  const std::string shown = TextFor(stream, text);
  std::fwrite(shown.data(), 1, shown.size(), stream);
}

void PrintJson(const nlohmann::json& value) {
  const std::string line = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::printf("%s\n", line.c_str());
}

std::string GroupedDigits(std::int64_t value) {
  std::string digits = std::to_string(value);
  for (std::ptrdiff_t i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > (value < 0 ? 1 : 0);
       i -= 3) {
    digits.insert(static_cast<std::size_t>(i), ",");
  }
  return digits;
}

std::string Bytes(std::int64_t value) {
  static constexpr std::array kUnits{"B", "kB", "MB", "GB", "TB"};
  double scaled = static_cast<double>(value);
  std::size_t unit = 0;
  for (; scaled >= 1000 && unit + 1 < kUnits.size(); ++unit) scaled /= 1000;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.2f %s", scaled, kUnits[unit]);
  return text;
}

}  // namespace paluku::cli
