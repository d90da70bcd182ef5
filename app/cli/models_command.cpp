// models list|add|where: the library of model files, which stay where they lie.
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/conversation/model_resolver.h"
#include "engine/loader/model_card.h"

namespace paluku::cli {
namespace {

struct Entry {
  std::string name;
  std::string path;
  std::int64_t bytes = 0;
  bool shipped = false;
  bool present = false;
};

Entry Starter() {
  Entry entry{.name = "starter", .path = StarterModelPath(), .shipped = true};
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(entry.path, error);
  entry.present = !error;
  entry.bytes = error ? 0 : static_cast<std::int64_t>(bytes);
  return entry;
}

nlohmann::json ToJson(const Entry& entry) {
  return {{"name", entry.name},
          {"path", entry.path},
          {"bytes", entry.bytes},
          {"shipped", entry.shipped},
          {"present", entry.present}};
}

Status List(const Context& context) {
  std::vector<Entry> entries{Starter()};
  PALUKU_ASSIGN_OR_RETURN(const std::unique_ptr<Storage> storage,
                          context.OpenStorage(StorageAccess::kReadOnly));
  if (storage) {
    PALUKU_ASSIGN_OR_RETURN(
        const std::vector<ModelRecord> records,
        storage->Run([](Stores& stores) { return stores.models.List(); }).get());
    for (const ModelRecord& record : records) {
      std::error_code error;
      entries.push_back({record.name, record.path, record.size_bytes, false,
                         std::filesystem::is_regular_file(record.path, error)});
    }
  }
  nlohmann::json models = nlohmann::json::array();
  for (const Entry& entry : entries) {
    models.push_back(ToJson(entry));
    if (!context.json) {
      std::printf("%-32s %10s  %s%s\n", TextFor(stdout, entry.name).c_str(),
                  Bytes(entry.bytes).c_str(), TextFor(stdout, entry.path).c_str(),
                  entry.present ? "" : "  (not there)");
    }
  }
  if (context.json) PrintJson({{"models", models}});
  return {};
}

Status Add(const Context& context, const std::string& file) {
  std::error_code error;
  const std::string path = std::filesystem::absolute(file, error).lexically_normal().string();
  PALUKU_ASSIGN_OR_RETURN(const ModelCard card, ReadModelCard(path));
  if (!card.unsupported.empty()) {
    return tl::unexpected(card.unsupported.front());
  }
  PALUKU_ASSIGN_OR_RETURN(const std::unique_ptr<Storage> storage,
                          context.OpenStorage(StorageAccess::kWrite));
  PALUKU_ASSIGN_OR_RETURN(
      const ModelRecord record,
      storage
          ->Run([&](Stores& stores) { return stores.models.Add(path, card.name, card.file_bytes); })
          .get());
  if (context.json) {
    PrintJson(ToJson({record.name, record.path, record.size_bytes, false, true}));
  } else {
    WriteText(stdout, record.name + "\n");
  }
  return {};
}

Status Where(const Context& context, const std::string& model) {
  PALUKU_ASSIGN_OR_RETURN(const std::string path, context.ModelPath(model));
  if (context.json) {
    PrintJson({{"path", path}});
  } else {
    std::printf("%s\n", path.c_str());
  }
  return {};
}

}  // namespace

void AddModels(CLI::App& app, Action& action) {
  CLI::App* models = app.add_subcommand("models", "The library of model files");
  models->require_subcommand(1);
  models->add_subcommand("list", "List the models, the one that ships first")->callback([&action] {
    action = List;
  });

  auto file = std::make_shared<std::string>();
  CLI::App* add = models->add_subcommand("add", "Add a model file; it stays where it is");
  add->add_option("file", *file, "A .gguf file")->required();
  add->callback(
      [file, &action] { action = [file](Context& context) { return Add(context, *file); }; });

  auto model = std::make_shared<std::string>();
  CLI::App* where = models->add_subcommand("where", "Print the path of a model");
  where->add_option("model", *model, "Name of a model; without it, the one that ships");
  where->callback(
      [model, &action] { action = [model](Context& context) { return Where(context, *model); }; });
}

}  // namespace paluku::cli
