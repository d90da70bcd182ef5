// convert IN OUT --type T: a safetensors directory or a GGUF file as GGUF of type T.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/interrupt.h"
#include "app/cli/progress_line.h"
#include "engine/loader/convert/convert.h"

namespace paluku::cli {
namespace {

struct ConvertArguments {
  std::string in;
  std::string out;
  std::string type;
  int threads = 0;
};

std::string TypeNames() {
  std::string names;
  for (const Recipe& recipe : Recipes()) {
    names += (names.empty() ? "" : ", ") + std::string(recipe.name);
  }
  return names;
}

void Print(const Context& context, const ConvertArguments& arguments, const Recipe& recipe,
           const ConvertResult& result) {
  if (context.json) {
    nlohmann::json types = nlohmann::json::object();
    for (const auto& [name, count] : result.tensor_types) types[name] = count;
    PrintJson({{"path", arguments.out},
               {"type", recipe.name},
               {"file_bytes", result.file_bytes},
               {"tensor_types", types}});
    return;
  }
  std::printf("%s: %s, %s\n", arguments.out.c_str(), std::string(recipe.name).c_str(),
              Bytes(result.file_bytes).c_str());
}

Status Convert(const Context& context, const ConvertArguments& arguments) {
  const Recipe* recipe = FindRecipe(arguments.type);
  if (recipe == nullptr) {
    return Fail(ErrorCode::kInvalidArgument, "--type",
                "“" + arguments.type + "” is none of " + TypeNames());
  }
  PALUKU_ASSIGN_OR_RETURN(const std::string path, context.ModelPath(arguments.in));
  PALUKU_ASSIGN_OR_RETURN(const std::shared_ptr<const ModelFile> file, ModelFile::Open(path));
  const Interrupt interrupt;
  Result<ConvertResult> result;
  {
    ProgressLine line;
    result = ConvertModel(
        *file, arguments.out, {.recipe = recipe, .threads = arguments.threads},
        [&](std::int64_t done, std::int64_t total) { line.Show(done, total); }, interrupt.token());
  }
  if (!result) return tl::unexpected(result.error());
  Print(context, arguments, *recipe, *result);
  return {};
}

}  // namespace

void AddConvert(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<ConvertArguments>();
  CLI::App* command = app.add_subcommand("convert", "Write a model as GGUF of another type");
  command->add_option("in", arguments->in, "A GGUF file, a safetensors directory or a model's name")
      ->required();
  command->add_option("out", arguments->out, "The file to write")->required();
  command->add_option("--type", arguments->type, TypeNames())->required();
  command->add_option("-t,--threads", arguments->threads, "Threads; one per processor by default")
      ->check(CLI::Range(0, 1024));
  command->callback([arguments, &action] {
    action = [arguments](Context& context) { return Convert(context, *arguments); };
  });
}

}  // namespace paluku::cli
